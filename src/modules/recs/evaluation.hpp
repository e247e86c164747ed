// Honest numbers: how the data is split, what is measured, and what is odd about the data.
//
// The split holds back the last max(1, min(10, n / 5)) books of every person with two books or more; a held
// back book with strength of `found_from` or more is one to find. Methods rank the whole catalogue without
// the books already read.
#pragma once
#include "modules/recs/interactions.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace lumina::recs {

struct Split {
  std::vector<Interaction> learning;
  struct Trial {
    std::int64_t person = 0;
    std::vector<std::int64_t> wanted;  // to find
    std::vector<std::int64_t> held;    // all that were held back
  };
  std::vector<Trial> trials;  // people with at least one book to find, by person
};
Split leave_last_out(std::span<const Interaction> interactions, float found_from);

struct Metrics {
  double hit_rate = 0;   // HR@10: share of people with one wanted book in their ten
  double ndcg = 0;       // nDCG@10, binary, ideal list of min(10, wanted)
  double recall = 0;     // recall@10: share of the wanted books, a person's mean
  double precision = 0;  // precision@10
  double coverage = 0;   // share of the catalogue in somebody's ten
  double novelty = 0;    // mean of -log2(share of people who read the book): bits; higher is less known
  std::size_t people = 0;
};

// `ten` gives a person's list, best first, from the history without what was held back; called from several
// threads at once. `books` is the catalogue's size.
using ListOf = std::function<std::vector<std::int64_t>(std::int64_t person, const History& history)>;
Metrics measure(const Split& split, std::size_t books, const ListOf& ten, unsigned threads = 0);

// What a check of the data found. The cleaned interactions leave out what is counted here as dropped.
struct DataReport {
  std::size_t interactions = 0, people = 0, books = 0;
  std::size_t duplicates = 0;     // dropped: same person, book, strength and moment
  std::size_t future = 0;         // dated after `now`, taken as of `now`
  std::size_t unknown_books = 0;  // dropped
  std::size_t not_numbers = 0;    // dropped: strength not finite
  std::size_t bots = 0;           // people dropped: more than `most_per_day` signals on some day
  std::size_t bot_interactions = 0;
  std::size_t constant_raters = 0;    // people who gave 20 opinions or more, all the same; kept
  double sparsity = 0;                // share of empty cells of people x books, 0..1
  std::vector<std::string> findings;  // each in a sentence
};
struct CleanData {
  std::vector<Interaction> interactions;
  DataReport report;
};
CleanData clean(std::span<const Interaction> interactions, std::span<const std::int64_t> known_books,
                Moment now, std::size_t most_per_day = 1'000);

}  // namespace lumina::recs
