// SQL of branches. Absent is std::nullopt; a code that is taken is an absent row, not an exception.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/borrows/branch_model.hpp"

#include <optional>
#include <vector>

namespace lumina::borrows {

class BranchRepository {
 public:
  explicit BranchRepository(db::Transaction& tx) : tx_(tx) {}

  // The default first, then by name.
  std::vector<Branch> list();
  std::optional<Branch> find(BranchId id);
  BranchId default_branch();
  // Nothing when another branch has the code.
  std::optional<BranchId> insert(const NewBranch& branch, Timestamp now);
  // False when another branch has the code.
  bool update(const Branch& branch, Timestamp now);
  void make_default(BranchId id, Timestamp now);
  // Whether copies stand there or open holds are picked up there. On PostgreSQL the branch is locked first,
  // and those who name a branch lock it too, so that the answer stays true.
  bool in_use(BranchId id);
  void erase(BranchId id, Timestamp now);

  // Nothing when there is no such branch. On PostgreSQL it stays until the end of a writing transaction.
  std::optional<BranchId> keep(BranchId id);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
