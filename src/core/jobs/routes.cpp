#include "core/jobs/routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::jobs {
namespace {

constexpr auto administrator = http::Access::needs(Permission::system_inspect);

Task<Status> without_answer(Task<Result<TaskState>> task) {
  auto done = co_await std::move(task);
  if (!done) co_return Failure(std::move(done.error()));
  co_return Status{};
}

}  // namespace

using namespace http;

std::vector<Route> task_routes(TaskService& tasks, Scheduler& scheduler) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Tasks").by_itself()); };
  add(get("/api/v1/tasks", "List one's tasks", Access::signed_in(), {},
          [&](Query<TaskFilter> filter, Paging page, Caller by) { return tasks.list(*filter, by, *page); })
          .explained("The newest first. Administrators see everybody's."));
  add(get("/api/v1/tasks/{task_id}", "How a task stands", Access::signed_in(), {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return tasks.find(*id, by); }));
  add(del("/api/v1/tasks/{task_id}", "Cancel a task", Access::signed_in(), {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return without_answer(tasks.cancel(*id, by)); }));
  add(post("/api/v1/tasks/{task_id}/cancel", "Cancel a task and see it", Access::signed_in(),
           {ErrorKind::not_found}, [&](Path<std::string> id, Caller by) { return tasks.cancel(*id, by); })
          .explained("What has ended stays as it is."));
  add(post("/api/v1/tasks/{task_id}/retry", "Try a failed task again", administrator,
           {ErrorKind::not_found, ErrorKind::refused},
           [&](Path<std::string> id, Caller by) { return tasks.retry(*id, by); }));
  add(get("/api/v1/admin/schedules", "List what comes round by itself", administrator, {},
          [&] { return scheduler.list(); }));
  add(post("/api/v1/admin/schedules/{name}/run", "Run a schedule now", administrator, {ErrorKind::not_found},
           [&](Path<std::string> name, Caller by) { return accepted(scheduler.run_now(*name, by)); })
          .with_status(202)
          .documented_as<TaskAccepted>());
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
