// Units of work inside another one.
#include "core/db/joined.hpp"

#include "core/db/connection.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <thread>

namespace lumina::db {
namespace {

using test::from_databases;
using test::TestDatabase;

struct Library {
  TestDatabase fresh;
  Database database;

  explicit Library(test::Database kind)
      : fresh(kind),
        database((fresh.script("CREATE TABLE t (id BIGINT PRIMARY KEY)"),
                  Options{.url = fresh.url(), .pool = 4})) {}
  std::int64_t rows() {
    auto work = [](Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM t")); };
    return *database.read_now(work);
  }
};

// Work of a service, as coroutines do it.
Task<Status> insert(Database& database, std::int64_t id, bool keep = true) {
  auto work = [id, keep](Transaction& tx) -> Status {
    tx.execute("INSERT INTO t (id) VALUES ($1)", id);
    if (!keep) return not_found("no");
    return {};
  };
  co_return co_await database.write(std::move(work));
}
Task<std::int64_t> count(Database& database) {
  auto work = [](Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM t")); };
  co_return (co_await database.read(std::move(work))).value();
}

template <class T>
T run(Task<T> task) {
  boost::asio::io_context here;
  std::optional<T> out;
  boost::asio::co_spawn(here, std::move(task), [&](std::exception_ptr e, T value) {
    if (e) std::rethrow_exception(e);
    out = std::move(value);
  });
  here.run();
  return std::move(out.value());
}

TEST_CASE("joined units see each other and are committed together", "[A48]") {
  Library library(GENERATE(from_databases()));
  std::int64_t seen = 0, told = 0;
  auto work = [&](Transaction& outer) -> Status {
    Joined joined(library.database, outer);
    CHECK(run(insert(library.database, 1)));
    CHECK(run(insert(library.database, 2)));
    seen = run(count(library.database));
    auto tells = [&](Transaction& tx) { tx.after_commit([&] { ++told; }); };
    CHECK(library.database.write_now(tells));
    CHECK(told == 0);
    std::thread elsewhere([&] { CHECK(library.rows() == 0); });  // another thread's units go their usual way
    elsewhere.join();
    return {};
  };
  CHECK(library.database.write_now(work));
  CHECK(seen == 2);
  CHECK(told == 1);
  CHECK(library.rows() == 2);
}

TEST_CASE("an inner unit that fails loses itself, an outer one all", "[A48]") {
  Library library(GENERATE(from_databases()));
  int told = 0;
  auto work = [&](Transaction& outer) -> Result<int> {
    Joined joined(library.database, outer);
    CHECK(run(insert(library.database, 1)));
    CHECK(!run(insert(library.database, 2, false)));
    CHECK_THROWS(run(insert(library.database, 1)));
    CHECK(run(count(library.database)) == 1);
    CHECK(run(insert(library.database, 3)));
    joined.rethrow_broken();
    return 1;
  };
  CHECK(library.database.write_now(work));
  CHECK(library.rows() == 2);
  auto failing = [&](Transaction& outer) -> Status {
    Joined joined(library.database, outer);
    CHECK(run(insert(library.database, 4)));
    auto tells = [&](Transaction& tx) { tx.after_commit([&] { ++told; }); };
    CHECK(library.database.write_now(tells));
    return not_found("no");
  };
  CHECK(!library.database.write_now(failing));
  CHECK(told == 0);
  CHECK(library.rows() == 2);
}

TEST_CASE("scopes can be nested, and end with what they stand in", "[A48]") {
  Library library(GENERATE(from_databases()));
  auto work = [&](Transaction& outer) -> Status {
    Joined joined(library.database, outer);
    CHECK(run(insert(library.database, 1)));
    auto inner = [&](Transaction& middle) -> Status {
      Joined deeper(library.database, middle);
      CHECK(run(insert(library.database, 2)));
      return not_found("no");
    };
    CHECK(!library.database.write_now(inner));
    CHECK(run(count(library.database)) == 1);
    return {};
  };
  CHECK(library.database.write_now(work));
  CHECK(library.rows() == 1);
  CHECK(run(insert(library.database, 9)));  // no scope any more: a unit of its own
  CHECK(library.rows() == 2);
}

TEST_CASE("what asks for a repetition repeats the whole", "[A48]") {
  Library library(test::Database::sqlite);
  int tries = 0;
  auto work = [&](Transaction& outer) -> Status {
    ++tries;
    Joined joined(library.database, outer);
    CHECK(run(insert(library.database, 1)));
    auto conflict = [](Transaction&) -> Status { throw Unreachable("as if the connection broke"); };
    CHECK_THROWS(library.database.write_now(conflict));
    CHECK_THROWS(run(insert(library.database, 2)));  // nothing runs after it
    joined.rethrow_broken();
    return {};
  };
  const auto done = library.database.write_now(work);
  REQUIRE(!done);
  CHECK(done.error().code == "database_unavailable");
  CHECK(tries >= 1);
  CHECK(library.rows() == 0);

  if (!test::have_postgresql()) return;
  Library other(test::Database::postgresql);
  tries = 0;
  auto again = [&](Transaction& outer) -> Status {
    Joined joined(other.database, outer);
    CHECK(run(insert(other.database, 1)));
    auto conflict = [&](Transaction&) -> Status {
      if (++tries < 3) throw TryAgain("as if another transaction had won");
      return {};
    };
    if (tries < 2)
      CHECK_THROWS(other.database.write_now(conflict));
    else
      CHECK(other.database.write_now(conflict));
    joined.rethrow_broken();
    return {};
  };
  CHECK(other.database.write_now(again));
  CHECK(tries == 3);
  CHECK(other.rows() == 1);
}

}  // namespace
}  // namespace lumina::db
