// SQL of the desk: who stands there, and which offline transactions were heard before.
//
// Also reads users, books, copies, loans, holds and branches. Absent is std::nullopt.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/borrows/desk_model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

class DeskRepository {
 public:
  explicit DeskRepository(db::Transaction& tx) : tx_(tx) {}

  struct Patron {
    UserId id;
    std::string full_name, email;
    bool active = true;
  };
  // By id, e-mail address or card number.
  std::optional<Patron> find_patron(std::string_view text);

  // A copy as a self-check machine sees it.
  struct Item {
    CopyId copy;
    BookId book;
    std::string title;
    CopyStatus stored = CopyStatus::available;  // without regard to the loan
    std::string branch_code;
    std::optional<BorrowId> loan;  // open
    std::optional<UserId> borrower;
    std::optional<Timestamp> due_date, pickup_until;
    std::int64_t waiting = 0;  // people in line for the book for whom no copy is kept yet
  };
  std::optional<Item> find_item(std::string_view barcode);
  struct Lent {
    BorrowId id;
    std::string barcode, title;
    Timestamp due_date;
  };
  // The open loans of a person, the first due first.
  std::vector<Lent> lent_to(UserId user);
  std::optional<BranchId> find_branch(std::string_view code);

  // False when a transaction of this id is known. The row is there from now on, for others too once this unit
  // of work is done; until then they wait.
  bool claim(const OfflineTransaction& transaction, UserId by, Timestamp now);
  void set_loan(std::string_view client_id, BorrowId loan);
  // A transaction that cannot be, told for the first time.
  void note_conflict(const OfflineTransaction& transaction, UserId by, Timestamp now, std::string_view code,
                     std::string_view detail);
  // What became of it when it was first told.
  std::optional<OfflineResult> known(std::string_view client_id);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
