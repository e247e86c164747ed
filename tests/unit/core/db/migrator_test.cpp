#include "core/db/migrator.hpp"

#include "core/db/connection.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <sqlite3.h>
#include <thread>

namespace lumina::db {
namespace {

using test::from_databases;
using test::TestDatabase;

std::vector<int> all_versions() {
  std::vector<int> versions;
  for (const Migration& m : migrations()) versions.push_back(m.version);
  return versions;
}

std::int64_t number(const TestDatabase& fresh, std::string_view sql) {
  Connection connection(fresh.url(), Connection::Access::write);
  return std::get<0>(*Transaction(connection, false).one<std::int64_t>(sql));
}

bool has_table(const TestDatabase& fresh, const std::string& table) {
  const std::string sql =
      fresh.postgresql()
          ? "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = '" + table + "'"
          : "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '" + table + "'";
  return number(fresh, sql) == 1;
}

TEST_CASE("an empty database gets every migration, in order, once", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  for (const auto& status : migration_status(fresh.url())) CHECK(!status.applied);
  CHECK(migrate(fresh.url()) == all_versions());
  CHECK(migrate(fresh.url()).empty());
  for (const auto& status : migration_status(fresh.url())) CHECK(status.applied);
  CHECK(has_table(fresh, "borrows"));
}

TEST_CASE("servers that start at once migrate once", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  std::mutex mutex;
  std::vector<int> applied;
  std::vector<std::string> failures;
  std::vector<std::thread> servers;
  for (int i = 0; i < 6; ++i)
    servers.emplace_back([&] {
      try {
        const auto mine = migrate(fresh.url());
        const std::lock_guard lock(mutex);
        applied.insert(applied.end(), mine.begin(), mine.end());
      } catch (const std::exception& e) {
        const std::lock_guard lock(mutex);
        failures.emplace_back(e.what());
      }
    });
  for (auto& server : servers) server.join();
  CHECK(failures == std::vector<std::string>{});
  std::sort(applied.begin(), applied.end());
  CHECK(applied == all_versions());
}

// SQLite says BUSY at once, whatever the busy timeout, to who would write and has read already.
TEST_CASE("a connection waits for another program that is making the file", "[K7]") {
  TestDatabase fresh(test::Database::sqlite);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open((fresh.folder() / "luminalib.db").c_str(), &other) == SQLITE_OK);
  const auto run = [other](const char* sql) { return sqlite3_exec(other, sql, nullptr, nullptr, nullptr); };
  REQUIRE(run("CREATE TABLE t (n BIGINT); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)") == SQLITE_OK);
  std::thread ending([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(run("COMMIT") == SQLITE_OK);
    sqlite3_close(other);
  });
  CHECK_NOTHROW(Connection(fresh.url(), Connection::Access::write));
  ending.join();
  CHECK(number(fresh, "SELECT n FROM t") == 1);
}

TEST_CASE("a migration that breaks half-way leaves nothing behind and succeeds later", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  CHECK(migrate(fresh.url(), 1) == std::vector{1});
  fresh.script("CREATE TABLE book_stats (in_the_way BIGINT)");  // the second makes books before it meets this
  CHECK_THROWS_AS(migrate(fresh.url()), StatementError);
  CHECK(!has_table(fresh, "books"));
  CHECK(number(fresh, "SELECT max(version) FROM schema_migrations") == 1);
  fresh.script("DROP TABLE book_stats");
  auto rest = all_versions();
  rest.erase(rest.begin());
  CHECK(migrate(fresh.url()) == rest);
}

TEST_CASE("an older schema is brought up to date with what is in it", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  migrate(fresh.url(), 1);
  fresh.script(
      "INSERT INTO users (email, email_key, password_hash, full_name, name_key, created_at, updated_at) "
      "VALUES ('a@example.org', 'a@example.org', 'x', 'A', 'a', 0, 0)");
  migrate(fresh.url());
  CHECK(number(fresh, "SELECT count(*) FROM users") == 1);
}

TEST_CASE("a database of a newer release is refused, and says so", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  migrate(fresh.url());
  fresh.script("INSERT INTO schema_migrations VALUES (9999, 'from_the_future', 'x', 0)");
  CHECK_THROWS_AS(migrate(fresh.url()), MigrationRefused);
  CHECK_THROWS_WITH(migration_status(fresh.url()),
                    Catch::Contains("9999") && Catch::Contains("from_the_future"));
}

TEST_CASE("a migration edited after it ran is refused", "[K7]") {
  TestDatabase fresh(GENERATE(from_databases()));
  migrate(fresh.url());
  fresh.script("UPDATE schema_migrations SET fingerprint = 'other' WHERE version = 2");
  CHECK_THROWS_WITH(migrate(fresh.url()), Catch::Contains("migration 2"));
}

TEST_CASE("the versions of the migrations rise by one", "[K7]") {
  int expected = 1;
  for (const Migration& m : migrations()) {
    CHECK(m.version == expected++);
    CHECK(!m.sqlite.empty());
    CHECK(!m.postgresql.empty());
  }
}

}  // namespace
}  // namespace lumina::db
