// Runs jobs: claims them from the database, keeps their leases alive, retries what failed, and takes over
// what another instance left.
//
//   runner.handle("documents.process", {.concurrency = 2}, [&](jobs::JobContext& job) -> Result<std::string>
//   {
//     ... job.payload() ...
//     auto keep = [&](db::Transaction& tx) -> Status {
//       ...the effect...
//       return job.complete(tx, report);  // the end of the job and its effect are one transaction
//     };
//     if (auto kept = job.database().write_now(std::move(keep)); !kept) return
//     Failure(std::move(kept.error())); return report;
//   });
//
// How often a handler runs: at least once, until one run ends well. Its effect happens exactly once when it
// is written in the transaction that calls complete(); in work of several transactions each begins with
// guard(). Both fail with the code "lease_lost" when the job was cancelled or another worker has it; pass the
// error on, so that it rolls back.
//
// Errors of a handler: unavailable, storage_full, conflict, rate_limited and exceptions are tried again after
// the pauses of `backoff` (or retry_after_seconds when that is longer), every other error fails at once. Each
// worker thread runs one job at a time, and handlers may block. Order: interactive before bulk; then fair
// between the people who asked; then as they came. `concurrency` is per process. A lease whose owner is
// silent for Options::lease is taken over.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/repository.hpp"
#include "core/runtime/pool.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lumina::jobs {

class Runner;

// One run of one job. Used on the thread that runs it, but for cancelled().
class JobContext {
 public:
  JobContext(Runner& runner, Claim claim) : runner_(runner), claim_(std::move(claim)) {}

  const std::string& id() const { return claim_.id; }
  const std::string& kind() const { return claim_.kind; }
  const std::string& payload() const { return claim_.payload; }
  std::optional<UserId> user() const { return claim_.user; }
  int attempt() const { return claim_.attempt; }  // 1 at the first try
  bool last_attempt() const { return claim_.attempt >= claim_.max_attempts; }
  db::Database& database() const;
  // Who acts, for the journal: the person who asked, or the library itself. Carries no role.
  Caller caller() const;

  // 0 to 1. Written at most once a second.
  void progress(double part);
  // Whether to end soon: the job was cancelled, its lease is lost, or the process stops. Answer with
  // interrupted().
  bool cancelled() const;
  // When the process stops: the job is given back and runs again later, this try not counted.
  static Failure interrupted();

  // In a write transaction: the job ends well with it. `result` is JSON.
  Status complete(db::Transaction& tx, std::string_view result);
  // In a write transaction: goes on only if the job is still ours, and keeps it ours until the commit.
  Status guard(db::Transaction& tx) const;

 private:
  friend class Runner;
  Runner& runner_;
  const Claim claim_;
  std::atomic<bool> lost_{false}, completed_{false};
  std::chrono::steady_clock::time_point reported_{};
};

// Pauses in seconds before the second, third, ... try.
inline constexpr std::array<std::chrono::seconds, 5> usual_backoff{
    std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(4), std::chrono::seconds(8),
    std::chrono::seconds(16)};

struct HandlerOptions {
  int concurrency = 2;  // jobs of the kind at once in this process; 0: as many as there are threads
  // Of those, what one person may have at once, also while nobody else waits: who comes later finds room
  // although the jobs are long. 0: all.
  int per_person = 0;
  std::vector<std::chrono::seconds> backoff{usual_backoff.begin(), usual_backoff.end()};
};

// The result is JSON text.
using Handler = std::function<Result<std::string>(JobContext&)>;

struct RunnerOptions {
  std::chrono::milliseconds lease{30'000};  // beats three times in it
  std::chrono::milliseconds poll{500};      // how long a job of another instance may wait to be seen
};

class Runner {
 public:
  // `origin` names this process among several. The pool's threads are the workers; it serves nothing else.
  Runner(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
         runtime::Pool& pool, const std::string& origin, RunnerOptions options);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Before start(). Jobs of kinds without a handler stay queued.
  void handle(std::string kind, HandlerOptions options, Handler handler);
  void start();
  // Claims nothing more, tells what runs, gives back what has not begun, and waits for the rest. Idempotent;
  // the database has to be there still, or leases run out by themselves.
  void stop();

  // Tells a job that runs here that it was cancelled.
  void tell_cancelled(const std::string& job_id);

  std::vector<std::string> kinds() const;
  // As of the last few seconds. States: queued, running, failed.
  std::int64_t figure(std::string_view state, std::string_view kind) const;
  // How long the job has waited that should have run first, as of then.
  std::chrono::milliseconds longest_wait() const { return std::chrono::milliseconds(longest_wait_.load()); }
  struct Totals {
    std::uint64_t succeeded = 0, failed = 0, retried = 0, taken_over = 0;
  };
  Totals totals() const;

 private:
  friend class JobContext;
  struct Kind {
    HandlerOptions options;
    Handler handler;
  };

  void dispatch();
  void beat();
  bool claim_some();
  void count();
  void run(const std::shared_ptr<JobContext>& job);
  Result<std::string> attempt(JobContext& job) const;
  void finish(JobContext& job, const Result<std::string>& outcome);
  void tell(db::Transaction& tx, std::string_view type, const Claim& claim);
  void wake();

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  runtime::Pool& pool_;
  const RunnerOptions options_;
  const std::string owner_;
  const int threads_;
  std::map<std::string, Kind> kinds_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Claimed here, by id and lease: a job may come back while a run of it that lost its lease has not ended.
  std::map<std::pair<std::string, std::int64_t>, std::shared_ptr<JobContext>> held_;
  bool woken_ = false;
  std::map<std::pair<std::string, std::string>, std::int64_t> figures_;  // (state, kind)
  std::atomic<bool> stopping_{false};
  std::atomic<double> usual_seconds_{1};  // of a run, lately
  std::atomic<std::uint64_t> succeeded_{0}, failed_{0}, retried_{0}, taken_over_{0};
  std::atomic<std::int64_t> longest_wait_{0};  // milliseconds
  std::thread dispatcher_;
};

}  // namespace lumina::jobs
