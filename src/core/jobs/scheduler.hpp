// Work that comes round by itself. Each tick becomes a job, fired once whatever the number of instances:
// whoever moves the schedule's next_at on in the database enqueues it, in one transaction. After a downtime a
// missed tick is made up for once, not as often as it was missed.
//
//   scheduler.add("borrows.overdue", "Marks loans that are overdue", Cadence::daily(0, 5, zone),
//                 [&](jobs::JobContext&) -> Result<std::string> { ... });
//
// The name is also the kind of the job.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/task.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/cadence.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lumina::jobs {

struct Schedule {
  std::string name, description, cadence;
  Timestamp next_at;
  std::optional<Timestamp> last_at;
  std::optional<std::string> last_task_id;

  static constexpr std::string_view type_name = "Schedule";
  static std::vector<schema::Field> fields();
};

class Scheduler {
 public:
  Scheduler(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
            Runner& runner)
      : database_(database), clock_(clock), journal_(journal), queue_(queue), runner_(runner) {}
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Before Runner::start() and prepare(). Two ticks of one schedule never overlap.
  void add(std::string name, std::string description, Cadence cadence, Handler work);
  // Writes down schedules that are new or whose cadence changed; blocking, after the last add().
  void prepare();
  // Fires what is due; gives the number. Blocking; what start() does once a second.
  std::size_t tick();
  void start();
  void stop();

  Task<Result<std::vector<Schedule>>> list();
  // Now, besides its regular ticks. The task that does it; the one that is at it already, when there is one.
  Task<Result<TaskAccepted>> run_now(std::string name, Caller by);

 private:
  struct Entry {
    std::string description;
    Cadence cadence;
    Timestamp next_at;  // as last seen in the database; others may have moved it on
  };
  std::string fire(db::Transaction& tx, const std::string& name, Timestamp now, std::optional<UserId> user);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  Queue& queue_;
  Runner& runner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Entry> entries_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lumina::jobs
