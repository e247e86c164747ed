// The API of jobs and schedules.
#pragma once
#include "core/http/route.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/jobs/task_service.hpp"

#include <vector>

namespace lumina::jobs {

std::vector<http::Route> task_routes(TaskService& tasks, Scheduler& scheduler);

// 202 with the task and where to ask for it.
Task<Result<http::Response>> accepted(Task<Result<TaskAccepted>> task);

}  // namespace lumina::jobs
