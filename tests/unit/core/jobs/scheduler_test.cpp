#include "core/jobs/scheduler.hpp"

#include "unit/core/jobs/fixture.hpp"

#include <atomic>

using namespace lumina;
using namespace lumina::test;

namespace {

// An instance with one hourly schedule.
struct Scheduled {
  Scheduled(const std::string& url, const std::shared_ptr<FixedClock>& clock)
      : instance(url, clock),
        scheduler(instance.database, *clock, instance.journal, instance.queue, instance.runner) {
    scheduler.add("clean", "Cleans", jobs::Cadence::every(1h), Instance::effect);
    scheduler.prepare();
  }
  Instance instance;
  jobs::Scheduler scheduler;
};

}  // namespace

TEST_CASE("a schedule fires at its time, and once after a downtime", "[I5]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = std::make_shared<FixedClock>(*parse_rfc3339(morning));
  {
    Scheduled one(fresh.url(), clock);
    CHECK(one.scheduler.tick() == 0);
    clock->advance(59min);
    CHECK(one.scheduler.tick() == 0);
    clock->advance(1min);
    CHECK(one.scheduler.tick() == 1);
    CHECK(one.scheduler.tick() == 0);
    one.instance.runner.start();
    REQUIRE(eventually([&] { return one.instance.number("SELECT count(*) FROM effects") == 1; }));
  }
  clock->advance(5h);
  Scheduled two(fresh.url(), clock);
  two.instance.runner.start();
  CHECK(two.scheduler.tick() == 1);
  CHECK(two.scheduler.tick() == 0);
  REQUIRE(eventually([&] { return two.instance.number("SELECT count(*) FROM effects") == 2; }));
  CHECK(two.instance.number("SELECT next_at FROM schedules") == clock->now().ms + 3'600'000);
}

TEST_CASE("several instances fire each tick once between them", "[I4][I5]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = std::make_shared<FixedClock>(*parse_rfc3339(morning));
  std::vector<std::unique_ptr<Scheduled>> instances;
  for (int i = 0; i < 3; ++i) instances.push_back(std::make_unique<Scheduled>(fresh.url(), clock));
  std::atomic<std::size_t> fired{0};
  for (int hour = 1; hour <= 10; ++hour) {
    clock->advance(1h);
    std::vector<std::thread> threads;
    for (auto& one : instances) threads.emplace_back([&fired, &one] { fired += one->scheduler.tick(); });
    for (auto& thread : threads) thread.join();
    CHECK(fired == static_cast<std::size_t>(hour));
    auto& any = *instances.front();
    any.instance.runner.start();
    REQUIRE(eventually([&] { return any.instance.unfinished() == 0; }));
  }
  CHECK(instances.front()->instance.number("SELECT count(*) FROM effects") == 10);
}

TEST_CASE("a changed cadence moves the next tick, an unchanged one does not", "[I5]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = std::make_shared<FixedClock>(*parse_rfc3339(morning));
  Scheduled one(fresh.url(), clock);
  const auto first = one.instance.number("SELECT next_at FROM schedules");
  clock->advance(30min);
  Scheduled two(fresh.url(), clock);
  CHECK(two.instance.number("SELECT next_at FROM schedules") == first);
  Instance three(fresh.url(), clock);
  jobs::Scheduler other(three.database, *clock, three.journal, three.queue, three.runner);
  other.add("clean", "Cleans", jobs::Cadence::daily(23, 0, "UTC"), Instance::effect);
  other.prepare();
  CHECK(three.number("SELECT next_at FROM schedules") == parse_rfc3339("2026-11-22T23:00:00Z")->ms);
}
