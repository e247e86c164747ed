#include "unit/core/jobs/fixture.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("kill -9 with a thousand queued and four running: all finish once after the restart", "[I1]") {
  TestDatabase fresh(GENERATE(from_databases()));
  prepare(fresh);
  auto clock = std::make_shared<SystemClock>();
  constexpr jobs::RunnerOptions quick{1s, 10ms};
  // The child has the threads; the parent starts its own only after the fork.
  const pid_t child = fork();
  if (child == 0) {
    Instance worker(fresh.url(), clock, 4, quick);
    std::atomic<int> run{0};
    worker.runner.handle("work", {.concurrency = 0}, [&](jobs::JobContext& job) -> Result<std::string> {
      // After fifty, four jobs hang in the middle until the end comes.
      if (++run > 50) {
        while (true) pause();
      }
      return Instance::effect(job);
    });
    worker.runner.start();
    while (true) pause();
  }
  REQUIRE(child > 0);
  Instance after(fresh.url(), clock, 4, quick);
  after.put_many("work", 1000);
  CHECK(
      eventually([&] { return after.number("SELECT count(*) FROM jobs WHERE status = 'succeeded'") == 50; }));
  CHECK(eventually([&] { return after.number("SELECT count(*) FROM jobs WHERE status = 'running'") >= 4; }));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  after.runner.handle("work", {.concurrency = 0}, Instance::effect);
  after.runner.start();
  REQUIRE(eventually([&] { return after.unfinished() == 0; }));
  CHECK(after.number("SELECT count(*) FROM jobs WHERE status = 'succeeded'") == 1000);
  CHECK(after.number("SELECT count(*) FROM effects") == 1000);
  CHECK(after.number("SELECT count(DISTINCT job) FROM effects") == 1000);
  CHECK(after.number("SELECT count(*) FROM jobs WHERE attempts = 2") >= 4);
}
