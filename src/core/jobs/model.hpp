// Jobs: work that outlives the request that asked for it. The API calls them tasks.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::jobs {

// `failed` is dead: it is not tried again until an administrator says so.
enum class TaskStatus : std::uint8_t { queued, running, succeeded, failed, cancelled };
constexpr std::array<std::string_view, 5> task_status_names{"queued", "running", "succeeded", "failed",
                                                            "cancelled"};
constexpr auto& enum_names(TaskStatus) { return task_status_names; }

// Interactive jobs go before bulk ones: somebody waits for them.
enum class Priority : std::uint8_t { interactive, bulk };

// The first try and five more, after 1, 2, 4, 8 and 16 seconds.
constexpr int default_attempts = 6;

struct NewJob {
  std::string kind;            // of a handler: "books.import"
  std::string payload = "{}";  // JSON for the handler; no secrets, no NUL
  Priority priority = Priority::bulk;
  // While a job of this kind with this key is queued or running, enqueueing again gives that one.
  std::optional<std::string> unique_key{};
  std::optional<Timestamp> run_at{};  // not before; at once when empty
  int max_attempts = default_attempts;
  std::optional<UserId> user{};  // who sees it under /tasks, and whose share of the workers it takes
};

struct TaskState {
  std::string task_id, kind;
  TaskStatus status = TaskStatus::queued;
  double progress = 0;  // 0 to 1
  std::int64_t attempts = 0, max_attempts = 0;
  schema::RawJson result;
  std::optional<std::string> error;
  std::optional<UserId> user_id;
  Timestamp created_at, run_at;
  std::optional<Timestamp> started_at, finished_at;

  static constexpr std::string_view type_name = "Task";
  static std::vector<schema::Field> fields();
};

struct TaskAccepted {
  std::string task_id, status = "processing";
  static constexpr std::string_view type_name = "TaskAccepted";
  static std::vector<schema::Field> fields();
};

struct TaskFilter {
  std::optional<TaskStatus> status;
  std::optional<std::string> kind;
  static constexpr std::string_view type_name = "TaskFilter";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::jobs
