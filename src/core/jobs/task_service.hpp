// What people do with their jobs: look, cancel, and, administrators, try a failed one again.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/model.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"

#include <string>

namespace lumina::jobs {

class TaskService {
 public:
  TaskService(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
              Runner& runner)
      : database_(database), clock_(clock), journal_(journal), queue_(queue), runner_(runner) {}

  // Somebody else's task is not found, but by those who may see all.
  Task<Result<TaskState>> find(std::string task_id, Caller by);
  // The newest first. One's own; all, for those who may see all.
  Task<Result<Page<TaskState>>> list(TaskFilter filter, Caller by, PageRequest page);
  // Ends what has not ended. From the commit on, nothing of it is written any more.
  Task<Result<TaskState>> cancel(std::string task_id, Caller by);
  // A failed or cancelled task starts again with all its tries: refused (task_not_ended, duplicate_task)
  // otherwise.
  Task<Result<TaskState>> retry(std::string task_id, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  Queue& queue_;
  Runner& runner_;
};

}  // namespace lumina::jobs
