// What happens when the database fails: full disks, killed sessions, deadlocks.
#include "core/db/connection.hpp"
#include "core/db/database.hpp"
#include "core/runtime/block_on.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

#include <barrier>
#include <chrono>
#include <csignal>
#include <latch>
#include <signal.h>
#include <sys/resource.h>
#include <thread>

namespace lumina::db {
namespace {

using test::TestDatabase;

constexpr auto table = "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, s TEXT)";

std::int64_t number(Database& database, std::string sql) {
  auto work = [&](Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>(sql)); };
  const auto found = database.read_now(work);
  return found ? *found : -1;
}

// ---- SQLite -----------------------------------------------------------------------------------------------

struct Sqlite {
  TestDatabase fresh{test::Database::sqlite};
  Database database{(fresh.script(table), Options{.url = fresh.url()})};

  Status insert(std::int64_t id, std::size_t bytes) {
    auto work = [&](Transaction& tx) {
      tx.execute("INSERT INTO t (id, s) VALUES ($1, $2)", id, std::string(bytes, 'x'));
    };
    return database.write_now(work);
  }
  void limit_pages(std::int64_t pages) {
    auto work = [&](Transaction& tx) {
      tx.one<std::int64_t>("PRAGMA max_page_count = " + std::to_string(pages));
    };
    REQUIRE(database.write_now(work));
  }
};

TEST_CASE("a full disk refuses the write, keeps the rest, and works again when there is space") {
  Sqlite db;
  REQUIRE(db.insert(1, 100));
  db.limit_pages(20);
  const auto refused = db.insert(2, 200'000);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::storage_full);
  CHECK(refused.error().code == "storage_full");
  CHECK(number(db.database, "SELECT count(*) FROM t") == 1);
  CHECK(db.insert(3, 100));
  db.limit_pages(1'000'000);
  CHECK(db.insert(2, 200'000));
  CHECK(number(db.database, "SELECT count(*) FROM t") == 3);
}

TEST_CASE("in a group that fills the disk, what fits is kept and the others are told") {
  Sqlite db;
  db.limit_pages(40);
  std::latch entered(1), go(1);
  std::thread busy([&] {
    auto work = [&](Transaction&) {
      entered.count_down();
      go.wait();
    };
    (void)db.database.write_now(work);
  });
  entered.wait();
  constexpr int units = 20;
  std::vector<std::string> outcomes(units);
  std::vector<std::thread> callers;
  for (int i = 0; i < units; ++i)
    callers.emplace_back([&, i] {
      const auto done = db.insert(i, i % 2 == 0 ? 100 : 500'000);
      outcomes[static_cast<std::size_t>(i)] = done ? "done" : done.error().code;
    });
  while (db.database.statistics().waiting < units) std::this_thread::yield();
  go.count_down();
  busy.join();
  for (auto& caller : callers) caller.join();
  for (int i = 0; i < units; ++i)
    CHECK(outcomes[static_cast<std::size_t>(i)] == (i % 2 == 0 ? "done" : "storage_full"));
  CHECK(number(db.database, "SELECT count(*) FROM t") == units / 2);
  CHECK(number(db.database, "SELECT count(*) FROM t WHERE id % 2 = 1") == 0);
}

// Files of this process may not grow beyond some bytes, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*before_handler_)(int);
};

TEST_CASE("a write that the file system cuts short is refused and leaves the database whole") {
  Sqlite db;
  REQUIRE(db.insert(1, 100));
  Status refused;
  std::int64_t seen = 0;
  {
    const FileSizeLimit limit(300'000);
    refused = db.insert(2, 2'000'000);
    seen = number(db.database, "SELECT count(*) FROM t");
  }
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::storage_full);
  CHECK(seen == 1);
  CHECK(db.insert(2, 2'000'000));
  auto check = [](Transaction& tx) { return std::get<0>(*tx.one<std::string>("PRAGMA integrity_check")); };
  CHECK(db.database.read_now(check) == "ok");
}

// ---- PostgreSQL -------------------------------------------------------------------------------------------

struct Postgresql {
  TestDatabase fresh{test::Database::postgresql};
  std::unique_ptr<Database> owner;
  Database& database;

  explicit Postgresql(int pool = 1) : owner(open(fresh, pool)), database(*owner) {}

  static std::unique_ptr<Database> open(const TestDatabase& fresh, int pool) {
    fresh.script(std::string(table) +
                 "; CREATE FUNCTION raise(state text) RETURNS bigint LANGUAGE plpgsql AS "
                 "'BEGIN RAISE EXCEPTION USING ERRCODE = state; END'; ALTER DATABASE " +
                 fresh.name() + " SET deadlock_timeout = '20ms'");
    return std::make_unique<Database>(Options{.url = fresh.url(), .pool = pool});
  }
  std::int64_t session() { return number(database, "SELECT pg_backend_pid()"); }
  // From outside, as an administrator or a failing server would.
  void kill(std::int64_t session) {
    Connection admin(test::postgresql_server(), Connection::Access::write);
    Transaction tx(admin, false);
    tx.one<bool>("SELECT pg_terminate_backend($1::int)::int", session);
    while (std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int",
                                             session)) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // It leaves that list before its sockets are closed.
    while (::kill(static_cast<pid_t>(session), 0) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Status insert(std::int64_t id) {
    auto work = [id](Transaction& tx) { tx.execute("INSERT INTO t (id) VALUES ($1)", id); };
    return database.write_now(work);
  }
  bool works_again() {
    for (int i = 0; i < 200; ++i) {
      if (number(database, "SELECT 1") == 1) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
};

TEST_CASE("a serialization failure is tried again until it succeeds") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  const std::string state = GENERATE("40001", "40P01", "55P03");
  int runs = 0;
  auto work = [&](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    if (++runs < 4) tx.one<std::int64_t>("SELECT raise($1)", state);
    return runs;
  };
  CHECK(db.database.write_now(work) == 4);
  CHECK(db.database.statistics().retries == 3);
  CHECK(number(db.database, "SELECT count(*) FROM t") == 1);
}

TEST_CASE("what never stops conflicting is given up as busy") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  auto work = [](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    tx.one<std::int64_t>("SELECT raise('40001')");
    return 0;
  };
  const auto result = db.database.write_now(work);
  REQUIRE(!result);
  CHECK(result.error().kind == ErrorKind::unavailable);
  CHECK(result.error().code == "database_busy");
  CHECK(number(db.database, "SELECT count(*) FROM t") == 0);
}

TEST_CASE("two units that deadlock both succeed in the end") {
  if (!test::have_postgresql()) return;
  Postgresql db(4);
  REQUIRE(db.insert(1));
  REQUIRE(db.insert(2));
  auto zero = [](Transaction& tx) { tx.execute("UPDATE t SET n = 0"); };
  REQUIRE(db.database.write_now(zero));
  std::barrier both(2);
  const auto crossing = [&](int first, int second) {
    bool again = false;
    auto work = [&](Transaction& tx) {
      tx.execute("UPDATE t SET n = n + 1 WHERE id = $1", first);
      if (!std::exchange(again, true)) both.arrive_and_wait();
      tx.execute("UPDATE t SET n = n + 1 WHERE id = $1", second);
    };
    return db.database.write_now(work).has_value();
  };
  bool one = false, other = false;
  std::thread a([&] { one = crossing(1, 2); });
  std::thread b([&] { other = crossing(2, 1); });
  a.join();
  b.join();
  CHECK(one);
  CHECK(other);
  CHECK(db.database.statistics().retries >= 1);
  CHECK(number(db.database, "SELECT sum(n) FROM t") == 4);
}

TEST_CASE("a constraint that breaks once is looked at again; one that stays broken is a bug") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  int runs = 0;
  auto once = [&](Transaction& tx) -> int {
    if (++runs == 1) tx.one<std::int64_t>("SELECT raise('23514')");
    return runs;
  };
  CHECK(db.database.write_now(once) == 2);
  auto always = [&](Transaction& tx) -> std::int64_t {
    return std::get<0>(*tx.one<std::int64_t>("SELECT raise('23514')"));
  };
  CHECK_THROWS_AS(db.database.write_now(always), ConstraintViolation);
}

TEST_CASE("a session killed while idle is replaced without anybody noticing") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  REQUIRE(db.insert(1));
  const auto before = db.session();
  db.kill(before);
  SECTION("by a read") { CHECK(number(db.database, "SELECT count(*) FROM t") == 1); }
  SECTION("by a write, with its kept statement made anew") { CHECK(db.insert(2)); }
  CHECK(db.session() != before);
  CHECK(db.insert(3));
}

TEST_CASE("a unit whose session is killed half-way runs again and happens once") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  int runs = 0;
  auto work = [&](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    if (++runs == 1) tx.one<std::int64_t>("SELECT pg_terminate_backend(pg_backend_pid())::int");
    return runs;
  };
  CHECK(db.database.write_now(work) == 2);
  CHECK(number(db.database, "SELECT count(*) FROM t") == 1);
}

// One statement that commits by itself.
template <class F>
auto write_single(Database& database, F work) {
  return runtime::block_on(database.write(std::move(work), Atomicity::single));
}

TEST_CASE("a statement that commits by itself and whose answer is lost is not sent again") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  int runs = 0;
  auto work = [&](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES ((SELECT count(*) FROM t))");
    tx.one<std::int64_t>("SELECT pg_terminate_backend(pg_backend_pid())::int");
    return ++runs;
  };
  const auto result = write_single(db.database, work);
  REQUIRE(!result);
  CHECK(result.error().kind == ErrorKind::unavailable);
  CHECK(result.error().code == "outcome_unknown");
  CHECK(runs == 0);
  CHECK(number(db.database, "SELECT count(*) FROM t") == 1);
}

TEST_CASE("a commit whose answer is lost is told as what it is") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  // Ends its own session while it commits.
  db.fresh.script(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM "
      "pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'; "
      "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
      "EXECUTE FUNCTION die()");
  const auto result = db.insert(1);
  REQUIRE(!result);
  CHECK(result.error().code == "outcome_unknown");
}

TEST_CASE("a statement that commits by itself finds a session killed while idle, and happens once") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  int runs = 0;
  auto work = [&](Transaction& tx) -> int {
    ++runs;
    tx.execute("INSERT INTO t (id) VALUES ((SELECT count(*) FROM t))");
    return runs;
  };
  REQUIRE(write_single(db.database, work));
  const auto before = db.session();
  db.kill(before);
  CHECK(write_single(db.database, work));
  CHECK(runs == 2);
  CHECK(db.session() != before);
  CHECK(number(db.database, "SELECT count(*) FROM t") == 2);
}

TEST_CASE("a statement that commits by itself is repeated after a conflict, which took it back") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  int runs = 0;
  auto work = [&](Transaction& tx) -> int {
    if (++runs < 3) tx.one<std::int64_t>("SELECT raise('40P01')");
    tx.execute("INSERT INTO t (id) VALUES (1)");
    return runs;
  };
  CHECK(write_single(db.database, work) == 3);
  CHECK(number(db.database, "SELECT count(*) FROM t") == 1);
}

TEST_CASE("while PostgreSQL is away units are unavailable; when it is back they work") {
  if (!test::have_postgresql()) return;
  Postgresql db;
  auto work = [&](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    tx.one<std::int64_t>("SELECT pg_terminate_backend(pg_backend_pid())::int");
    return 0;
  };
  const auto result = db.database.write_now(work);
  REQUIRE(!result);
  CHECK(result.error().kind == ErrorKind::unavailable);
  CHECK(result.error().code == "database_unavailable");
  CHECK(result.error().retry_after_seconds > 0);
  REQUIRE(db.works_again());
  CHECK(number(db.database, "SELECT count(*) FROM t") == 0);
  CHECK(db.insert(1));
}

TEST_CASE("what takes too long on PostgreSQL is not done a second time, and the session goes on") {
  if (!test::have_postgresql()) return;
  TestDatabase fresh(test::Database::postgresql);
  fresh.script(table);
  Database database({.url = fresh.url(), .pool = 1});
  int runs = 0;
  auto slow = [&](Transaction& tx) {
    ++runs;
    tx.execute("SET LOCAL statement_timeout = '20ms'");
    tx.one<std::int64_t>("SELECT 1 FROM (SELECT pg_sleep(5)) s");
  };
  const auto refused = database.write_now(slow);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::unavailable);
  CHECK(refused.error().code == "database_slow");
  CHECK(runs == 1);
  CHECK(number(database, "SELECT count(*) FROM t") == 0);
  CHECK(database.statistics().retries == 0);
}

}  // namespace
}  // namespace lumina::db
