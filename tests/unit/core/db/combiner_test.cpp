#include "core/db/combiner.hpp"

#include "core/db/joined.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace lumina::db {
namespace {

using test::from_databases;
using test::TestDatabase;

struct Sum {
  int kind = 0;
  std::int64_t key = 0;
  std::int64_t add = 0;
};
using Sums = Combiner<Sum, std::int64_t>;

// Adds to the row of each key; answers what stands there then. Adding nothing is a fault.
std::vector<std::int64_t> add_all(Transaction& tx, const std::vector<Sum>& sums) {
  std::vector<std::int64_t> answers;
  for (const Sum& sum : sums)
    if (sum.add == 0) throw std::runtime_error("nothing to add");
  for (const Sum& sum : sums)
    answers.push_back(std::get<0>(*tx.one<std::int64_t>(
        "UPDATE t SET n = n + CAST($2 AS BIGINT) WHERE id = $1 RETURNING n", sum.key, sum.add)));
  return answers;
}

struct Bench {
  TestDatabase fresh;
  Database database;

  explicit Bench(test::Database kind, std::size_t queue = 4096)
      : fresh(kind), database((prepare(fresh), Options{.url = fresh.url(), .pool = 4, .queue = queue})) {}
  static void prepare(const TestDatabase& fresh) {
    fresh.script("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)");
    for (int id = 0; id < 100; ++id)
      fresh.script("INSERT INTO t (id, n) VALUES (" + std::to_string(id) + ", 0)");
  }
  std::int64_t total() {
    auto work = [](Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>("SELECT SUM(n) FROM t")); };
    return *database.read_now(work);
  }
};

// Asks for all of them at once, from one thread; the outcomes in the order of the questions.
struct Outcome {
  std::optional<Result<std::int64_t>> answer;
  bool thrown = false;
};
std::vector<Outcome> ask(Sums& sums, const std::vector<Sum>& questions) {
  boost::asio::io_context io;
  std::vector<Outcome> outcomes(questions.size());
  const auto one = [](Sums& all, Sum question, Outcome& outcome) -> Task<void> {
    try {
      outcome.answer = co_await all.submit(question);
    } catch (const std::runtime_error&) {
      outcome.thrown = true;
    }
  };
  for (std::size_t i = 0; i < questions.size(); ++i)
    boost::asio::co_spawn(io, one(sums, questions[i], outcomes[i]), boost::asio::detached);
  io.run();
  return outcomes;
}

std::vector<Sum> one_for_each_key(std::int64_t n) {
  std::vector<Sum> questions;
  for (std::int64_t key = 0; key < n; ++key) questions.push_back({.key = key, .add = key + 1});
  return questions;
}

TEST_CASE("everybody who asks at one moment gets an answer of their own, and units are few") {
  Bench bench(GENERATE(from_databases()));
  std::atomic<int> units = 0;
  std::atomic<std::size_t> largest = 0;
  Sums sums(bench.database,
            [&](Transaction& tx, const std::vector<Sum>& all) {
              ++units;
              largest = std::max(largest.load(), all.size());
              return add_all(tx, all);
            },
            {.most = 16, .units = 1});
  const auto outcomes = ask(sums, one_for_each_key(100));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    REQUIRE(outcomes[i].answer);
    CHECK(outcomes[i].answer->value() == static_cast<std::int64_t>(i) + 1);
  }
  CHECK(largest <= 16);
  CHECK(units < 100);
  CHECK(bench.total() == 100 * 101 / 2);
}

TEST_CASE("two with one key are never under way together, and kinds never mix") {
  Bench bench(GENERATE(from_databases()));
  std::mutex mutex;
  std::multiset<std::int64_t> busy;
  std::atomic<int> clashes = 0, mixed = 0;
  Sums sums(bench.database,
            [&](Transaction& tx, const std::vector<Sum>& all) {
              {
                std::lock_guard lock(mutex);
                for (const Sum& sum : all) {
                  busy.insert(sum.key);
                  clashes += busy.count(sum.key) > 1;
                  mixed += sum.kind != all.front().kind;
                }
              }
              auto answers = add_all(tx, all);
              std::lock_guard lock(mutex);
              for (const Sum& sum : all) busy.erase(busy.find(sum.key));
              return answers;
            },
            {.most = 8, .units = 4});
  std::vector<Sum> questions;
  for (int i = 0; i < 400; ++i) questions.push_back({.kind = i % 3, .key = i * 7 % 10, .add = 1});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (const auto& outcome : ask(sums, questions)) clashes += !outcome.answer || !*outcome.answer;
    });
  threads.clear();
  CHECK(clashes == 0);
  CHECK(mixed == 0);
  CHECK(bench.total() == 1200);
}

TEST_CASE("a fault stays with whom it belongs to") {
  Bench bench(GENERATE(from_databases()));
  Sums sums(bench.database, add_all, {.most = 16, .units = 1});
  auto questions = one_for_each_key(40);
  questions[20].add = 0;
  const auto outcomes = ask(sums, questions);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    CAPTURE(i);
    CHECK(outcomes[i].thrown == (i == 20));
    if (i != 20) CHECK((outcomes[i].answer && outcomes[i].answer->has_value()));
  }
  CHECK(bench.total() == 40 * 41 / 2 - 21);
  CHECK(ask(sums, {{.key = 20, .add = 5}})[0].answer->value() == 5);  // its key is free again
}

TEST_CASE("those for whom there is no room and no database are told so") {
  Bench bench(GENERATE(from_databases()));
  Sums narrow(bench.database, add_all, {.most = 1, .units = 1, .queue = 2});
  const auto outcomes = ask(narrow, std::vector<Sum>(20, {.key = 1, .add = 1}));
  const auto refused = std::ranges::count_if(
      outcomes, [](const Outcome& o) { return !*o.answer && o.answer->error().code == "overloaded"; });
  CHECK(refused > 0);
  CHECK(bench.total() == 20 - refused);

  bench.database.stop();
  Sums sums(bench.database, add_all);
  for (const auto& outcome : ask(sums, one_for_each_key(50)))
    CHECK((outcome.answer && !*outcome.answer && outcome.answer->error().kind == ErrorKind::unavailable));
}

TEST_CASE("within another unit of work an item is done at once, and falls with it") {
  Bench bench(GENERATE(from_databases()));
  Sums sums(bench.database, add_all);
  auto work = [&](Transaction& outer) -> Result<std::int64_t> {
    Joined joined(bench.database, outer);
    const auto outcomes = ask(sums, {{.key = 1, .add = 4}, {.key = 1, .add = 4}});
    joined.rethrow_broken();
    CHECK(outcomes[1].answer->value() == 8);
    return fail(ErrorKind::refused, "no", "No");
  };
  CHECK(!bench.database.write_now(work));
  CHECK(bench.total() == 0);
}

}  // namespace
}  // namespace lumina::db
