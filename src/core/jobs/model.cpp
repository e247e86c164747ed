#include "core/jobs/model.hpp"

namespace lumina::jobs {

std::vector<schema::Field> TaskState::fields() {
  return {{"task_id", &TaskState::task_id, "Identifier"},
          {"kind", &TaskState::kind, "What is done"},
          {"status", &TaskState::status, "How it stands; failed is not tried again by itself"},
          {"progress", &TaskState::progress, "0 to 1"},
          {"attempts", &TaskState::attempts, "How often it was begun"},
          {"max_attempts", &TaskState::max_attempts, "After so many it fails for good"},
          {"result", &TaskState::result, "What came of it"},
          {"error", &TaskState::error, "Why it failed, or why it is tried again"},
          {"user_id", &TaskState::user_id, "Who asked for it; null for the library itself"},
          {"created_at", &TaskState::created_at, "When it was asked for"},
          {"run_at", &TaskState::run_at, "Not begun before"},
          {"started_at", &TaskState::started_at, "When it first began"},
          {"finished_at", &TaskState::finished_at, "When it ended"}};
}
std::vector<schema::Field> TaskAccepted::fields() {
  return {{"task_id", &TaskAccepted::task_id, "Ask GET /api/v1/tasks/{task_id}"},
          {"status", &TaskAccepted::status, "processing"}};
}
std::vector<schema::Field> TaskFilter::fields() {
  return {{"status", &TaskFilter::status, "Only tasks that stand so"},
          {"kind", &TaskFilter::kind, "Only tasks of this kind", {schema::length(1, 100)}}};
}

}  // namespace lumina::jobs
