// Charging loans inside somebody else's unit of work: what a late or lost copy costs, as its rules said when
// it was lent.
#pragma once
#include "core/base/caller.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/ledger_repository.hpp"
#include "modules/borrows/rule_book.hpp"

namespace lumina::borrows {

// Brings the overdue fine of this loan to what it is at `until`, by a line of the difference; gives the
// difference. What was charged never shrinks by itself, also when the calendar changes: staff waive.
std::int64_t charge_overdue(db::Transaction& tx, events::Journal& journal, const Caller& by,
                            const RuleBook::Snapshot& rules, const LedgerRepository::LateLoan& loan,
                            Timestamp until);
// The price of a lost copy, once a loan; gives what was charged.
std::int64_t charge_lost(db::Transaction& tx, events::Journal& journal, const Caller& by,
                         const RuleBook::Snapshot& rules, const LedgerRepository::LateLoan& loan,
                         Timestamp now);
// For the unit of work that takes a loan back: its last overdue fine, and the credit of what is still owed
// for a copy that was lost and has come back.
void settle_return(db::Transaction& tx, events::Journal& journal, const Caller& by,
                   const RuleBook::Snapshot& rules, BorrowId loan, Timestamp now);

}  // namespace lumina::borrows
