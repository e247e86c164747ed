// A queue and any number of runners on one fresh database, with an effect table to count what jobs did.
#pragma once
#include "core/db/migrator.hpp"
#include "core/jobs/runner.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace lumina::test {

using namespace std::chrono_literals;

constexpr auto morning = "2026-11-22T10:00:00Z";

// One process on the database: connections, pool and runner of its own.
class Instance {
 public:
  Instance(const std::string& url, std::shared_ptr<const Clock> clock, int threads = 4,
           jobs::RunnerOptions options = {30s, 10ms})
      : clock_(std::move(clock)),
        database({url, 2, 8, 4096}),
        journal(*clock_, bus, "test"),
        queue(database, *clock_),
        pool("jobs", static_cast<std::size_t>(threads), 64),
        runner(database, *clock_, journal, queue, pool, "test", options) {}
  // As a crash would end it when the database was stopped before; in order otherwise.
  ~Instance() {
    runner.stop();
    pool.stop();
    database.stop();
  }

  std::string put(const jobs::NewJob& job) {
    auto work = [&](db::Transaction& tx) { return queue.enqueue(tx, job); };
    return *database.write_now(std::move(work));
  }
  // Many rows in one statement: through the queue, each would cost a round trip.
  void put_many(const std::string& kind, int count, const std::string& payload = "null",
                std::int64_t user = 0) {
    auto work = [&](db::Transaction& tx) -> Status {
      tx.execute(
          "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < CAST($1 AS BIGINT)) "
          "INSERT INTO jobs (id, kind, payload, priority, fair_key, turn, status, run_at, max_attempts, "
          "user_id, "
          "created_at) SELECT CAST($2 AS TEXT) || i, CAST($3 AS TEXT), CAST($4 AS TEXT), 1, CAST($5 AS "
          "BIGINT), i, "
          "'queued', 0, 6, nullif(CAST($5 AS BIGINT), 0), 0 FROM n",
          count, kind + payload + std::to_string(user) + "-", kind, payload, user);
      return {};
    };
    REQUIRE(database.write_now(std::move(work)));
    queue.wake();
  }
  // Runs the job's effect and its end in one transaction.
  static Result<std::string> effect(jobs::JobContext& job) {
    auto work = [&](db::Transaction& tx) -> Status {
      tx.execute("INSERT INTO effects (job) VALUES ($1)", job.id());
      return job.complete(tx, "\"done\"");
    };
    if (auto kept = job.database().write_now(std::move(work)); !kept) return Failure(std::move(kept.error()));
    return "\"done\"";
  }
  std::int64_t number(std::string_view sql) {
    auto work = [&](db::Transaction& tx) -> std::int64_t { return std::get<0>(*tx.one<std::int64_t>(sql)); };
    return *database.read_now(std::move(work));
  }
  std::string text(std::string_view sql, const std::string& id) {
    auto work = [&](db::Transaction& tx) -> std::string {
      const auto row = tx.one<std::string>(sql, id);
      return row ? std::get<0>(*row) : "";
    };
    return *database.read_now(std::move(work));
  }
  std::string status(const std::string& id) { return text("SELECT status FROM jobs WHERE id = $1", id); }
  std::int64_t unfinished() {
    return number("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')");
  }

 private:
  std::shared_ptr<const Clock> clock_;
  events::Bus bus;

 public:
  db::Database database;
  events::Journal journal;
  jobs::Queue queue;
  runtime::Pool pool;
  jobs::Runner runner;
};

inline void prepare(const TestDatabase& fresh) {
  db::migrate(fresh.url());
  fresh.script("CREATE TABLE effects (job TEXT NOT NULL)");
}

// Waits for what other threads bring about; the bound only ends a test that failed.
inline bool eventually(const std::function<bool()>& true_at_last) {
  for (int i = 0; i < 60'000; ++i) {
    if (true_at_last()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

}  // namespace lumina::test
