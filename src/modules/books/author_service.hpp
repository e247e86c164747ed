// The rules of authorities: a name is one author's; a new name goes to the titles; search knows every name.
//
// Public functions are awaited on an io thread; each is one unit of work. Changing an author's names touches
// every title under them: a history entry and an event each.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/author_model.hpp"
#include "modules/books/model.hpp"

namespace lumina::books {

class AuthorService {
 public:
  AuthorService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<Page<Author>>> list(AuthorFilter filter, PageRequest page);
  Task<Result<Author>> find(AuthorId id);
  // Titles under any of the names, in the order of their titles.
  Task<Result<Page<Book>>> titles(AuthorId id, PageRequest page);
  // Refused: name_taken.
  Task<Result<Author>> create(NewAuthor author, Caller by);
  // The old name becomes a variant. Refused: name_taken.
  Task<Result<Author>> change(AuthorId id, AuthorChanges changes, Precondition seen, Caller by);
  // The titles keep the name that they have.
  Task<Status> remove(AuthorId id, Precondition seen, Caller by);

 private:
  Status name(db::Transaction& tx, AuthorId id, const std::string& name,
              const std::vector<std::string>& variants);
  void rename(db::Transaction& tx, BookId title, const std::string& name, const Caller& by);
  void touch(db::Transaction& tx, const std::vector<BookId>& titles, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

}  // namespace lumina::books
