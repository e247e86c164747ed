// SQL of the catalogue: books, their tags, the copies that come and go with a book, and the counters shown
// with it.
//
// Absent is std::nullopt; conflicts are answers, not exceptions.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/books/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct Conditions;

// NewBook as it is stored: normalised, with the keys for sorting and matching (book_row.hpp).
struct BookRow {
  NewBook book;
  std::string title_key, author_key, match_key;
  std::string author_match, author_sort;
  std::optional<std::string> series_key, ddc_key, lcc_key;
};

// A copy as it stood before its book was deleted.
struct ErasedCopy {
  CopyId id;
  std::optional<std::string> barcode;
  std::string status;
};

class BookRepository {
 public:
  explicit BookRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Book> find(BookId id);
  // Those that exist of an interval of ids, both ends included.
  std::vector<Book> between(BookId first, BookId last);
  // The next books after that id, in the order of ids.
  std::vector<Book> after(BookId id, int most);
  // In the order of the filter. Throws nothing for a bad cursor: `bad_cursor` is set and the page is empty.
  struct Listing {
    std::vector<Book> books;
    std::optional<std::string> next_cursor;
    bool bad_cursor = false;
  };
  Listing list(const BookFilter& filter, const PageRequest& page);
  std::int64_t count(const BookFilter& filter);
  // For protocols with conditions of their own (listing_query.hpp); `order` is a literal of the caller's.
  std::int64_t count(const Conditions& conditions);
  std::vector<Book> page(Conditions conditions, std::string_view order, std::int64_t skip, std::int64_t most);
  Facets facets(const BookFilter& filter, int most_values);

  // Nothing when another book has the ISBN.
  std::optional<BookId> insert(const BookRow& row, Timestamp now);
  enum class Change : std::uint8_t { done, absent, stale, duplicate_isbn };
  // Replaces what librarians edit, when the row still stands at `version`.
  Change update(BookId id, std::int64_t version, const BookRow& row, Timestamp now);
  enum class Removal : std::uint8_t { done, absent, on_loan, on_hold };
  // `copies`, when given, receives what the copies were.
  Removal erase(BookId id, Timestamp now, std::vector<ErasedCopy>* copies = nullptr);

  std::optional<BookId> find_by_isbn(std::string_view isbn13);
  std::optional<BookId> find_by_match_key(std::string_view key);

  // A deleted book is there again, with its tags and subjects; false when its ISBN is another's by now.
  bool put_back(BookId id, Timestamp now);

 private:
  void write_parts(BookId id, const NewBook& book);
  void erase_parts(BookId id);
  void lock_copies(BookId id);
  db::Transaction& tx_;
};

}  // namespace lumina::books
