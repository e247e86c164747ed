// Where jobs are put. A service that starts work holds a Queue and enqueues in the transaction of its change:
// the job is committed with the change or not at all.
//
//   auto work = [this](db::Transaction& tx) -> Result<std::string> {
//     ...;
//     return queue_.enqueue(tx, {.kind = "documents.process", .payload = payload, .user = by.user});
//   };
//
// Handlers of the kinds are registered with the Runner (runner.hpp). Any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/jobs/model.hpp"

#include <functional>
#include <string>

namespace lumina::jobs {

class Queue {
 public:
  Queue(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // The id of the job; of the one that is there already when unique_key says so. A job that is running counts
  // as there: its handler must read what it works on after it began, or the caller must not use a key. Runner
  // threads of this process begin it right after the commit, those of other instances within their poll time.
  std::string enqueue(db::Transaction& tx, const NewJob& job);
  // By itself, for requests whose only effect is the job.
  Task<Result<TaskAccepted>> submit(NewJob job);

  // Called after a commit that made a job due. At start-up only, before the first job.
  void on_work(std::function<void()> wake) { wake_ = std::move(wake); }
  void wake() const {
    if (wake_) wake_();
  }

 private:
  db::Database& database_;
  const Clock& clock_;
  std::function<void()> wake_;
};

}  // namespace lumina::jobs
