// Runs long work beside requests and keeps its state in the database, where every instance can read it.
//
// Work runs on the jobs pool of the instance that took it. A task whose instance died is found by its heartbeat and
// marked failed; work is written so that doing it again does no harm.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/jobs/model.hpp"
#include "core/runtime/pool.hpp"

namespace lumina::jobs {

class Runner;

// What running work reports to and asks. Used on the work's own thread.
class Progress {
 public:
  Progress(Runner& runner, std::string task_id) : runner_(runner), task_id_(std::move(task_id)) {}
  // 0 to 1. Written at most once a second.
  void at(double part);
  // Whether the work should end early, leaving what it did.
  bool cancelled() const { return cancelled_; }

 private:
  Runner& runner_;
  std::string task_id_;
  std::int64_t written_ms_ = 0;
  bool cancelled_ = false;
};

class Runner {
 public:
  Runner(db::Database& database, const Clock& clock, runtime::Pool& pool)
      : database_(database), clock_(clock), pool_(pool) {}

  // The result is JSON text. A full queue is unavailable.
  using Work = std::function<Result<std::string>(Progress&)>;
  Task<Result<TaskAccepted>> start(std::string kind, Caller by, Work work);

  // Somebody else's task is not found, but by those who may see all.
  Task<Result<TaskState>> find(std::string task_id, Caller by);
  Task<Result<Page<TaskState>>> list(Caller by, PageRequest page);
  Task<Status> cancel(std::string task_id, Caller by);

  // Marks tasks whose instance died. At start, and now and then.
  Task<Result<std::int64_t>> bury_interrupted();
  // From now on running work is told to end.
  void stop() { stopping_ = true; }

 private:
  friend class Progress;
  void run(const std::string& task_id, const Work& work);

  db::Database& database_;
  const Clock& clock_;
  runtime::Pool& pool_;
  std::atomic<bool> stopping_{false};
};

}  // namespace lumina::jobs
