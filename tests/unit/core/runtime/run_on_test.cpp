#include "core/runtime/run_on.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lumina;
using namespace lumina::runtime;
namespace asio = boost::asio;

namespace {

// Runs one coroutine to its end on an io_context of its own and hands its value over.
template <class T>
T run(Task<T> task) {
  asio::io_context io(1);
  std::optional<T> value;
  std::exception_ptr thrown;
  asio::co_spawn(io.get_executor(), std::move(task), [&](std::exception_ptr e, T v) {
    thrown = std::move(e);
    if (!thrown) value.emplace(std::move(v));
  });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  return *std::move(value);
}

// Says when it dies.
struct Witness {
  std::atomic<int>* deaths;
  explicit Witness(std::atomic<int>& count) : deaths(&count) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { ++*deaths; }
};

}  // namespace

TEST_CASE("the function runs on the pool and the coroutine goes on where it was") {
  Pool pool("test", 1, 4);
  struct Threads {
    std::thread::id before, inside, after;
  };
  const auto coroutine = [](Pool& on) -> Task<Threads> {
    Threads seen;
    seen.before = std::this_thread::get_id();
    auto job = [] { return std::this_thread::get_id(); };
    Result<std::thread::id> inside = co_await run_on(on, std::move(job));
    seen.inside = inside.value();
    seen.after = std::this_thread::get_id();
    co_return seen;
  };
  const Threads seen = run(coroutine(pool));
  CHECK(seen.before == std::this_thread::get_id());
  CHECK(seen.after == seen.before);
  CHECK(seen.inside != seen.before);
}

TEST_CASE("values, results, nothing and move-only values all come back") {
  Pool pool("test", 1, 4);
  const auto coroutine = [](Pool& on) -> Task<int> {
    int passed = 0;
    auto plain = [] { return std::string("value"); };
    Result<std::string> value = co_await run_on(on, std::move(plain));
    passed += value == "value";

    auto good = []() -> Result<int> { return 7; };
    Result<int> seven = co_await run_on(on, std::move(good));
    passed += seven == 7;

    auto bad = []() -> Result<int> { return not_found("no such thing"); };
    Result<int> error = co_await run_on(on, std::move(bad));
    passed += !error && error.error().kind == ErrorKind::not_found;

    bool ran = false;
    auto nothing = [&ran] { ran = true; };
    Status status = co_await run_on(on, std::move(nothing));
    passed += status.has_value() && ran;

    auto owned = std::make_unique<int>(5);
    auto moving = [owned = std::move(owned)]() mutable { return std::move(owned); };
    Result<std::unique_ptr<int>> back = co_await run_on(on, std::move(moving));
    passed += back.has_value() && **back == 5;
    co_return passed;
  };
  CHECK(run(coroutine(pool)) == 5);
}

TEST_CASE("an exception of the function reaches the coroutine") {
  Pool pool("test", 1, 4);
  const auto coroutine = [](Pool& on) -> Task<std::string> {
    std::string caught;
    auto job = []() -> int { throw std::out_of_range("too far"); };
    try {
      Result<int> unused = co_await run_on(on, std::move(job));
      caught = "nothing";
    } catch (const std::out_of_range& e) {
      caught = e.what();
    }
    co_return caught;
  };
  CHECK(run(coroutine(pool)) == "too far");
  pool.stop();
  CHECK(pool.stats().failed == 0);
}

TEST_CASE("a full or stopped pool is an answer, not a wait") {
  const auto coroutine = [](Pool& on) -> Task<Result<int>> {
    auto job = [] { return 1; };
    co_return co_await run_on(on, std::move(job));
  };

  Pool pool("test", 1, 1);
  std::latch started(1);
  std::promise<void> go;
  std::future<void> gone = go.get_future();
  REQUIRE(pool.try_submit([&] {
    started.count_down();
    gone.wait();
  }));
  started.wait();
  REQUIRE(pool.try_submit([] {}));
  const Result<int> full = run(coroutine(pool));
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error().kind == ErrorKind::unavailable);
  CHECK(full.error().code == "overloaded");
  CHECK(full.error().retry_after_seconds == 1);

  go.set_value();
  pool.stop();
  const Result<int> stopped = run(coroutine(pool));
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code == "overloaded");
}

TEST_CASE("coroutines whose jobs are discarded at stop are told so") {
  Pool pool("test", 1, 10);
  std::latch started(1);
  std::promise<void> go;
  std::future<void> gone = go.get_future();
  REQUIRE(pool.try_submit([&] {
    started.count_down();
    gone.wait();
  }));
  started.wait();

  asio::io_context io(1);
  int refused = 0;
  const auto coroutine = [](Pool& on, int& count) -> Task<void> {
    auto job = [] { return 1; };
    Result<int> result = co_await run_on(on, std::move(job));
    if (!result && result.error().kind == ErrorKind::unavailable) ++count;
  };
  for (int i = 0; i < 5; ++i) asio::co_spawn(io, coroutine(pool, refused), asio::detached);
  io.poll();
  CHECK(pool.stats().depth == 5);
  std::thread stopper([&pool] { pool.stop(Unstarted::discard); });
  io.run();
  CHECK(refused == 5);
  go.set_value();
  stopper.join();
}

TEST_CASE(
    "coroutines that still wait when the io_context ends are destroyed, and nothing of theirs is left") {
  std::atomic<int> frames = 0;
  std::atomic<int> functions = 0;
  std::atomic<int> resumed = 0;
  {
    auto io = std::make_unique<asio::io_context>(1);
    Pool pool("test", 1, 10);
    std::latch started(1);
    std::promise<void> go;
    std::future<void> gone = go.get_future();
    REQUIRE(pool.try_submit([&] {
      started.count_down();
      gone.wait();
    }));
    started.wait();

    const auto coroutine = [](Pool& on, std::atomic<int>& frame_deaths, std::atomic<int>& function_deaths,
                              std::atomic<int>& count) -> Task<void> {
      Witness in_frame(frame_deaths);
      auto in_function = std::make_unique<Witness>(function_deaths);
      auto job = [held = std::move(in_function)] { return 1; };
      Result<int> result = co_await run_on(on, std::move(job));
      ++count;
    };
    for (int i = 0; i < 4; ++i) {
      asio::co_spawn(*io, coroutine(pool, frames, functions, resumed), asio::detached);
    }
    io->poll();
    CHECK(frames == 0);
    io->stop();
    go.set_value();
    pool.stop();
    CHECK(functions == 4);
    io.reset();
  }
  CHECK(frames == 4);
  CHECK(resumed == 0);
}

TEST_CASE("io threads of their own each get their coroutines back") {
  Pool pool("test", 2, 5000);
  std::atomic<int> right = 0;
  const auto coroutine = [](Pool& on, std::atomic<int>& count) -> Task<void> {
    const std::thread::id home = std::this_thread::get_id();
    for (int i = 0; i < 200; ++i) {
      auto job = [i] { return i; };
      Result<int> result = co_await run_on(on, std::move(job));
      if (result == i && std::this_thread::get_id() == home) ++count;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      asio::io_context io(1);
      for (int i = 0; i < 5; ++i) asio::co_spawn(io, coroutine(pool, right), asio::detached);
      io.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 3 * 5 * 200);
}
