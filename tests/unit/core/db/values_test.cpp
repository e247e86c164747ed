#include "core/db/columns.hpp"
#include "core/db/connection.hpp"
#include "core/db/database.hpp"
#include "core/db/value.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

#include <cfloat>

namespace lumina::db {
namespace {

using test::from_databases;
using test::TestDatabase;

enum class Fruit : std::uint8_t { apple, pear };
constexpr std::array<std::string_view, 2> fruit_names{"apple", "pear"};
constexpr auto& enum_names(Fruit) { return fruit_names; }

constexpr auto one_table = "CREATE TABLE t (id BIGINT PRIMARY KEY, i BIGINT, d DOUBLE PRECISION, s TEXT)";

// One connection to a new database with the table t.
struct Stored {
  TestDatabase fresh{GENERATE(from_databases())};
  Connection connection{fresh.url(), Connection::Access::write};
  Transaction tx{connection, true};
  Stored() { connection.script(one_table); }
};

TEST_CASE("whole numbers come back as they were, to the limits of 64 bits") {
  Stored db;
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{INT32_MAX},
                               std::int64_t{INT32_MAX} + 1, std::int64_t{INT32_MIN} - 1,
                               std::int64_t{1} << 53, (std::int64_t{1} << 53) + 1, INT64_MAX, INT64_MIN}) {
    db.tx.execute("DELETE FROM t");
    db.tx.execute("INSERT INTO t (id, i) VALUES (1, $1)", n);
    CHECK(db.tx.one<std::int64_t>("SELECT i FROM t") == std::tuple(n));
    CHECK(db.tx.one<std::int64_t>("SELECT id FROM t WHERE i = $1", n) == std::tuple(std::int64_t{1}));
  }
}

TEST_CASE("real numbers come back bit for bit") {
  Stored db;
  for (const double d : {0.0, 0.1, 0.1 + 0.2, -1.5, 3.141592653589793, 1e-300, DBL_MAX, -DBL_MAX, DBL_MIN,
                         DBL_TRUE_MIN, 123456789.123456789, 1.0 / 3.0}) {
    db.tx.execute("DELETE FROM t");
    db.tx.execute("INSERT INTO t (id, d) VALUES (1, $1)", d);
    CHECK(std::get<0>(*db.tx.one<double>("SELECT d FROM t")) == d);
  }
}

TEST_CASE("text comes back byte for byte") {
  Stored db;
  for (const std::string s : {"", "plain", "it's \"quoted\" \\ and back", "$1 ?1 :name ::text", "Ä ö ß ñ",
                              "日本語", "😀👩‍👩‍👧", "e\xCC\x81", "\xF4\x8F\xBF\xBF",
                              "line\r\nline\ttab\x01\x7F", "'; DROP TABLE t; --", " \t  "}) {
    db.tx.execute("DELETE FROM t");
    db.tx.execute("INSERT INTO t (id, s) VALUES (1, $1)", s);
    CHECK(db.tx.one<std::string>("SELECT s FROM t") == std::tuple(s));
    CHECK(db.tx.one<std::int64_t>("SELECT count(*) FROM t WHERE s = $1", s) == std::tuple(std::int64_t{1}));
  }
}

TEST_CASE("a megabyte of text comes back") {
  Stored db;
  std::string s;
  for (int i = 0; i < 100'000; ++i) s += "lorem 日 " + std::to_string(i);
  db.tx.execute("INSERT INTO t (id, s) VALUES (1, $1)", s);
  CHECK(std::get<0>(*db.tx.one<std::string>("SELECT s FROM t")) == s);
}

TEST_CASE("null is neither zero nor empty text") {
  Stored db;
  db.tx.execute("INSERT INTO t (id, i, d, s) VALUES (1, $1, $2, $3)", std::optional<std::int64_t>(),
                std::optional<double>(), std::optional<std::string>());
  db.tx.execute("INSERT INTO t (id, i, d, s) VALUES (2, $1, $2, $3)", std::optional<std::int64_t>(0),
                std::optional<double>(0), std::optional<std::string>(""));
  using Row = std::tuple<std::optional<std::int64_t>, std::optional<double>, std::optional<std::string>>;
  CHECK(db.tx.one<std::optional<std::int64_t>, std::optional<double>, std::optional<std::string>>(
            "SELECT i, d, s FROM t WHERE id = 1") == Row{});
  CHECK(db.tx.one<std::optional<std::int64_t>, std::optional<double>, std::optional<std::string>>(
            "SELECT i, d, s FROM t WHERE id = 2") == Row{0, 0.0, ""});
  SECTION("and read as a plain type it is the empty value") {
    CHECK(db.tx.one<std::int64_t, double, std::string>("SELECT i, d, s FROM t WHERE id = 1") ==
          std::tuple<std::int64_t, double, std::string>(0, 0.0, ""));
  }
  SECTION("a value after a null and a null after a value do not mix in a kept statement") {
    std::vector<std::optional<std::int64_t>> seen;
    db.tx.each<std::optional<std::int64_t>>([&](std::optional<std::int64_t> i) { seen.push_back(i); },
                                            "SELECT i FROM t ORDER BY id");
    CHECK(seen == std::vector<std::optional<std::int64_t>>{std::nullopt, 0});
    for (int round = 0; round < 3; ++round) {
      const auto value = round == 1 ? std::optional<std::int64_t>() : std::optional<std::int64_t>(round);
      db.tx.execute("UPDATE t SET i = $1 WHERE id = 1", value);
      CHECK(db.tx.one<std::optional<std::int64_t>>("SELECT i FROM t WHERE id = 1") == std::tuple(value));
    }
  }
}

TEST_CASE("identifiers, times, flags, names and lists map to what they are") {
  Stored db;
  const std::vector<std::string> tags{"a,b", "\"quoted\"", "日本", ""};
  db.tx.execute("INSERT INTO t (id, i, s) VALUES ($1, $2, $3)", BookId{7}, Timestamp{-62135596800000},
                Fruit::pear);
  CHECK(db.tx.one<BookId, Timestamp, Fruit>("SELECT id, i, s FROM t") ==
        std::tuple(BookId{7}, Timestamp{-62135596800000}, Fruit::pear));
  db.tx.execute("UPDATE t SET i = $1, s = $2", true, tags);
  CHECK(db.tx.one<bool, std::vector<std::string>>("SELECT i, s FROM t") == std::tuple(true, tags));
  SECTION("a name this program does not know is an error, not a guess") {
    db.tx.execute("UPDATE t SET s = 'banana'");
    CHECK_THROWS_AS(db.tx.one<Fruit>("SELECT s FROM t"), std::out_of_range);
  }
}

TEST_CASE("a NUL character never reaches the database") {
  Stored db;
  // PostgreSQL would cut the text there without a word.
  CHECK_THROWS_AS(db.tx.execute("INSERT INTO t (id, s) VALUES (1, $1)", std::string("ab\0cd", 5)),
                  StatementError);
  CHECK(db.tx.one<std::int64_t>("SELECT count(*) FROM t") == std::tuple(std::int64_t{0}));
  CHECK_NOTHROW(db.tx.execute("INSERT INTO t (id, s) VALUES (1, $1)", std::string("abcd")));
}

TEST_CASE("a parameter may be used more than once and in any order") {
  Stored db;
  db.tx.execute("INSERT INTO t (id, i, s) VALUES ($2, $2, $1)", "x", 5);
  CHECK(db.tx.one<std::int64_t, std::string>("SELECT i, s FROM t WHERE id = $1 AND i = $1", 5) ==
        std::tuple(std::int64_t{5}, std::string("x")));
}

TEST_CASE("one statement serves many kinds of parameters") {
  Stored db;
  db.tx.execute("INSERT INTO t (id, d) VALUES (1, 2.5)");
  constexpr auto sql = "SELECT count(*) FROM t WHERE d = $1";
  CHECK(db.tx.one<std::int64_t>(sql, 2.5) == std::tuple(std::int64_t{1}));
  CHECK(db.tx.one<std::int64_t>(sql, 2) == std::tuple(std::int64_t{0}));
  CHECK(db.tx.one<std::int64_t>(sql, std::optional<double>()) == std::tuple(std::int64_t{0}));
  CHECK(db.tx.one<std::int64_t>(sql, 2.5) == std::tuple(std::int64_t{1}));
}

TEST_CASE("a broken statement says what broke without the values it was given") {
  Stored db;
  db.tx.execute("INSERT INTO t (id) VALUES ($1)", 1);
  try {
    db.tx.execute("INSERT INTO t (id, s) VALUES (1, $1)", "a secret");
    FAIL("a second row got the same key");
  } catch (const StatementError& e) {
    CHECK(std::string(e.what()).find("a secret") == std::string::npos);
  }
  CHECK_THROWS_AS(db.tx.execute("INSERT INTO nowhere VALUES (1)"), StatementError);
}

TEST_CASE("columns fill the members they are declared with") {
  struct Base {
    BookId id;
  };
  struct Thing : Base {
    std::optional<std::int64_t> number;
    std::string name;
  };
  const Columns<Thing> columns{{"id", &Thing::id}, {"i", &Thing::number}, {"s", &Thing::name}};
  Stored db;
  db.tx.execute("INSERT INTO t (id, i, s) VALUES (3, NULL, 'three')");
  const auto thing = db.tx.find(columns, "SELECT " + columns.list() + " FROM t WHERE id = $1", 3);
  REQUIRE(thing);
  CHECK(thing->id == BookId{3});
  CHECK(!thing->number);
  CHECK(thing->name == "three");
  CHECK(!db.tx.find(columns, "SELECT " + columns.list() + " FROM t WHERE id = $1", 4));
}

}  // namespace
}  // namespace lumina::db
