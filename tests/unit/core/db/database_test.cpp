#include "core/db/database.hpp"

#include "core/db/connection.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <latch>
#include <mutex>
#include <thread>

namespace lumina::db {
namespace {

using test::from_databases;
using test::TestDatabase;

struct Oops : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Library {
  TestDatabase fresh;
  Database database;

  explicit Library(test::Database kind, std::size_t queue = 4096, int pool = 8)
      : fresh(kind), database((prepare(fresh), Options{.url = fresh.url(), .pool = pool, .queue = queue})) {}

  static void prepare(const TestDatabase& fresh) {
    fresh.script("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)");
  }

  std::int64_t number(std::string sql) {
    auto work = [&](Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>(sql)); };
    return *database.read_now(work);
  }
  Status insert(std::int64_t id) {
    auto work = [id](Transaction& tx) { tx.execute("INSERT INTO t (id) VALUES ($1)", id); };
    return database.write_now(work);
  }
};

// Keeps the only writing thread busy until it is let go, so that what is asked meanwhile waits together.
class BusyWriter {
 public:
  explicit BusyWriter(Database& database)
      : thread_([this, &database] {
          auto work = [this](Transaction&) {
            entered_.count_down();
            go_.wait();
          };
          (void)database.write_now(work);
        }) {
    entered_.wait();
  }
  ~BusyWriter() {
    if (thread_.joinable()) release();
  }
  void release() {
    go_.count_down();
    thread_.join();
  }

 private:
  std::latch entered_{1}, go_{1};
  std::thread thread_;
};

void wait_for_waiting(const Database& database, std::int64_t n) {
  while (database.statistics().waiting < n) std::this_thread::yield();
}

TEST_CASE("a unit of work that gives an error changes nothing") {
  Library library(GENERATE(from_databases()));
  auto work = [](Transaction& tx) -> Result<int> {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    return fail(ErrorKind::refused, "no", "No");
  };
  const auto result = library.database.write_now(work);
  REQUIRE(!result);
  CHECK(result.error().code == "no");
  CHECK(library.number("SELECT count(*) FROM t") == 0);
}

TEST_CASE("a unit of work that throws changes nothing and throws to its caller") {
  Library library(GENERATE(from_databases()));
  auto work = [](Transaction& tx) -> int {
    tx.execute("INSERT INTO t (id) VALUES (1)");
    throw Oops("a bug");
  };
  CHECK_THROWS_AS(library.database.write_now(work), Oops);
  CHECK(library.number("SELECT count(*) FROM t") == 0);
  CHECK(library.insert(1));
}

TEST_CASE("a unit of work that breaks a constraint throws and leaves the next one alone") {
  Library library(GENERATE(from_databases()));
  REQUIRE(library.insert(1));
  CHECK_THROWS_AS(library.insert(1), StatementError);
  CHECK(library.insert(2));
  CHECK(library.number("SELECT count(*) FROM t") == 2);
}

TEST_CASE("failing units in a group commit lose only themselves") {
  Library library(GENERATE(from_databases()));
  constexpr int units = 60;
  std::vector<std::string> outcomes(units);
  std::vector<std::thread> callers;
  std::optional<BusyWriter> busy;
  if (!library.fresh.postgresql()) busy.emplace(library.database);
  for (int i = 0; i < units; ++i)
    callers.emplace_back([&, i] {
      auto work = [i](Transaction& tx) -> Result<int> {
        tx.execute("INSERT INTO t (id, n) VALUES ($1, $2)", i, i);
        if (i % 4 == 1) return fail(ErrorKind::refused, "no", "No");
        if (i % 4 == 2) throw Oops("a bug");
        if (i % 4 == 3) tx.execute("INSERT INTO t (id) VALUES ($1)", i);  // the key is taken
        return i;
      };
      auto& outcome = outcomes[static_cast<std::size_t>(i)];
      try {
        const auto result = library.database.write_now(work);
        outcome = result ? "done " + std::to_string(*result) : result.error().code;
      } catch (const Oops&) {
        outcome = "threw";
      } catch (const StatementError&) {
        outcome = "broke a constraint";
      }
    });
  if (busy) {
    wait_for_waiting(library.database, units);
    busy->release();
  }
  for (auto& caller : callers) caller.join();
  for (int i = 0; i < units; ++i) {
    const std::string expected[] = {"done " + std::to_string(i), "no", "threw", "broke a constraint"};
    CHECK(outcomes[static_cast<std::size_t>(i)] == expected[i % 4]);
  }
  CHECK(library.number("SELECT count(*) FROM t") == units / 4);
  CHECK(library.number("SELECT count(*) FROM t WHERE id % 4 <> 0") == 0);
}

TEST_CASE("nobody resumes before the change is durable, and hears of it after the subscribers") {
  Library library(GENERATE(from_databases()));
  constexpr int units = 100;
  boost::asio::io_context io;
  Connection witness(library.fresh.url(), Connection::Access::read);
  Transaction looking(witness, false);
  std::vector<std::atomic<bool>> told(units);
  int seen = 0;
  auto one = [&](int i) -> Task<void> {
    auto work = [i, &told](Transaction& tx) -> int {
      tx.execute("INSERT INTO t (id) VALUES ($1)", i);
      tx.after_commit([i, &told] { told[static_cast<std::size_t>(i)] = true; });
      return i;
    };
    const auto result = co_await library.database.write(std::move(work));
    CHECK(result == i);
    CHECK(told[static_cast<std::size_t>(i)]);
    seen +=
        static_cast<int>(std::get<0>(*looking.one<std::int64_t>("SELECT count(*) FROM t WHERE id = $1", i)));
  };
  for (int i = 0; i < units; ++i) boost::asio::co_spawn(io, one(i), boost::asio::detached);
  io.run();
  CHECK(seen == units);
}

TEST_CASE("subscribers hear of commits in their order, and never of what was rolled back") {
  Library library(test::Database::sqlite);
  std::vector<int> done, told;
  std::vector<std::thread> callers;
  std::optional<BusyWriter> busy(std::in_place, library.database);
  for (int i = 0; i < 150; ++i)
    callers.emplace_back([&, i] {
      auto work = [&, i](Transaction& tx) -> Status {
        tx.after_commit([&, i] { told.push_back(i); });
        if (i % 5 == 0) return fail(ErrorKind::refused, "no", "No");
        done.push_back(i);
        return {};
      };
      (void)library.database.write_now(work);
    });
  wait_for_waiting(library.database, 150);
  busy->release();
  for (auto& caller : callers) caller.join();
  CHECK(done.size() == 120);
  CHECK(told == done);
}

TEST_CASE("many writers of one row lose no update") {
  Library library(GENERATE(from_databases()));
  REQUIRE(library.insert(1));
  auto zero = [](Transaction& tx) { tx.execute("UPDATE t SET n = 0"); };
  REQUIRE(library.database.write_now(zero));
  std::vector<std::thread> writers;
  std::atomic<int> failures{0};
  for (int w = 0; w < 8; ++w)
    writers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto work = [](Transaction& tx) { tx.execute("UPDATE t SET n = n + 1 WHERE id = 1"); };
        if (!library.database.write_now(work)) ++failures;
      }
    });
  for (auto& writer : writers) writer.join();
  CHECK(failures == 0);
  CHECK(library.number("SELECT n FROM t") == 400);
}

TEST_CASE("whoever comes when the queue is full is turned away at once") {
  Library library(GENERATE(from_databases()), 2, 1);
  BusyWriter busy(library.database);
  std::vector<std::thread> waiting;
  std::atomic<int> done{0};
  for (int i = 0; i < 2; ++i) waiting.emplace_back([&, i] { done += library.insert(i).has_value(); });
  wait_for_waiting(library.database, 2);
  const auto refused = library.insert(99);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::unavailable);
  CHECK(refused.error().code == "overloaded");
  CHECK(refused.error().retry_after_seconds > 0);
  busy.release();
  for (auto& caller : waiting) caller.join();
  CHECK(done == 2);
  CHECK(library.number("SELECT count(*) FROM t") == 2);
  CHECK(library.database.statistics().rejected == 1);
}

TEST_CASE("stopping finishes what was accepted and turns away what comes later") {
  Library library(GENERATE(from_databases()), 4096, 1);
  std::optional<BusyWriter> busy(std::in_place, library.database);
  std::vector<std::thread> waiting;
  std::atomic<int> done{0};
  for (int i = 0; i < 20; ++i) waiting.emplace_back([&, i] { done += library.insert(i).has_value(); });
  wait_for_waiting(library.database, 20);
  std::thread stopper([&] { library.database.stop(); });
  busy->release();
  stopper.join();
  for (auto& caller : waiting) caller.join();
  CHECK(done == 20);
  const auto late = library.insert(99);
  REQUIRE(!late);
  CHECK(late.error().kind == ErrorKind::unavailable);
  Connection witness(library.fresh.url(), Connection::Access::read);
  CHECK(Transaction(witness, false).one<std::int64_t>("SELECT count(*) FROM t") ==
        std::tuple(std::int64_t{20}));
}

TEST_CASE("a single statement is a unit of work by itself") {
  Library library(GENERATE(from_databases()));
  boost::asio::io_context io;
  bool told = false;
  auto run = [&]() -> Task<void> {
    auto work = [&told](Transaction& tx) -> std::int64_t {
      tx.after_commit([&told] { told = true; });
      return tx.execute("INSERT INTO t (id) VALUES (1), (2)");
    };
    const auto rows = co_await library.database.write(std::move(work), Atomicity::single);
    CHECK(rows == 2);
    CHECK(told);
  };
  boost::asio::co_spawn(io, run(), boost::asio::detached);
  io.run();
  CHECK(library.number("SELECT count(*) FROM t") == 2);
}

TEST_CASE("readers of SQLite see the last commit while a writer is at work, and cannot write") {
  Library library(test::Database::sqlite);
  REQUIRE(library.insert(1));
  std::latch written(1), go(1);
  bool committed = false;
  std::thread writer([&] {
    auto work = [&](Transaction& tx) {
      tx.execute("INSERT INTO t (id) VALUES (2)");
      written.count_down();
      go.wait();
    };
    committed = library.database.write_now(work).has_value();
  });
  written.wait();
  CHECK(library.number("SELECT count(*) FROM t") == 1);
  go.count_down();
  writer.join();
  CHECK(committed);
  CHECK(library.number("SELECT count(*) FROM t") == 2);
  auto wrong = [](Transaction& tx) { tx.execute("INSERT INTO t (id) VALUES (3)"); };
  CHECK_THROWS_AS(library.database.read_now(wrong), StatementError);
  CHECK(library.number("SELECT count(*) FROM t") == 2);
}

TEST_CASE("a database that is not there is said to be unreachable") {
  CHECK_THROWS_AS(Database(Options{.url = "sqlite:/no/such/folder/luminalib.db"}), Unreachable);
  CHECK_THROWS_AS(Database(Options{.url = "postgresql://nobody@127.0.0.1:1/nothing"}), Unreachable);
}

}  // namespace
}  // namespace lumina::db
