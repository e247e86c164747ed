#include "core/auth/retention.hpp"

#include "core/audit/repository.hpp"
#include "core/auth/session_repository.hpp"

namespace lumina::auth {
namespace {

constexpr std::int64_t rows_at_once = 1000;

}  // namespace

Task<Result<std::int64_t>> forget_addresses(db::Database& database, Timestamp before) {
  auto sessions = [before](db::Transaction& tx) { return SessionRepository(tx).blank_addresses(before); };
  auto total = co_await database.write(std::move(sessions));
  while (total) {
    auto rows = [before](db::Transaction& tx) {
      return audit::AuditRepository(tx).blank_addresses(before, rows_at_once);
    };
    auto blanked = co_await database.write(std::move(rows));
    if (!blanked) co_return blanked;
    *total += *blanked;
    if (*blanked < rows_at_once) break;
  }
  co_return total;
}

}  // namespace lumina::auth
