// One ranking out of many opinions: each part scores the books, is scaled by its own spread over the
// catalogue (the z-score without its mean, which shifts no order), and the weighted sum ranks. Weights are
// learned (learn_weights) for several lengths of history and interpolated between them, so that little-known
// people get more of content and popularity and well-known ones more of what people alike read.
//
// Variety is maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998). Reasons are taken from the
// sum itself: the entry of the history that gave most to a book's score, through which part.
//
// rank() is thread-safe and holds the catalogue's table for its duration (about 1 ms at 10,000 books).
#pragma once
#include "modules/recs/catalogue.hpp"
#include "modules/recs/collaborative_model.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::recs {

enum class Part { neighbours, sequence, linear, factors, content, author, series, genre, popularity };
inline constexpr std::size_t part_count = 9;
using Weights = std::array<float, part_count>;

std::string_view name_of(Part part);
std::optional<Part> part_named(std::string_view name);

class BlendWeights {
 public:
  // Sensible ones, before anything was learned.
  BlendWeights();

  // For a history of that many books.
  Weights at(std::size_t books) const;
  // The lengths at which weights stand for themselves, and the weights there.
  static constexpr std::array<std::size_t, 4> lengths = {1, 4, 12, 40};
  std::array<Weights, lengths.size()> rows;

  void save(vector::ArchiveWriter& to) const;
  static BlendWeights load(vector::ArchiveReader& from);
};

// What is asked of rank().
enum class Strategy { hybrid, collaborative, content, popular };
std::string_view name_of(Strategy strategy);
std::optional<Strategy> strategy_named(std::string_view name);

struct RankRequest {
  std::size_t limit = 10;
  Strategy strategy = Strategy::hybrid;
  float diversity = 0;  // 0..1; at 1 no two books share an author while there are others
  bool exclude_history = true;
  std::vector<std::string> genres, authors;    // stated preferences
  std::optional<Weights> weights;              // in place of the learned ones
  vector::Index::Accept accept;                // ids that may be shown; empty: all
  std::function<float(std::int64_t)> damping;  // factor for a book, 0..1: impressions that led nowhere
};

enum class ReasonKind {
  readers,     // people who read `book` read this
  next,        // next in the series of `book`
  series,      // same series as `book`
  author,      // same author as `book`
  content,     // like `book` in words and subject
  genre,       // same genre as `book`
  preference,  // a genre or author that the person stated
  popular,
};
std::string_view name_of(ReasonKind kind);
struct Reason {
  ReasonKind kind = ReasonKind::popular;
  std::int64_t book = 0;  // of the history; 0 for preference and popular
};

struct Ranked {
  std::int64_t book = 0;
  float score = 0;  // falling, 1 for the best before variety
  Reason reason;
};

// Up to `limit` books, fewer only when fewer are acceptable. `model` may be null: before any training. Dead
// books never appear, books of the history only when asked for.
std::vector<Ranked> rank(const CollaborativeModel* model, const BlendWeights& weights,
                         const Catalogue& catalogue, const History& history, const RankRequest& request);

// A history and the books that were read after it, those to be found.
struct Lesson {
  History history;
  std::vector<std::int64_t> wanted;
};
// Learns from lessons what weights make the wanted books rank high: a softmax regression over the candidates
// of each lesson (convex, so the same from any start), refined by coordinate steps on nDCG@10. Lessons are
// also cut to short histories, to learn those rows. Parts that `model` lacks get 0.
Result<BlendWeights> learn_weights(const CollaborativeModel* model, const Catalogue& catalogue,
                                   std::span<const Lesson> lessons, const vector::Work& work = {});

}  // namespace lumina::recs
