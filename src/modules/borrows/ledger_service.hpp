// Fines, payments, accounts and blocks.
//
// Public functions are awaited on an io thread; each is one unit of work, journalled ("fine.", "block.").
// Borrowing looks at debts and blocks in its own transaction, so a payment opens the desk again at once.
// There is no payment provider: people see what they owe, staff take the money and record it.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/ledger_model.hpp"
#include "modules/borrows/rule_book.hpp"

#include <atomic>
#include <string>
#include <vector>

namespace lumina::borrows {

class LedgerService {
 public:
  // `currency`: ISO 4217, shown beside every amount.
  LedgerService(db::Database& database, const Clock& clock, events::Journal& journal, RuleBook& rules,
                std::string currency);

  // One's own; staff may name somebody.
  Task<Result<Page<Fine>>> fines(FineFilter filter, PageRequest page, Caller by);
  Task<Result<Fine>> find(FineId id, Caller by);
  Task<Result<Fine>> charge(NewFine fine, Caller by);
  Task<Result<Fine>> pay(FineId id, Payment payment, Caller by);
  // A payment that a machine took: for one fine, or for what is owed, the oldest first. Refused with overpaid
  // when more was paid than is owed. `receipt`, when not empty, is the payment's own name: told again, it
  // changes nothing. Gives what is owed after it.
  Task<Result<std::int64_t>> pay_off(UserId user, std::int64_t amount_minor, std::optional<FineId> one,
                                     std::string receipt, Caller by);
  Task<Result<Fine>> waive(FineId id, Waiver waiver, Caller by);
  Task<Result<Account>> account(UserId user);

  Task<Result<std::vector<Block>>> blocks(UserId user);
  Task<Result<Block>> block(UserId user, NewBlock block, Caller by);
  // All of staff's blocks of this person, or one.
  Task<Status> lift(UserId user, std::optional<BlockId> one, Caller by);

  // The daily job: charges open loans for the days they are late so far, and lost copies; gives the number of
  // charges. Safe to run at any time and in several processes at once.
  Task<Result<std::int64_t>> accrue();
  // Charges lost copies, when a copy's state changed since the last call.
  Task<Result<std::int64_t>> bill_lost_copies();

 private:
  Task<Result<Fine>> settle(FineId id, LineKind kind, std::optional<std::int64_t> amount,
                            std::optional<std::string> note, Caller by);
  std::vector<Block> blocks_of(db::Transaction& tx, UserId user);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  RuleBook& rules_;
  const std::string currency_;
  std::atomic<bool> copies_changed_{true};
};

}  // namespace lumina::borrows
