// The branches of the library: there is always one, the default, and none goes while something depends on it.
//
// Public functions are awaited on an io thread; each is one unit of work.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/branch_model.hpp"

#include <vector>

namespace lumina::borrows {

class BranchService {
 public:
  BranchService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<std::vector<Branch>>> list();
  Task<Result<Branch>> find(BranchId id);
  // Refused (duplicate_code) when another branch has the code.
  Task<Result<Branch>> create(NewBranch branch, Caller by);
  Task<Result<Branch>> change(BranchId id, BranchChanges changes, Caller by);
  // Refused for the default (default_branch) and while copies stand there or holds are picked up there
  // (branch_in_use).
  Task<Status> remove(BranchId id, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

}  // namespace lumina::borrows
