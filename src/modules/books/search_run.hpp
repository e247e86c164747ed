// One search on one snapshot of the index, without the database: which books, in what order, with what
// counts.
//
// Runs where it is called, for a few milliseconds with 100,000 books. Errors: invalid (422) for a query that
// cannot be read, with its place, and for a cursor that belongs elsewhere.
#pragma once
#include "core/base/error.hpp"
#include "core/search/matcher.hpp"
#include "modules/books/search_index.hpp"
#include "modules/books/search_model.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct FoundBook {
  BookId id;
  double score = 0;
  bool pinned = false;
  std::optional<ScoreExplanation> explain;
};

struct SearchOutcome {
  SearchAnswer answer;  // all but its items
  std::vector<FoundBook> books;
  search::Plan plan;  // for highlights
};

// `neighbours`: what a search by meaning found, best first, to be fused in (hybrid) or taken alone
// (semantic).
Result<SearchOutcome> run_search(const search::SnapshotPtr& snapshot, const SearchSettings& settings,
                                 const SearchQuery& query, const std::vector<BookId>* neighbours = nullptr);

std::vector<Suggestion> run_suggest(const search::SnapshotPtr& snapshot, std::string_view typed,
                                    std::size_t most);
// Authors whose names have these words, with most books first.
std::vector<FoundAuthor> run_authors(const search::SnapshotPtr& snapshot, std::string_view query,
                                     std::size_t most);

std::vector<Highlight> highlights_of(const search::Plan& plan, const Book& book);

// Reciprocal rank fusion: each list gives 1 / (60 + rank), ranks from 1. Best first; equal ones by id.
// Source: Cormack, Clarke and Büttcher, SIGIR 2009.
std::vector<std::pair<std::int64_t, double>> fuse(const std::vector<std::vector<std::int64_t>>& lists);

}  // namespace lumina::books
