// Copies: what the library owns of a book, where it stands and what became of it.
//
// Public functions are awaited on an io thread; each is one unit of work. Every change settles the line of
// the book (hold_queue.hpp): a copy that becomes free goes to whoever waits for it, and the counters stay
// exact.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/hold_model.hpp"

#include <vector>

namespace lumina::borrows {

class CopyService {
 public:
  CopyService(db::Database& database, const Clock& clock, events::Journal& journal, HoldRules rules = {})
      : database_(database), clock_(clock), journal_(journal), rules_(rules) {}

  Task<Result<std::vector<Copy>>> of_book(BookId book);
  Task<Result<Page<Copy>>> list(CopyFilter filter, PageRequest page);
  Task<Result<Copy>> find(CopyId id);

  // Refused (duplicate_barcode) when another copy has the barcode.
  Task<Result<Copy>> add(BookId book, NewCopy copy, Caller by);
  Task<Result<Copy>> change(CopyId id, CopyChanges changes, Caller by);
  // Refused with on_loan, on_hold or bad_transition. Tells copy.lost, copy.damaged, ...; whoever waited for
  // the copy is back in line.
  Task<Result<Copy>> set_status(CopyId id, CopyStatusChange change, Caller by);
  // Only what was never lent; the rest can be withdrawn.
  Task<Status> remove(CopyId id, Caller by);

 private:
  Result<bool> move(db::Transaction& tx, const Copy& copy, std::string_view wanted,
                    const std::optional<std::string>& note, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const HoldRules rules_;
};

}  // namespace lumina::borrows
