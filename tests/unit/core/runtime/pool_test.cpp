#include "core/runtime/pool.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace lumina::runtime;

namespace {

// Occupies one thread of a pool until told to let go.
class Blocker {
 public:
  explicit Blocker(Pool& pool) {
    REQUIRE(pool.try_submit([this] {
      started_.count_down();
      go_.get_future().wait();
    }));
    started_.wait();
  }
  void release() { go_.set_value(); }

 private:
  std::latch started_{1};
  std::promise<void> go_;
};

}  // namespace

TEST_CASE("a pool runs every job it accepted, also those still waiting when it stops") {
  std::atomic<int> done = 0;
  Pool pool("test", 3, 1000);
  for (int i = 0; i < 1000; ++i) {
    while (!pool.try_submit([&done] { ++done; })) std::this_thread::yield();
  }
  pool.stop();
  CHECK(done == 1000);
  const PoolStats stats = pool.stats();
  CHECK(stats.completed == 1000);
  CHECK(stats.depth == 0);
  CHECK(stats.running == 0);
  CHECK(stats.failed == 0);
}

TEST_CASE("one thread runs jobs in the order in which they came") {
  std::vector<int> order;
  {
    Pool pool("test", 1, 100);
    for (int i = 0; i < 100; ++i) REQUIRE(pool.try_submit([&order, i] { order.push_back(i); }));
  }
  std::vector<int> expected(100);
  for (int i = 0; i < 100; ++i) expected[static_cast<std::size_t>(i)] = i;
  CHECK(order == expected);
}

TEST_CASE("a full queue turns jobs away at once and says so in its figures") {
  Pool pool("test", 1, 2);
  Blocker blocker(pool);
  CHECK(pool.try_submit([] {}));
  CHECK(pool.try_submit([] {}));
  auto watch = std::make_shared<int>(0);
  CHECK_FALSE(pool.try_submit([watch] { ++*watch; }));
  CHECK(watch.use_count() == 1);
  const PoolStats stats = pool.stats();
  CHECK(stats.depth == 2);
  CHECK(stats.running == 1);
  CHECK(stats.rejected == 1);
  CHECK(stats.threads == 1);
  CHECK(stats.queue_limit == 2);
  blocker.release();
  pool.stop();
  CHECK(*watch == 0);
  CHECK(pool.stats().completed == 3);
}

TEST_CASE("a stopped pool accepts nothing, and stopping twice is harmless") {
  Pool pool("test", 2, 2);
  pool.stop();
  pool.stop(Unstarted::discard);
  CHECK_FALSE(pool.try_submit([] {}));
  CHECK(pool.stats().rejected == 1);
}

TEST_CASE("stopping may drop what has not started, and releases what it held") {
  Pool pool("test", 1, 10);
  Blocker blocker(pool);
  auto held = std::make_shared<int>(0);
  for (int i = 0; i < 5; ++i) REQUIRE(pool.try_submit([held] { ++*held; }));
  std::thread stopper([&pool] { pool.stop(Unstarted::discard); });
  while (pool.stats().discarded != 5) std::this_thread::yield();
  blocker.release();
  stopper.join();
  CHECK(*held == 0);
  CHECK(held.use_count() == 1);
  CHECK(pool.stats().completed == 1);
}

TEST_CASE("a job that throws is counted and does not take its thread along") {
  Pool pool("test", 1, 10);
  REQUIRE(pool.try_submit([] { throw std::runtime_error("broken"); }));
  std::promise<void> after;
  REQUIRE(pool.try_submit([&after] { after.set_value(); }));
  after.get_future().wait();
  pool.stop();
  CHECK(pool.stats().failed == 1);
  CHECK(pool.stats().completed == 2);
}

TEST_CASE("waiting and running time are measured") {
  using namespace std::chrono_literals;
  Pool pool("test", 1, 10);
  REQUIRE(pool.try_submit([] { std::this_thread::sleep_for(20ms); }));
  REQUIRE(pool.try_submit([] {}));
  pool.stop();
  const PoolStats stats = pool.stats();
  CHECK(stats.run_ns >= 20'000'000);
  CHECK(stats.wait_ns >= 10'000'000);
}

TEST_CASE("many threads may submit at once, and every job is run or refused exactly once") {
  Pool pool("test", 2, 64);
  std::atomic<std::uint64_t> ran = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::vector<std::thread> submitters;
  for (int t = 0; t < 4; ++t) {
    submitters.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (!pool.try_submit([&ran] { ++ran; })) ++refused;
      }
    });
  }
  for (std::thread& thread : submitters) thread.join();
  pool.stop();
  CHECK(ran + refused == 20'000);
  CHECK(pool.stats().completed == ran);
  CHECK(pool.stats().rejected == refused);
}

TEST_CASE("jobs of a pool may submit further jobs, and may be move-only") {
  Pool pool("test", 1, 10);
  std::promise<int> result;
  auto number = std::make_unique<int>(41);
  REQUIRE(pool.try_submit([&, number = std::move(number)]() mutable {
    const bool accepted =
        pool.try_submit([&result, number = std::move(number)] { result.set_value(*number + 1); });
    if (!accepted) result.set_value(0);
  }));
  CHECK(result.get_future().get() == 42);
}
