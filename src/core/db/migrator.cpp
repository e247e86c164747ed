#include "core/db/migrator.hpp"

#include "core/base/clock.hpp"
#include "core/db/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace lumina::db {
namespace {

constexpr auto history_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "fingerprint TEXT NOT NULL, applied_at BIGINT NOT NULL)";
constexpr auto advisory_lock = "SELECT pg_advisory_lock(7310301)";
constexpr auto advisory_unlock = "SELECT pg_advisory_unlock(7310301)";

// FNV-1a: enough to notice an edit, never a question of security.
std::string fingerprint(std::string_view text) {
  std::uint64_t h = 14695981039346656037ULL;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", h);
}

struct Applied {
  std::string name, print;
};

std::map<int, Applied> history(Connection& connection) {
  Transaction tx(connection, false);
  std::map<int, Applied> rows;
  tx.each<int, std::string, std::string>(
      [&](int version, std::string name, std::string print) {
        rows[version] = {std::move(name), std::move(print)};
      },
      "SELECT version, name, fingerprint FROM schema_migrations ORDER BY version");
  return rows;
}

void refuse_foreign(const std::map<int, Applied>& rows, Dialect dialect, std::span<const Migration> ours) {
  for (const auto& [version, row] : rows) {
    const auto known =
        std::find_if(ours.begin(), ours.end(), [v = version](const Migration& m) { return m.version == v; });
    if (known == ours.end())
      throw MigrationRefused(
          fmt::format("the database has schema version {} ({}), which this program does not know: it is "
                      "older than the database; "
                      "install the newer release again",
                      version, row.name));
    const auto& text = dialect == Dialect::sqlite ? known->sqlite : known->postgresql;
    if (fingerprint(text) != row.print)
      throw MigrationRefused(
          fmt::format("migration {} ({}) differs from the one that made this database", version, row.name));
  }
}

bool apply_next(Connection& connection, int upto, std::span<const Migration> ours, std::vector<int>& done) {
  connection.begin();
  try {
    const auto rows = history(connection);
    refuse_foreign(rows, connection.dialect(), ours);
    for (const Migration& m : ours) {
      if (m.version > upto || rows.contains(m.version)) continue;
      const auto text = connection.dialect() == Dialect::sqlite ? m.sqlite : m.postgresql;
      connection.script(std::string(text));
      Transaction tx(connection, true);
      tx.execute(
          "INSERT INTO schema_migrations (version, name, fingerprint, applied_at) VALUES ($1, $2, $3, $4)",
          m.version, m.name, fingerprint(text), SystemClock().now());
      connection.commit();
      done.push_back(m.version);
      return true;
    }
    connection.rollback();
    return false;
  } catch (...) {
    connection.rollback();
    throw;
  }
}

}  // namespace

std::vector<int> migrate(const std::string& url, int upto, std::span<const Migration> ours) {
  Connection connection(url, Connection::Access::write);
  std::vector<int> done;
  const bool postgresql = connection.dialect() == Dialect::postgresql;
  if (postgresql) {
    connection.script("SET lock_timeout = 0; SET statement_timeout = 0");
    connection.script(advisory_lock);
  }
  connection.script(history_table);
  while (apply_next(connection, upto, ours, done)) {
  }
  if (postgresql) connection.script(advisory_unlock);
  return done;
}

bool schema_is_current(Transaction& tx) {
  const auto ours = migrations();
  const int last = ours.empty() ? 0 : ours.back().version;
  const auto applied =
      tx.one<std::int64_t>("SELECT count(*) FROM schema_migrations WHERE version <= $1", last);
  return applied && std::get<0>(*applied) == static_cast<std::int64_t>(ours.size());
}

std::vector<MigrationStatus> migration_status(const std::string& url) {
  Connection connection(url, Connection::Access::write);
  connection.script(history_table);
  const auto rows = history(connection);
  refuse_foreign(rows, connection.dialect(), migrations());
  std::vector<MigrationStatus> all;
  for (const Migration& m : migrations())
    all.push_back({m.version, std::string(m.name), rows.contains(m.version)});
  return all;
}

}  // namespace lumina::db
