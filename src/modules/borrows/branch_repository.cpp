#include "modules/borrows/branch_repository.hpp"

#include "core/db/columns.hpp"

namespace lumina::borrows {
namespace {

const db::Columns<Branch> branch_columns{{"n.id", &Branch::id},
                                         {"n.code", &Branch::code},
                                         {"n.name", &Branch::name},
                                         {"n.address", &Branch::address},
                                         {"n.is_default", &Branch::is_default},
                                         {"n.created_at", &Branch::created_at},
                                         {"n.updated_at", &Branch::updated_at}};

}  // namespace

std::vector<Branch> BranchRepository::list() {
  static const std::string sql =
      "SELECT " + branch_columns.list() +
      " FROM branches n WHERE n.deleted_at IS NULL ORDER BY n.is_default DESC, n.name, n.id";
  return tx_.list(branch_columns, sql);
}

std::optional<Branch> BranchRepository::find(BranchId id) {
  static const std::string sql =
      "SELECT " + branch_columns.list() + " FROM branches n WHERE n.id = $1 AND n.deleted_at IS NULL";
  return tx_.find(branch_columns, sql, id);
}

BranchId BranchRepository::default_branch() {
  return std::get<0>(*tx_.one<BranchId>("SELECT id FROM branches WHERE is_default = 1"));
}

std::optional<BranchId> BranchRepository::insert(const NewBranch& branch, Timestamp now) {
  const auto row = tx_.one<BranchId>(
      "INSERT INTO branches (code, name, address, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) "
      "ON CONFLICT (code) WHERE deleted_at IS NULL DO NOTHING RETURNING id",
      branch.code, branch.name, branch.address, now);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

bool BranchRepository::update(const Branch& branch, Timestamp now) {
  const auto holder =
      tx_.one<BranchId>("SELECT id FROM branches WHERE code = $1 AND deleted_at IS NULL", branch.code);
  if (holder && std::get<0>(*holder) != branch.id) return false;
  tx_.execute("UPDATE branches SET code = $2, name = $3, address = $4, updated_at = $5 WHERE id = $1",
              branch.id, branch.code, branch.name, branch.address, now);
  return true;
}

void BranchRepository::make_default(BranchId id, Timestamp now) {
  tx_.execute("UPDATE branches SET is_default = 0, updated_at = $1 WHERE is_default = 1", now);
  tx_.execute("UPDATE branches SET is_default = 1, updated_at = $2 WHERE id = $1", id, now);
}

bool BranchRepository::in_use(BranchId id) {
  if (tx_.postgresql()) tx_.one<BranchId>("SELECT id FROM branches WHERE id = $1 FOR UPDATE", id);
  return tx_.one<std::int64_t>("SELECT id FROM copies WHERE branch_id = $1 AND status <> 'withdrawn' LIMIT 1",
                               id) ||
         tx_.one<std::int64_t>(
             "SELECT id FROM holds WHERE pickup_branch_id = $1 AND ended_at IS NULL LIMIT 1", id);
}

void BranchRepository::erase(BranchId id, Timestamp now) {
  tx_.execute("UPDATE branches SET deleted_at = $2, updated_at = $2 WHERE id = $1", id, now);
}

std::optional<BranchId> BranchRepository::keep(BranchId id) {
  const bool lock = tx_.postgresql() && tx_.writable();
  const auto row =
      lock ? tx_.one<BranchId>("SELECT id FROM branches WHERE id = $1 AND deleted_at IS NULL FOR SHARE", id)
           : tx_.one<BranchId>("SELECT id FROM branches WHERE id = $1 AND deleted_at IS NULL", id);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

}  // namespace lumina::borrows
