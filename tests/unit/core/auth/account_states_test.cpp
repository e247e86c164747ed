#include "core/auth/account_states.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

namespace lumina::auth {
namespace {

using namespace std::chrono_literals;

AccountStatePtr somebody(std::int64_t epoch = 0) {
  auto state = std::make_shared<AccountState>();
  state->exists = state->is_active = true;
  state->epoch = epoch;
  return state;
}

struct Fixture {
  events::Bus bus;
  std::chrono::steady_clock::time_point now{};
  AccountStates states{bus, {.max_age = 1000ms, .most_people = 128}, [this] { return now; }};

  void keep(UserId user, AccountStatePtr state) {
    states.keep(user, states.before_reading(user), std::move(state));
  }
  void tell(std::string type, std::optional<UserId> user) {
    events::Event event;
    event.type = std::move(type);
    event.user = user;
    bus.publish(event);
  }
};

TEST_CASE("a state is there until an event about its person comes", "[A7]") {
  Fixture f;
  CHECK(f.states.find(UserId{1}) == nullptr);
  f.keep(UserId{1}, somebody());
  f.keep(UserId{2}, somebody());
  CHECK(f.states.find(UserId{1}) != nullptr);
  f.tell("book.created", UserId{1});
  f.tell("user.updated", std::nullopt);
  f.tell("session.ended", UserId{2});
  CHECK(f.states.find(UserId{1}) != nullptr);
  CHECK(f.states.find(UserId{2}) == nullptr);
  for (const char* type : {"user.role_changed", "session.revoked", "api_key.deleted"}) {
    f.keep(UserId{1}, somebody());
    f.tell(type, UserId{1});
    CHECK(f.states.find(UserId{1}) == nullptr);
  }
}

TEST_CASE("what was read before a change is not kept after it", "[A7]") {
  Fixture f;
  const auto ticket = f.states.before_reading(UserId{1});
  f.tell("session.ended", UserId{1});
  f.states.keep(UserId{1}, ticket, somebody());
  CHECK(f.states.find(UserId{1}) == nullptr);
  f.keep(UserId{1}, somebody());
  CHECK(f.states.find(UserId{1}) != nullptr);
}

TEST_CASE("a state is read again after a second, by one early and by all when it is over", "[A7]") {
  Fixture f;
  f.keep(UserId{1}, somebody());
  f.now += 499ms;
  CHECK(f.states.find(UserId{1}) != nullptr);
  f.now += 1ms;
  CHECK(f.states.find(UserId{1}) == nullptr);
  CHECK(f.states.find(UserId{1}) != nullptr);
  CHECK(f.states.find(UserId{1}) != nullptr);
  f.now += 500ms;
  CHECK(f.states.find(UserId{1}) == nullptr);
  CHECK(f.states.find(UserId{1}) == nullptr);

  // The age counts from the moment reading began, not from its end.
  const auto ticket = f.states.before_reading(UserId{1});
  f.now += 900ms;
  f.states.keep(UserId{1}, ticket, somebody());
  f.now += 100ms;
  CHECK(f.states.find(UserId{1}) == nullptr);
}

TEST_CASE("the number of people in memory has a bound, and newcomers still get in") {
  Fixture f;
  for (std::int64_t id = 1; id <= 10'000; ++id) f.keep(UserId{id}, somebody());
  CHECK(f.states.size() == 128);
  f.keep(UserId{20'000}, somebody());
  CHECK(f.states.find(UserId{20'000}) != nullptr);
}

TEST_CASE("a person whose state changes under many readers is never seen as before", "[A7]") {
  events::Bus bus;
  AccountStates states(bus, {});
  std::atomic<std::int64_t> stored{0};  // what the database would say
  std::atomic<std::int64_t> told{0};    // what was answered to whoever changed it
  std::atomic<bool> stop{false};
  std::atomic<int> outdated{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const std::int64_t at_least = told;
        auto state = states.find(UserId{1});
        if (!state) {
          const auto ticket = states.before_reading(UserId{1});
          state = somebody(stored);
          states.keep(UserId{1}, ticket, state);
        }
        if (state->epoch < at_least) ++outdated;
      }
    });
  events::Event event;
  event.type = "user.role_changed";
  event.user = UserId{1};
  for (std::int64_t n = 1; n <= 20'000; ++n) {
    stored = n;
    bus.publish(event);
    told = n;
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(outdated == 0);
}

}  // namespace
}  // namespace lumina::auth
