#include "modules/borrows/branch_service.hpp"

#include "modules/borrows/branch_repository.hpp"

namespace lumina::borrows {
namespace {

constexpr auto no_such_branch = "Branch not found";

Failure duplicate_code() {
  return fail(ErrorKind::refused, "duplicate_code", "Another branch has this code");
}

events::Change about(std::string_view type, BranchId id) {
  return {.type = type, .resource = "branch", .resource_id = id.value};
}

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

}  // namespace

Task<Result<std::vector<Branch>>> BranchService::list() {
  auto work = [](db::Transaction& tx) -> Result<std::vector<Branch>> { return BranchRepository(tx).list(); };
  return database_.read(std::move(work));
}

Task<Result<Branch>> BranchService::find(BranchId id) {
  auto work = [id](db::Transaction& tx) -> Result<Branch> {
    if (auto branch = BranchRepository(tx).find(id)) return std::move(*branch);
    return not_found(no_such_branch);
  };
  return database_.read(std::move(work));
}

Task<Result<Branch>> BranchService::create(NewBranch branch, Caller by) {
  auto work = [this, branch = std::move(branch), by = std::move(by)](db::Transaction& tx) -> Result<Branch> {
    BranchRepository branches(tx);
    const auto id = branches.insert(branch, clock_.now());
    if (!id) return duplicate_code();
    journal_.record(tx, by, about("branch.created", *id));
    return *branches.find(*id);
  };
  return database_.write(std::move(work));
}

Task<Result<Branch>> BranchService::change(BranchId id, BranchChanges changes, Caller by) {
  using State = schema::Patch<std::string>::State;
  std::vector<FieldError> faults;
  if (changes.code.state == State::null) faults.push_back({{"body", "code"}, "must not be null", "type"});
  if (changes.name.state == State::null) faults.push_back({{"body", "name"}, "must not be null", "type"});
  if (changes.is_default.mentioned() && !changes.is_default.value)
    faults.push_back({{"body", "is_default"}, "can be given to another branch, not taken away", "value"});
  if (!faults.empty()) return ready<Branch>(invalid(std::move(faults)));
  auto work = [this, id, changes = std::move(changes),
               by = std::move(by)](db::Transaction& tx) -> Result<Branch> {
    BranchRepository branches(tx);
    if (!branches.keep(id)) return not_found(no_such_branch);
    auto branch = *branches.find(id);
    changes.code.apply(branch.code);
    changes.name.apply(branch.name);
    changes.address.apply(branch.address);
    const Timestamp now = clock_.now();
    if (!branches.update(branch, now)) return duplicate_code();
    if (changes.is_default.mentioned() && !branch.is_default) branches.make_default(id, now);
    journal_.record(tx, by, about("branch.updated", id));
    return *branches.find(id);
  };
  return database_.write(std::move(work));
}

Task<Status> BranchService::remove(BranchId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    BranchRepository branches(tx);
    const bool used = branches.in_use(id);
    const auto branch = branches.find(id);
    if (!branch) return not_found(no_such_branch);
    if (branch->is_default)
      return fail(ErrorKind::refused, "default_branch",
                  "The default branch cannot go; make another one the default first");
    if (used)
      return fail(ErrorKind::refused, "branch_in_use",
                  "Copies stand in this branch, or holds are picked up there");
    branches.erase(id, clock_.now());
    journal_.record(tx, by, about("branch.deleted", id));
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::borrows
