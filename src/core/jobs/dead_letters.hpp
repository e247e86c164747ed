// Dead letters: jobs of some kinds that failed for good, as the staff who look after that work see them.
// Those of every kind are under /tasks, for administrators.
//
// Public functions are awaited on an io thread; each is one unit of work. Any thread.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/model.hpp"
#include "core/jobs/queue.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::jobs {

struct DeadLetter {
  std::string task_id, kind;
  schema::RawJson about;  // what the job was given to do
  std::int64_t attempts = 0;
  std::optional<std::string> error;  // of the last try
  Timestamp created_at;
  std::optional<Timestamp> failed_at;

  static constexpr std::string_view type_name = "DeadLetter";
  static std::vector<schema::Field> fields();
};

class DeadLetters {
 public:
  // At most four kinds; their payloads hold nothing that the staff may not see.
  DeadLetters(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
              std::vector<std::string> kinds);

  // The one that failed last first.
  Task<Result<Page<DeadLetter>>> list(PageRequest page);
  // Starts again with all its tries. Not found: no dead letter of these kinds.
  Task<Result<TaskAccepted>> retry(std::string task_id, Caller by);

  // In somebody's unit of work: whether work of that kind with that key lies dead.
  static bool holds(db::Transaction& tx, const std::string& kind, const std::string& unique_key);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  Queue& queue_;
  std::vector<std::string> kinds_;
};

}  // namespace lumina::jobs
