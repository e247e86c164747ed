#include "core/jobs/backoff.hpp"
#include "unit/core/jobs/fixture.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

using namespace lumina;
using namespace lumina::test;

namespace {

std::shared_ptr<FixedClock> fixed() { return std::make_shared<FixedClock>(*parse_rfc3339(morning)); }

// However slow the machine: as long as it gets on.
bool drains(Instance& instance) {
  for (auto left = instance.unfinished(); left > 0; left = instance.unfinished())
    if (!eventually([&] { return instance.unfinished() < left; })) return false;
  return true;
}

}  // namespace

TEST_CASE("a job is committed with its change or not at all", "[I1]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  Instance one(fresh.url(), fixed());
  auto refused = [&](db::Transaction& tx) -> Status {
    one.queue.enqueue(tx, {.kind = "a"});
    return fail(ErrorKind::refused, "no", "no");
  };
  CHECK(!one.database.write_now(std::move(refused)));
  CHECK(one.unfinished() == 0);
  one.put({.kind = "a"});
  CHECK(one.unfinished() == 1);
}

TEST_CASE("a job runs once and keeps its payload and its result", "[I1][I2]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  Instance one(fresh.url(), fixed());
  std::atomic<int> runs{0};
  one.runner.handle("echo", {}, [&](jobs::JobContext& job) -> Result<std::string> {
    ++runs;
    return job.payload();
  });
  one.runner.start();
  const auto id = one.put({.kind = "echo", .payload = R"({"x":1})"});
  const auto other = one.put({.kind = "nobody's"});
  REQUIRE(eventually([&] { return one.status(id) == "succeeded"; }));
  CHECK(one.text("SELECT result FROM jobs WHERE id = $1", id) == R"({"x":1})");
  CHECK(one.status(other) == "queued");
  CHECK(runs == 1);
}

TEST_CASE("a unique key gives the unfinished job that is there", "[I1]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  Instance one(fresh.url(), fixed());
  const jobs::NewJob job{.kind = "index", .unique_key = "book 5"};
  const auto first = one.put(job);
  CHECK(one.put(job) == first);
  CHECK(one.put({.kind = "other", .unique_key = "book 5"}) != first);
  // Ten threads at once make one.
  std::mutex mutex;
  std::set<std::string> ids;
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i)
    threads.emplace_back([&] {
      const auto id = one.put({.kind = "index", .unique_key = "book 6"});
      std::lock_guard lock(mutex);
      ids.insert(id);
    });
  for (auto& thread : threads) thread.join();
  CHECK(ids.size() == 1);
  one.runner.handle("index", {}, Instance::effect);
  one.runner.start();
  REQUIRE(eventually([&] { return one.status(first) == "succeeded"; }));
  CHECK(one.put(job) != first);
}

TEST_CASE("pauses grow 1, 2, 4, 8, 16 seconds and are spread by a fifth", "[I3]") {
  const std::array<std::int64_t, 6> expected{1000, 2000, 4000, 8000, 16000, 16000};
  for (int attempt = 1; attempt <= 6; ++attempt) {
    std::set<std::int64_t> seen;
    for (int i = 0; i < 200; ++i) {
      const auto pause = jobs::backoff(jobs::usual_backoff, attempt, "job " + std::to_string(i)).count();
      CHECK(pause >= expected[static_cast<std::size_t>(attempt - 1)] * 8 / 10);
      CHECK(pause <= expected[static_cast<std::size_t>(attempt - 1)] * 12 / 10);
      seen.insert(pause);
    }
    CHECK(seen.size() > 100);
  }
  CHECK(jobs::backoff(jobs::usual_backoff, 3, "a") == jobs::backoff(jobs::usual_backoff, 3, "a"));
}

TEST_CASE("what may go better another time is tried six times, with pauses, then is dead", "[I3]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = fixed();
  Instance one(fresh.url(), clock);
  std::atomic<int> runs{0};
  one.runner.handle("flaky", {}, [&](jobs::JobContext&) -> Result<std::string> {
    if (++runs % 2 == 0) throw std::runtime_error("bug");
    return fail(ErrorKind::unavailable, "away", "The other side is away");
  });
  one.runner.start();
  const auto id = one.put({.kind = "flaky"});
  for (int attempt = 1; attempt <= 5; ++attempt) {
    REQUIRE(eventually([&] { return runs == attempt && one.status(id) == "queued"; }));
    const auto wait = jobs::backoff(jobs::usual_backoff, attempt, id);
    CHECK(one.number("SELECT max(run_at) FROM jobs") == clock->now().ms + wait.count());
    clock->advance(wait - 1ms);
    std::this_thread::sleep_for(30ms);  // three polls
    CHECK(runs == attempt);
    clock->advance(1ms);
  }
  REQUIRE(eventually([&] { return one.status(id) == "failed"; }));
  CHECK(runs == 6);
  CHECK(!one.text("SELECT error FROM jobs WHERE id = $1", id).empty());
}

TEST_CASE("what cannot be mended fails at the first try", "[I3]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  Instance one(fresh.url(), fixed());
  one.runner.handle("broken", {}, [](jobs::JobContext&) -> Result<std::string> {
    return fail(ErrorKind::refused, "not_a_pdf", "This is not a PDF");
  });
  one.runner.start();
  const auto id = one.put({.kind = "broken"});
  REQUIRE(eventually([&] { return one.status(id) == "failed"; }));
  CHECK(one.number("SELECT attempts FROM jobs") == 1);
  CHECK(one.text("SELECT error FROM jobs WHERE id = $1", id) == "This is not a PDF");
}

TEST_CASE("interactive jobs go first, then people take turns", "[I12]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  fresh.script(
      "INSERT INTO users (id, email, email_key, password_hash, full_name, name_key, created_at, updated_at) "
      "VALUES "
      "(1, 'a@example.org', 'a@example.org', 'x', 'A', 'a', 0, 0), (2, 'b@example.org', 'b@example.org', "
      "'x', 'B', 'b', 0, 0)");
  Instance one(fresh.url(), fixed(), 1);
  std::mutex mutex;
  std::vector<std::string> order;
  one.runner.handle("work", {.concurrency = 1}, [&](jobs::JobContext& job) -> Result<std::string> {
    std::lock_guard lock(mutex);
    order.push_back(job.payload());
    return "null";
  });
  one.put_many("work", 10'000, "\"a\"", 1);
  for (int i = 0; i < 5; ++i) one.put({.kind = "work", .payload = "\"b\"", .user = UserId{2}});
  one.put({.kind = "work", .payload = "\"now\"", .priority = jobs::Priority::interactive, .user = UserId{1}});
  one.runner.start();
  const auto begun = [&] {
    std::lock_guard lock(mutex);
    return order.size() >= 20;
  };
  REQUIRE(eventually(begun));
  std::lock_guard lock(mutex);
  CHECK(order.front() == "\"now\"");
  // The five of the second person are done among the first eleven.
  CHECK(std::count(order.begin(), order.begin() + 11, "\"b\"") == 5);
}

TEST_CASE("a kind runs no more at once than it may", "[I12]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  Instance one(fresh.url(), fixed(), 6);
  std::atomic<int> now{0}, most{0}, free_ran{0};
  std::atomic<bool> open{false};
  one.runner.handle("narrow", {.concurrency = 2}, [&](jobs::JobContext&) -> Result<std::string> {
    const int running = ++now;
    int seen = most;
    while (running > seen && !most.compare_exchange_weak(seen, running)) {
    }
    while (!open) std::this_thread::sleep_for(1ms);
    --now;
    return "null";
  });
  one.runner.handle("free", {.concurrency = 0}, [&](jobs::JobContext&) -> Result<std::string> {
    ++free_ran;
    return "null";
  });
  one.put_many("narrow", 20);
  one.put_many("free", 20);
  one.runner.start();
  // The free kind is not held up by the narrow one in front of it.
  CHECK(eventually([&] { return free_ran == 20; }));
  open = true;
  REQUIRE(eventually([&] { return one.unfinished() == 0; }));
  CHECK(most == 2);
}

TEST_CASE("one person's long jobs leave room for those of others", "[I12]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  fresh.script(
      "INSERT INTO users (id, email, email_key, password_hash, full_name, name_key, created_at, updated_at) "
      "VALUES "
      "(1, 'a@example.org', 'a@example.org', 'x', 'A', 'a', 0, 0), (2, 'b@example.org', 'b@example.org', "
      "'x', 'B', 'b', 0, 0)");
  // As many threads as the kind may use, and fewer.
  const int threads = GENERATE(3, 2);
  Instance one(fresh.url(), fixed(), threads);
  std::mutex mutex;
  std::map<std::string, int> running, most, ran;
  std::atomic<bool> open{false};
  one.runner.handle("slow", {.concurrency = 3, .per_person = 2},
                    [&](jobs::JobContext& job) -> Result<std::string> {
                      const auto who = job.payload();
                      {
                        std::lock_guard lock(mutex);
                        most[who] = std::max(most[who], ++running[who]);
                      }
                      while (who == "1" && !open) std::this_thread::sleep_for(1ms);
                      std::lock_guard lock(mutex);
                      --running[who];
                      ++ran[who];
                      return "null";
                    });
  const auto count = [&](std::map<std::string, int>& of, const std::string& who) {
    std::lock_guard lock(mutex);
    return of[who];
  };
  one.put_many("slow", 20, "1", 1);
  one.runner.start();
  const int share = threads == 3 ? 2 : 1;
  REQUIRE(eventually([&] { return count(running, "1") == share; }));
  // The first person's jobs do not end, and the second comes later.
  for (int i = 0; i < 5; ++i) one.put({.kind = "slow", .payload = "2", .user = UserId{2}});
  // What nobody asked for is nobody's share.
  for (int i = 0; i < 3; ++i) one.put({.kind = "slow", .payload = "0"});
  CHECK(eventually([&] { return count(ran, "2") == 5 && count(ran, "0") == 3; }));
  CHECK(count(ran, "1") == 0);
  open = true;
  REQUIRE(eventually([&] { return one.unfinished() == 0; }));
  CHECK(count(most, "1") == share);
  CHECK(count(ran, "1") == 20);
}

TEST_CASE("a worker that lost its lease writes nothing", "[I1][I4]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = fixed();
  Instance slow(fresh.url(), clock, 1), quick(fresh.url(), clock, 2);
  std::atomic<bool> begun{false}, go_on{false};
  std::atomic<bool> refused{false}, guard_refused{false};
  slow.runner.handle("job", {.concurrency = 1}, [&](jobs::JobContext& job) -> Result<std::string> {
    begun = true;
    while (!go_on) std::this_thread::sleep_for(1ms);
    auto look = [&](db::Transaction& tx) { return job.guard(tx); };
    guard_refused = !job.database().write_now(std::move(look));
    auto done = Instance::effect(job);
    refused = !done && done.error().code == "lease_lost";
    return done;
  });
  quick.runner.handle("job", {}, Instance::effect);
  slow.runner.start();
  const auto id = slow.put({.kind = "job"});
  REQUIRE(eventually([&] { return begun.load(); }));
  // The slow one's heart stops: its lease is made old behind its back.
  fresh.script("UPDATE jobs SET lease_until = 0");
  quick.runner.start();
  REQUIRE(eventually([&] { return quick.status(id) == "succeeded"; }));
  go_on = true;
  REQUIRE(eventually([&] { return refused.load(); }));
  CHECK(guard_refused);
  CHECK(quick.number("SELECT count(*) FROM effects") == 1);
  CHECK(quick.number("SELECT attempts FROM jobs") == 2);
}

TEST_CASE("stopping gives back what had not ended, and the try does not count", "[I1]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = fixed();
  std::string id;
  {
    Instance one(fresh.url(), clock, 1);
    std::atomic<bool> begun{false};
    one.runner.handle("long", {}, [&](jobs::JobContext& job) -> Result<std::string> {
      begun = true;
      while (!job.cancelled()) std::this_thread::sleep_for(1ms);
      return jobs::JobContext::interrupted();
    });
    one.runner.start();
    id = one.put({.kind = "long"});
    one.put({.kind = "long"});
    REQUIRE(eventually([&] { return begun.load(); }));
    one.runner.stop();
    CHECK(one.number("SELECT count(*) FROM jobs WHERE status = 'queued' AND attempts = 0") == 2);
  }
  Instance two(fresh.url(), clock, 1);
  two.runner.handle("long", {}, Instance::effect);
  two.runner.start();
  REQUIRE(eventually([&] { return two.unfinished() == 0; }));
  CHECK(two.number("SELECT count(*) FROM effects") == 2);
}

TEST_CASE("two instances on one database, one dies: every job has its effect once", "[I1][I4]") {
  const auto kind = GENERATE(from_databases());
  TestDatabase fresh(kind);
  prepare(fresh);
  const int count = kind == Database::postgresql ? 10'000 : 1'000;
  auto clock = std::make_shared<SystemClock>();
  auto dying = std::make_unique<Instance>(fresh.url(), clock, 4, jobs::RunnerOptions{1s, 10ms});
  Instance living(fresh.url(), clock, 4, jobs::RunnerOptions{1s, 10ms});
  living.put_many("work", count);
  std::atomic<int> at_dying{0}, at_living{0};
  dying->runner.handle("work", {.concurrency = 0}, [&](jobs::JobContext& job) {
    ++at_dying;
    return Instance::effect(job);
  });
  living.runner.handle("work", {.concurrency = 0}, [&](jobs::JobContext& job) {
    ++at_living;
    return Instance::effect(job);
  });
  // The dying one begins alone: how jobs spread over two instances is the machine's affair.
  dying->runner.start();
  REQUIRE(eventually([&] { return at_dying > count / 20; }));
  living.runner.start();
  REQUIRE(eventually([&] { return at_living > 0; }));
  dying->database.stop();  // from here on nothing of it reaches the database
  dying.reset();
  REQUIRE(drains(living));
  CHECK(living.number("SELECT count(*) FROM effects") == count);
  CHECK(living.number("SELECT count(DISTINCT job) FROM effects") == count);
  CHECK(living.number("SELECT count(*) FROM jobs WHERE status = 'succeeded'") == count);
}
