// The rules of the catalogue: what makes a book, who else has its ISBN, when it may go.
//
// Public functions are awaited on an io thread; each is one unit of work. Those that take a db::Transaction
// run inside somebody else's unit of work, on a database thread.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

struct BookRow;

class BookService {
 public:
  BookService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<Book>> find(BookId id);
  // Those that exist of an interval of ids, both ends included.
  Task<Result<std::vector<Book>>> between(BookId first, BookId last);
  // The next books after that id, in the order of ids: for walks over the whole catalogue.
  Task<Result<std::vector<Book>>> after(BookId id, int most);
  Result<std::vector<Book>> after_now(BookId id, int most);
  // Those that exist of the ids, in the order of the ids given.
  Task<Result<std::vector<Book>>> some(std::vector<BookId> ids);
  // The largest id there is; 0 without books.
  Task<Result<BookId>> newest();
  Task<Result<Page<Book>>> list(BookFilter filter, PageRequest page);
  // Blocking, for the command line.
  Result<Page<Book>> list_now(BookFilter filter, PageRequest page);
  Task<Result<Facets>> facets(BookFilter filter, int most_values);

  Task<Result<Book>> create(NewBook book, Caller by);
  Task<Result<Book>> replace(BookId id, NewBook book, Precondition seen, Caller by);
  Task<Result<Book>> change(BookId id, BookChanges changes, Precondition seen, Caller by);
  Task<Status> remove(BookId id, Precondition seen, Caller by);

  enum class Outcome : std::uint8_t { created, updated, unchanged };
  struct Upserted {
    Outcome outcome = Outcome::unchanged;
    BookId id;
  };
  // One record of an import: created, or merged into the book it matches; empty fields never erase what is
  // there. `bulk`: of a job that brings many, which subscribers may take their time for.
  Upserted upsert(db::Transaction& tx, const NewBook& book, const Caller& by, bool bulk = false);
  // The book that upsert would merge the record into.
  static std::optional<BookId> match(db::Transaction& tx, const NewBook& book);

 private:
  Result<Book> updated(db::Transaction& tx, const Book& now, const BookRow& row, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

// For other modules' units of work: the title, nothing when there is no such book.
std::optional<std::string> book_title(db::Transaction& tx, BookId id);
// What is shown as the book's summary; no edit of a librarian's, so the version stays. The caller writes the
// journal.
void set_book_summary(db::Transaction& tx, BookId id, const std::string& summary);

}  // namespace lumina::books
