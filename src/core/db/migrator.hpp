// Brings a database to the schema of this binary, once, whoever else is starting.
//
// Each migration runs in one transaction with its row in schema_migrations, so a killed one leaves nothing
// behind. Two starts at once: one migrates, the other waits (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory
// lock). A database newer than the binary, or a migration that was edited after it ran, is refused. Blocking;
// at start only.
#pragma once
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::db {

class Transaction;

struct Migration {
  int version;
  std::string_view name;
  std::string_view sqlite, postgresql;
};

struct MigrationStatus {
  int version = 0;
  std::string name;
  bool applied = false;
};

// The database is newer than this binary, or its history is not ours.
struct MigrationRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The pairs of files under sql/.
std::span<const Migration> migrations();
// Applies what is missing; gives the versions that were applied. `upto` stops earlier (for tests of
// upgrades). `ours`: those and the ones of modules that come from elsewhere, by version.
std::vector<int> migrate(const std::string& url, int upto = INT32_MAX,
                         std::span<const Migration> ours = migrations());
std::vector<MigrationStatus> migration_status(const std::string& url);
// Whether the database of this transaction has every migration of the program. One that a later release has
// taken further counts: its instances and ours serve side by side while they are exchanged.
bool schema_is_current(Transaction& tx);

}  // namespace lumina::db
