// Holds: placing one, keeping one's place in line, giving it up, and the copies that wait for people.
//
// Public functions are awaited on an io thread; each is one unit of work. Every change settles the line of
// the book (hold_queue.hpp), so that a hold placed while a copy is free is ready at once and nobody waits in
// vain. Events: hold.placed, hold.ready, hold.suspended, hold.resumed, hold.waiting (the copy it had is
// gone), hold.moved, hold.updated, hold.cancelled, hold.expired, hold.fulfilled.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/model.hpp"
#include "modules/borrows/hold_model.hpp"

#include <functional>
#include <vector>

namespace lumina::borrows {

class ForecastService;
class HoldQueue;
class RuleBook;

class HoldService {
 public:
  // `rule_book` and `forecasts`, if any, outlive the service. Without rules nobody is limited; forecasts are
  // added to what is read.
  HoldService(db::Database& database, const Clock& clock, events::Journal& journal, HoldRules rules = {},
              RuleBook* rule_book = nullptr, ForecastService* forecasts = nullptr)
      : database_(database),
        clock_(clock),
        journal_(journal),
        rules_(rules),
        rule_book_(rule_book),
        forecasts_(forecasts) {}

  // Staff may name another person. Refused with hold_exists, or active_borrow_exists when the person has the
  // book; forbidden with hold_limit or holds_not_allowed by the rules.
  Task<Result<Hold>> place(BookId book, NewHold hold, Caller by);
  // In the line of every edition: the first copy of any of them ends the waiting for the others. Gives the
  // hold that is ready, or that of the edition with the shortest line. Refused with hold_exists or
  // active_borrow_exists when the person waits for an edition already or has one.
  Task<Result<Hold>> place_any(books::WorkId work, NewHold hold, Caller by);
  // One's own; staff may read and change anybody's. What has ended is refused with hold_ended; suspending
  // what is ready, with hold_ready.
  Task<Result<Hold>> find(HoldId id, Caller by);
  Task<Result<Hold>> change(HoldId id, HoldChanges changes, Caller by);
  Task<Result<Hold>> suspend(HoldId id, std::optional<Timestamp> until, Caller by);
  Task<Result<Hold>> resume(HoldId id, Caller by);
  Task<Result<Hold>> cancel(HoldId id, Caller by);
  Task<Result<Hold>> move(HoldId id, int position, Caller by);

  Task<Result<Page<Hold>>> own(UserId user, OwnHolds filter, PageRequest page);
  // One's own that have not ended, the oldest first.
  Task<Result<std::vector<Hold>>> open(UserId user);
  Task<Result<Page<Hold>>> all(HoldFilter filter, PageRequest page);
  // The open holds of a book, in line.
  Task<Result<std::vector<Hold>>> line(BookId book);

  // What time has done: copies not picked up go to the next, suspensions end, what is not wanted any more
  // ends; and what a process that died left between is mended. Gives the number of books touched. Safe at any
  // time and in several processes at once.
  Task<Result<std::int64_t>> settle_due();

 private:
  using Step = std::function<Status(db::Transaction&, HoldQueue&, const Hold&, Timestamp)>;
  Task<Result<Hold>> place_at_end(BookId book, NewHold hold, Caller by);
  Task<Result<Hold>> alter(HoldId id, Step step, Caller by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const HoldRules rules_;
  RuleBook* rule_book_;
  ForecastService* forecasts_;
};

}  // namespace lumina::borrows
