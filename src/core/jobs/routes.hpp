// The API of long work.
#pragma once
#include <vector>

#include "core/http/route.hpp"
#include "core/jobs/runner.hpp"

namespace lumina::jobs {

std::vector<http::Route> task_routes(Runner& runner);

// 202 with the task and where to ask for it.
Task<Result<http::Response>> accepted(Task<Result<TaskAccepted>> task);

}  // namespace lumina::jobs
