// SQL of copies. Absent is std::nullopt; a barcode that is taken is an absent row, not an exception.
//
// Also reads borrows and holds. Whoever changes copies holds the line of the book (HoldQueue::lock) and
// settles it.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/borrows/copy_model.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace lumina::borrows {

class CopyRepository {
 public:
  explicit CopyRepository(db::Transaction& tx) : tx_(tx) {}

  std::vector<Copy> of_book(BookId book);
  // By id.
  struct Listing {
    std::vector<Copy> copies;
    std::optional<std::string> next_cursor;
    bool bad_cursor = false;
  };
  Listing list(const CopyFilter& filter, const PageRequest& page);
  std::int64_t count(const CopyFilter& filter);
  // Of books that are there.
  std::optional<Copy> find(CopyId id);
  std::optional<Copy> find_by_barcode(std::string_view barcode);

  // How a copy stands: `stored` without regard to the open loan, which is given beside it.
  struct State {
    CopyStatus stored = CopyStatus::available;
    std::optional<BorrowId> loan;
    std::optional<UserId> borrower;
  };
  std::optional<State> state(CopyId id);

  int number_of(BookId book);  // copies, withdrawn ones too
  // Nothing when the barcode is taken.
  std::optional<CopyId> insert(BookId book, std::string_view barcode, BranchId branch, const NewCopy& copy,
                               Timestamp now);
  // All but the status. False when another copy has the barcode.
  bool update(const Copy& copy, Timestamp now);
  void set_status(CopyId id, CopyStatus status, Timestamp now);
  // False when it was ever lent; then it can only be withdrawn.
  bool erase(CopyId id);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
