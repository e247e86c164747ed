#include "core/security/login_guard.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace lumina;
using namespace lumina::security;
using namespace std::chrono_literals;

namespace {

struct Time {
  std::chrono::steady_clock::time_point now{1000s};
  LoginGuard::SteadyClock clock() {
    return [this] { return now; };
  }
};

std::string address(int i) { return "198.51.100." + std::to_string(i); }

// Seconds to wait; 0 when the attempt was admitted (and failed).
int guess(LoginGuard& guard, const std::string& from, const std::string& account) {
  const Status status = guard.admit(from, account);
  if (!status) {
    CHECK(status.error().kind == ErrorKind::rate_limited);
    CHECK(status.error().code == "too_many_attempts");
    CHECK(status.error().retry_after_seconds >= 1);
    return status.error().retry_after_seconds;
  }
  guard.failed(from, account);
  return 0;
}

}  // namespace

TEST_CASE("the sixth attempt within a minute is refused, from one address and for one account", "[A27]") {
  Time time;
  SECTION("different accounts from one address, even when each gets in") {
    LoginGuard guard({}, time.clock());
    for (int i = 0; i < 5; ++i) {
      const std::string account = std::to_string(i) + "@example.org";
      CHECK(guard.admit(address(1), account));
      guard.succeeded(address(1), account);
    }
    time.now += 20s;
    CHECK(guess(guard, address(1), "5@example.org") == 40);
    CHECK(guess(guard, address(2), "5@example.org") == 0);
    time.now += 40s;
    CHECK(guess(guard, address(1), "5@example.org") == 0);
  }
  SECTION("one account from different addresses, however it is spelled") {
    LoginGuard guard({}, time.clock());
    for (int i = 0; i < 5; ++i) {
      CHECK(guess(guard, address(i), i % 2 == 0 ? "ann@example.org" : "Ann@Example.ORG") == 0);
    }
    CHECK(guess(guard, address(9), "ANN@example.org") == 60);
    CHECK(guess(guard, address(9), "bob@example.org") == 0);
  }
}

TEST_CASE("guessing an account from 200 addresses is refused while its owner gets in from a known one",
          "[A27]") {
  Time time;
  LoginGuard guard({}, time.clock());
  REQUIRE(guard.admit("203.0.113.5", "owner@example.org"));
  guard.succeeded("203.0.113.5", "owner@example.org");
  int admitted = 0;
  int first_refusal = 0;
  for (int i = 0; i < 200; ++i) {
    const int wait = guess(guard, "10.0.0." + std::to_string(i), "owner@example.org");
    if (wait == 0) ++admitted;
    if (wait != 0 && first_refusal == 0) first_refusal = i + 1;
  }
  CHECK(admitted <= 5);
  CHECK(first_refusal <= 10);
  CHECK(guard.admit("203.0.113.5", "owner@example.org"));
  guard.succeeded("203.0.113.5", "owner@example.org");
  CHECK_FALSE(guard.admit("203.0.113.6", "owner@example.org"));
}

TEST_CASE("a known address is still limited as an address", "[A27]") {
  Time time;
  LoginGuard guard({}, time.clock());
  guard.remember(address(1), "ann@example.org");
  for (int i = 0; i < 5; ++i) CHECK(guess(guard, address(1), "ann@example.org") == 0);
  CHECK(guess(guard, address(1), "ann@example.org") == 60);
  CHECK(guess(guard, address(2), "ann@example.org") == 0);
}

TEST_CASE("many accounts from one address are refused after five, and the account is not charged for it",
          "[A27]") {
  Time time;
  LoginGuard guard({}, time.clock());
  int admitted = 0;
  for (int i = 0; i < 50; ++i) admitted += guess(guard, address(1), std::to_string(i) + "@example.org") == 0;
  CHECK(admitted == 5);
  for (int i = 0; i < 100; ++i) guess(guard, address(1), "victim@example.org");
  for (int i = 0; i < 5; ++i) CHECK(guess(guard, address(10 + i), "victim@example.org") == 0);
}

TEST_CASE("failures that go on lengthen the window up to a quarter of an hour", "[A27]") {
  Time time;
  LoginGuard guard({}, time.clock());
  std::vector<int> waits;
  int from = 0;
  for (int window = 0; window < 9; ++window) {
    int wait = 0;
    while ((wait = guess(guard, address(from++), "ann@example.org")) == 0) {
    }
    waits.push_back(wait);
    time.now += std::chrono::seconds(wait);
  }
  CHECK(waits == std::vector<int>{60, 60, 120, 240, 480, 900, 900, 900, 900});

  SECTION("a quiet time forgets them") {
    time.now += 1801s;
    while (guess(guard, address(from++), "ann@example.org") == 0) {
    }
    CHECK(guess(guard, address(from++), "ann@example.org") == 60);
  }
  SECTION("the owner getting in forgets them") {
    REQUIRE(guard.admit("203.0.113.5", "ann@example.org"));
    guard.succeeded("203.0.113.5", "ann@example.org");
    time.now += 900s;
    while (guess(guard, address(from++), "ann@example.org") == 0) {
    }
    CHECK(guess(guard, address(from++), "ann@example.org") == 60);
  }
}

TEST_CASE("a guesser with an account of their own does not reset their address by logging in", "[A27]") {
  Time time;
  LoginGuard guard({}, time.clock());
  int wait = 0;
  for (int window = 0; window < 6; ++window) {
    for (int i = 0; i < 4; ++i) {
      CHECK(guess(guard, address(1), std::to_string(window * 4 + i) + "@example.org") == 0);
    }
    CHECK(guard.admit(address(1), "guesser@example.org"));
    guard.succeeded(address(1), "guesser@example.org");
    wait = guess(guard, address(1), "victim@example.org");
    time.now += std::chrono::seconds(wait);
  }
  CHECK(wait > 60);
}

TEST_CASE("only the last few addresses of an account are known, and forgetting it forgets them", "[A27]") {
  Time time;
  LoginGuard guard({.known_addresses = 2}, time.clock());
  for (int i = 1; i <= 3; ++i) guard.remember(address(i), "ann@example.org");
  for (int i = 0; i < 5; ++i) guess(guard, address(100 + i), "ann@example.org");
  CHECK_FALSE(guard.admit(address(1), "ann@example.org"));
  CHECK(guard.admit(address(2), "ann@example.org"));
  CHECK(guard.admit(address(3), "ann@example.org"));
  guard.forget("Ann@example.org");
  for (int i = 0; i < 5; ++i) CHECK(guess(guard, address(110 + i), "ann@example.org") == 0);
  CHECK_FALSE(guard.admit(address(3), "ann@example.org"));
}

TEST_CASE("memory stays bounded, and who is being guessed now is not forgotten for strangers", "[A27]") {
  Time time;
  LoginGuard guard({.max_entries = 100}, time.clock());
  for (int i = 0; i < 5; ++i) guess(guard, address(i), "victim@example.org");
  for (int i = 0; i < 5000; ++i) {
    guess(guard, "10.1." + std::to_string(i), std::string(2000, 'x') + std::to_string(i));
    if (i % 50 == 0) CHECK(guess(guard, "10.2." + std::to_string(i), "victim@example.org") > 0);
  }
}

TEST_CASE("attempts in flight on many threads count too", "[A27]") {
  LoginGuard guard;
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string from = std::to_string(t) + "." + std::to_string(i);
        if (guard.admit(from, "ann@example.org")) ++admitted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(admitted == 5);
}

TEST_CASE("limits that make no sense stop the start") {
  CHECK_THROWS_AS(LoginGuard({.quota = 0}), std::invalid_argument);
  CHECK_THROWS_AS(LoginGuard({.window_seconds = 0}), std::invalid_argument);
  CHECK_THROWS_AS(LoginGuard({.window_seconds = 60, .longest_window_seconds = 59}), std::invalid_argument);
  CHECK_THROWS_AS(LoginGuard({.max_entries = 0}), std::invalid_argument);
}
