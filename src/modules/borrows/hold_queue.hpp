// A book's line of people, inside somebody's unit of work: who gets a copy that is free, and what the
// counters say then.
//
// Every change of a line, or of what copies a book has, is: lock the line, make the change, settle. settle()
// brings the book to the one state its copies and holds allow: nobody waits while a copy is free, a copy is
// kept for one person at most, and the counters equal a recount.
//
// On PostgreSQL the line is locked by the book's copies, in order of id, and then its counters: the order in
// which loans and returns, which are single statements, lock the few that they touch. A return that meets
// people in line sets its copy aside and settles in a transaction of its own; if the process dies between,
// settle_due() finds the copy. SQLite writes one unit of work after the other and needs no lock.
#pragma once
#include "core/base/caller.hpp"
#include "core/db/transaction.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/hold_model.hpp"
#include "modules/borrows/hold_repository.hpp"

namespace lumina::borrows {

class HoldQueue {
 public:
  // `by` is whose deed it is in the journal. All references outlive the queue.
  HoldQueue(db::Transaction& tx, events::Journal& journal, const HoldRules& rules, Timestamp now,
            const Caller& by)
      : tx_(tx), holds_(tx), journal_(journal), rules_(rules), now_(now), by_(by) {}

  // False when there is no such book. First of all; nothing read before it counts.
  bool lock(BookId book);
  // Holds of people who have the book by now are fulfilled, those of people who are gone cancelled,
  // suspensions that are over end, free copies go to the first in line, and the counters are counted again.
  void settle(BookId book);

  // Ends a hold; settle afterwards.
  void end(const Hold& hold, HoldStatus how);
  // Before the person's own loan: the copy that is kept for them is free to be lent, and counted so.
  void release(BookId book, CopyId kept);
  // A copy has come back from its loan, or was found: whatever kept it out of circulation is over. Settles.
  void came_back(BookId book, CopyId copy);
  // What is over by now is ended or goes on; settles.
  void expire(BookId book);

  void tell(std::string_view type, HoldId id, UserId user, BookId book, std::string payload = "{}");

 private:
  // One wish for any edition of a work has come true, or ends: it waits for no other edition.
  void supersede(HoldId id);
  // Until when this copy is kept for whoever is next.
  Timestamp pickup_until(const HoldRepository::Next& next, CopyId copy);

  db::Transaction& tx_;
  HoldRepository holds_;
  events::Journal& journal_;
  const HoldRules& rules_;
  const Timestamp now_;
  const Caller& by_;
};

}  // namespace lumina::borrows
