// SQL of fines, ledger lines and staff's blocks.
//
// A payment races nobody: the condition of its UPDATE, and a constraint behind it, keep what is settled at
// most what was charged. Also reads borrows, copies, books and users.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/borrows/ledger_model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

class LedgerRepository {
 public:
  explicit LedgerRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Fine> find(FineId id);
  Page<Fine> list(UserId user, std::optional<FineStatus> status, const PageRequest& page);
  FineId insert(const NewFine& fine, std::optional<BookId> book, std::optional<UserId> by, Timestamp now);
  // What somebody owes something for, the oldest first; on PostgreSQL nobody else settles these meanwhile.
  std::vector<Fine> hold_owed(UserId user);
  // Whether a payment of this person has this note.
  bool knows_payment(UserId user, std::string_view note);
  // Settles part of a fine; false when less is owed by now.
  bool settle(const Fine& fine, LineKind kind, std::int64_t amount, const std::optional<std::string>& note,
              std::optional<UserId> by, Timestamp now);

  struct LateLoan {
    BorrowId id;
    UserId user;
    BookId book;
    CopyId copy;
    Timestamp due_date;
    std::int64_t rule_version = 0;
    std::optional<std::string> category;
  };
  // Nothing for a loan whose history was cut.
  std::optional<LateLoan> loan(BorrowId id);
  // Open loans made under rules that were due before `now`, by due date, after this one.
  std::vector<LateLoan> late_loans(Timestamp now, Timestamp after_due, BorrowId after, int most);
  // Open loans made under rules whose copies are lost and not yet charged, by id.
  std::vector<LateLoan> lost_loans(BorrowId after, int most);
  // Raises what this loan is charged for this to `amount`, by a line of the difference; gives the difference,
  // 0 when it is charged as much already.
  std::int64_t charge_up_to(const LateLoan& loan, FineKind kind, std::int64_t amount, Timestamp now);
  std::optional<Fine> fine_of_loan(BorrowId loan, FineKind kind);

  std::int64_t balance(UserId user);
  std::vector<LedgerLine> lines(UserId user, int most);

  std::vector<Block> blocks(UserId user);
  BlockId insert_block(UserId user, const std::string& reason, std::optional<UserId> by, Timestamp now);
  std::optional<Block> find_block(BlockId id);
  // All of the person's, or one; gives the lifted ones.
  std::vector<BlockId> lift_blocks(UserId user, std::optional<BlockId> one, std::optional<UserId> by,
                                   Timestamp now);

 private:
  void add_line(UserId user, FineId fine, LineKind kind, std::int64_t amount,
                const std::optional<std::string>& note, std::optional<UserId> by, Timestamp now);
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
