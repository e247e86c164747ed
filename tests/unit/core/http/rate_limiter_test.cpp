#include "core/http/rate_limiter.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lumina::http;
using namespace std::chrono_literals;

namespace {

// A steady clock that stands still until told to move.
struct Time {
  std::chrono::steady_clock::time_point now{1000s};
  RateLimiter::SteadyClock clock() {
    return [this] { return now; };
  }
};

RatePolicy thousand_a_minute() { return {"default", 1000, 60}; }

}  // namespace

TEST_CASE("the 1,001st request in a minute is refused and the next minute starts anew", "[A28]") {
  Time time;
  RateLimiter limiter({thousand_a_minute()}, 100, time.clock());
  const PolicyId policy = limiter.find("default").value();
  for (int i = 0; i < 1000; ++i) {
    const RateDecision decision = limiter.check(policy, "192.0.2.1");
    if (!decision.allowed || decision.remaining != 999 - i) FAIL("request " << i);
  }
  time.now += 18s;
  const RateDecision refused = limiter.check(policy, "192.0.2.1");
  CHECK_FALSE(refused.allowed);
  CHECK(refused.remaining == 0);
  CHECK(refused.reset_seconds == 42);
  CHECK(limiter.check(policy, "192.0.2.2").allowed);

  time.now += 42s - 1ns;
  CHECK_FALSE(limiter.check(policy, "192.0.2.1").allowed);
  time.now += 1ns;
  const RateDecision fresh = limiter.check(policy, "192.0.2.1");
  CHECK(fresh.allowed);
  CHECK(fresh.remaining == 999);
  CHECK(fresh.reset_seconds == 60);
}

TEST_CASE("the header fields are spelled as the draft spells them", "[A28]") {
  Time time;
  RateLimiter limiter({thousand_a_minute(), {"auth", 10, 60}}, 100, time.clock());
  const PolicyId policy = limiter.find("default").value();
  CHECK(limiter.policy_field(policy) == R"("default";q=1000;w=60)");
  limiter.check(policy, "a");
  limiter.check(policy, "a");
  time.now += 17500ms;
  const RateDecision third = limiter.check(policy, "a");
  CHECK(limiter.limit_field(policy, third) == R"("default";r=997;t=43)");
  const PolicyId auth = limiter.find("auth").value();
  CHECK(limiter.policy_field(auth) == R"("auth";q=10;w=60)");
  CHECK(limiter.limit_field(auth, {false, 0, 1}) == R"("auth";r=0;t=1)");
}

TEST_CASE("policies count separately, each with its own quota and window", "[A28]") {
  Time time;
  RateLimiter limiter({{"upload", 2, 60}, {"search", 3, 10}}, 100, time.clock());
  const PolicyId upload = limiter.find("upload").value();
  const PolicyId search = limiter.find("search").value();
  CHECK_FALSE(limiter.find("other").has_value());
  CHECK(limiter.policy(search).quota == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(limiter.check(upload, "a").allowed == (i < 2));
    CHECK(limiter.check(search, "a").allowed);
  }
  CHECK_FALSE(limiter.check(search, "a").allowed);
  time.now += 10s;
  CHECK(limiter.check(search, "a").allowed);
  CHECK_FALSE(limiter.check(upload, "a").allowed);
}

TEST_CASE("policies that make no sense stop the start") {
  const auto make = [](std::vector<RatePolicy> policies) { RateLimiter limiter(std::move(policies)); };
  CHECK_THROWS_AS(make({}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"", 1, 1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"a\"b", 1, 1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"a", 0, 1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"a", 1, 0}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"a", 1, 86401}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{"a", 1, 1}, {"a", 2, 2}}), std::invalid_argument);
  CHECK_NOTHROW(make({{"a", 1, 86400}}));
}

TEST_CASE("a million strangers do not fill the memory", "[A28]") {
  Time time;
  RateLimiter limiter({thousand_a_minute()}, 4096, time.clock());
  const PolicyId policy{0};
  for (int i = 0; i < 200'000; ++i) {
    CHECK(limiter.check(policy, "stranger " + std::to_string(i)).allowed);
    if (i % 1000 == 0) time.now += 1s;
  }
  CHECK(limiter.clients() <= 4096);
  CHECK(limiter.clients() > 3000);
}

TEST_CASE("clients whose window has ended make room before any other", "[A28]") {
  Time time;
  RateLimiter limiter({{"default", 1, 60}}, 32 * 64, time.clock());
  const PolicyId policy{0};
  for (int i = 0; i < 1500; ++i) limiter.check(policy, "old " + std::to_string(i));
  time.now += 61s;
  CHECK(limiter.check(policy, "busy").allowed);
  for (int i = 0; i < 1000; ++i) limiter.check(policy, "new " + std::to_string(i));
  CHECK_FALSE(limiter.check(policy, "busy").allowed);
  CHECK(limiter.clients() < 1500);
}

TEST_CASE("keys of any length and content are clients of their own, up to a limit") {
  RateLimiter limiter({{"default", 1, 60}});
  const PolicyId policy{0};
  CHECK(limiter.check(policy, "").allowed);
  CHECK_FALSE(limiter.check(policy, "").allowed);
  CHECK(limiter.check(policy, std::string_view("\0", 1)).allowed);
  std::string key;
  for (int i = 0; i < 127; ++i) {
    key += 'x';
    INFO(i);
    CHECK(limiter.check(policy, key).allowed);
    CHECK_FALSE(limiter.check(policy, key).allowed);
  }
  key.resize(RateLimiter::longest_key, 'y');
  CHECK(limiter.check(policy, key).allowed);
  CHECK_FALSE(limiter.check(policy, key + "whatever follows").allowed);
}

TEST_CASE("the limiter agrees with a plain count over random traffic", "[A28]") {
  Time time;
  RateLimiter limiter({{"default", 7, 30}}, 100'000, time.clock());
  struct Window {
    std::chrono::steady_clock::time_point end{};
    int used = 0;
  };
  std::map<std::string, Window> model;
  std::mt19937 random(28);
  for (int i = 0; i < 50'000; ++i) {
    time.now += std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 400)(random));
    const std::string client = std::to_string(std::uniform_int_distribution<int>(0, 300)(random));
    Window& window = model[client];
    if (window.end <= time.now) window = {time.now + 30s, 0};
    const bool expected = window.used < 7;
    window.used += expected;
    const RateDecision decision = limiter.check({0}, client);
    if (decision.allowed != expected || decision.remaining != 7 - window.used || decision.reset_seconds < 1 ||
        decision.reset_seconds > 30) {
      FAIL("request " << i);
    }
  }
}

TEST_CASE("threads that share a client share its quota exactly", "[A28]") {
  RateLimiter limiter({{"default", 1000, 3600}});
  std::atomic<int> allowed = 0;
  std::atomic<int> others = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string own = "own " + std::to_string(t);
      for (int i = 0; i < 2000; ++i) {
        if (limiter.check({0}, "shared").allowed) ++allowed;
        if (limiter.check({0}, own).allowed) ++others;
        limiter.check({0}, std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(allowed == 1000);
  CHECK(others == 4000);
}

TEST_CASE("one client is an IPv4 address or an IPv6 network of 64 bits", "[A28]") {
  CHECK(address_key("192.0.2.7") == "192.0.2.7");
  CHECK(address_key("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(address_key("2001:db8:1:2::1") == address_key("2001:DB8:1:2:ffff::9"));
  CHECK(address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1"));
  CHECK(address_key("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(address_key("::1") == "::/64");
  CHECK(address_key("not an address") == "not an address");
  CHECK(address_key("") == "");
  CHECK(address_key(std::string_view("::1\0x", 5)) == std::string_view("::1\0x", 5));
}
