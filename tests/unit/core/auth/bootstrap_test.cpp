#include "core/auth/bootstrap.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace lumina::auth {
namespace {

using namespace std::chrono_literals;
constexpr Timestamp start{1'000'000};

TEST_CASE("the token for the first administrator works once, in its time", "[A52]") {
  BootstrapToken bootstrap;
  CHECK_FALSE(bootstrap.claim("", start));
  const auto token = bootstrap.offer(start, 30min);
  CHECK(token.size() == 43);
  CHECK_FALSE(bootstrap.claim("", start));
  CHECK_FALSE(bootstrap.claim(token + "x", start));
  CHECK_FALSE(bootstrap.claim(token, start + 30min));
  REQUIRE(bootstrap.claim(token, start + 29min));
  CHECK_FALSE(bootstrap.claim(token, start));  // somebody is at it
  bootstrap.give_back();
  REQUIRE(bootstrap.claim(token, start));
  bootstrap.spend();
  CHECK_FALSE(bootstrap.claim(token, start));
  const auto next = bootstrap.offer(start, 30min);
  CHECK(next != token);
  CHECK_FALSE(bootstrap.claim(token, start));
  CHECK(bootstrap.claim(next, start));
}

TEST_CASE("of many who claim it at once, one gets it", "[A52]") {
  BootstrapToken bootstrap;
  const auto token = bootstrap.offer(start, 30min);
  std::atomic<int> got{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { got += bootstrap.claim(token, start) ? 1 : 0; });
  for (auto& thread : threads) thread.join();
  CHECK(got == 1);
}

}  // namespace
}  // namespace lumina::auth
