#include "core/db/migrator.hpp"

namespace lumina::db {
namespace {
#include "migrations.inc"
}  // namespace

std::span<const Migration> migrations() { return all_migrations; }

}  // namespace lumina::db
