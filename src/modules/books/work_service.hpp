// Grouping editions into works. A book is an edition of one work at most.
//
// Public functions are awaited on an io thread; each is one unit of work.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/work_model.hpp"

#include <vector>

namespace lumina::books {

class WorkService {
 public:
  WorkService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<Work>> find(WorkId id);
  // The other editions of a book's work; none without a work.
  Task<Result<std::vector<Book>>> other_editions(BookId book);
  // Refused: in_another_work.
  Task<Result<Work>> create(NewWork work, Caller by);
  Task<Result<Work>> add(WorkId id, BookId book, Caller by);
  Task<Status> remove(WorkId id, BookId book, Caller by);

  // In somebody's unit of work: two books become editions of one work, unless both have one.
  void unite(db::Transaction& tx, BookId first, BookId second, const Caller& by);

 private:
  WorkId insert(db::Transaction& tx, std::string_view title, std::string_view author);
  Status join(db::Transaction& tx, WorkId id, BookId book, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

}  // namespace lumina::books
