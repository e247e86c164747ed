// Long work and its state.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

namespace lumina::jobs {

enum class TaskStatus : std::uint8_t { queued, running, succeeded, failed, cancelled };
constexpr std::array<std::string_view, 5> task_status_names{"queued", "running", "succeeded", "failed", "cancelled"};
constexpr auto& enum_names(TaskStatus) { return task_status_names; }

struct TaskState {
  std::string task_id, kind;
  TaskStatus status = TaskStatus::queued;
  double progress = 0;  // 0 to 1
  schema::RawJson result;
  std::optional<std::string> error;
  std::optional<UserId> user_id;
  Timestamp created_at;
  std::optional<Timestamp> started_at, finished_at;

  static constexpr std::string_view type_name = "Task";
  static std::vector<schema::Field> fields();
};

struct TaskAccepted {
  std::string task_id, status = "processing";
  static constexpr std::string_view type_name = "TaskAccepted";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::jobs
