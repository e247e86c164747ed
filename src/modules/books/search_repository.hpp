// SQL of searching: what the index is made from, what librarians decided, what was searched for.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/books/search_model.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

// A book with the counters that are not part of its resource, and all names of its author (authorities).
struct IndexedBook : Book {
  int total_borrows = 0;
  std::vector<std::string> author_names;
};

// Counters only.
struct LiveFigures {
  std::int64_t id = 0;
  int total_borrows = 0, copies_available = 0;
  std::optional<double> average_rating;
};

// What was searched for or opened on one day.
struct QueryCount {
  std::string query_key;
  std::int64_t searches = 0, misses = 0;
};

class SearchRepository {
 public:
  explicit SearchRepository(db::Transaction& tx) : tx_(tx) {}

  // Those that exist, in any order. At most most_at_once ids.
  static constexpr std::size_t most_at_once = 250;
  std::vector<IndexedBook> books(std::span<const std::int64_t> ids);
  std::vector<LiveFigures> figures(std::span<const std::int64_t> ids);
  // The next ones by id.
  std::vector<IndexedBook> books_after(std::int64_t id, std::int64_t most);
  std::vector<std::int64_t> ids_after(std::int64_t id, std::int64_t most);

  Synonyms synonyms();
  void replace_synonyms(const Synonyms& synonyms);
  StopWords stop_words();
  void replace_stop_words(const StopWords& words);  // folded
  Pins pins();                                      // of books that are there
  Pins all_pins();                                  // also of deleted ones, which may come back
  // The keys of the pins, in their order. False when a book does not exist.
  bool replace_pins(const Pins& pins, const std::vector<std::string>& keys);

  void add_counts(std::string_view day, const std::vector<QueryCount>& counts);
  // False when there is no such book.
  bool add_click(std::string_view day, std::string_view query_key, BookId book);
  SearchReport report(std::string_view from_day, int limit);
  std::int64_t forget_before(std::string_view day);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::books
