#include "core/jobs/routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::jobs {

using namespace http;

std::vector<Route> task_routes(Runner& runner) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Tasks")); };
  add(get("/api/v1/tasks", "List one's tasks", Access::signed_in(), {},
          [&](Paging page, Caller by) { return runner.list(by, *page); }));
  add(get("/api/v1/tasks/{task_id}", "How a task stands", Access::signed_in(), {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return runner.find(*id, by); }));
  add(del("/api/v1/tasks/{task_id}", "Cancel a task", Access::signed_in(), {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return runner.cancel(*id, by); }));
  return routes;
}

Task<Result<Response>> accepted(Task<Result<TaskAccepted>> task) {
  auto taken = co_await std::move(task);
  if (!taken) co_return Failure(std::move(taken.error()));
  Response response;
  response.status = 202;
  response.body = json::encode(*taken);
  response.set("Location", "/api/v1/tasks/" + taken->task_id);
  co_return response;
}

}  // namespace lumina::jobs
