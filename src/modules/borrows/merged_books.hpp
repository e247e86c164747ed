// What lending does when one book becomes part of another, inside that unit of work, and when that is undone.
//
// Copies, their loans, people's holds and what is owed go along; the line is one, in the order in which
// people asked. Undoing brings back the copies, whatever loans they have by then, and the holds that still
// wait.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/db/transaction.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/hold_model.hpp"

#include <string>
#include <vector>

namespace lumina::borrows {

class MergedBooks {
 public:
  // Both outlive it.
  MergedBooks(events::Journal& journal, const Clock& clock, HoldRules rules)
      : journal_(journal), clock_(clock), rules_(rules) {}

  // In the order of ids; before anything is read.
  void lock(db::Transaction& tx, const std::vector<BookId>& books) const;
  // Refused: on_loan_twice, when somebody has both books. Gives a note for back().
  Result<std::string> move(db::Transaction& tx, BookId from, BookId into, const Caller& by) const;
  void back(db::Transaction& tx, BookId from, BookId into, const std::string& note, const Caller& by) const;
  // A book that was deleted is there again: its counters and its line.
  void settle(db::Transaction& tx, BookId book, const Caller& by) const;

 private:
  events::Journal& journal_;
  const Clock& clock_;
  const HoldRules rules_;
};

}  // namespace lumina::borrows
