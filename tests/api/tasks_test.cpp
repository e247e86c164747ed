#include "core/jobs/queue.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <fstream>

using namespace lumina;
using namespace lumina::test;

namespace {

// A job that nobody here works on, so that it stays queued.
std::string put(TestApp& app, std::int64_t user, const std::string& kind = "test.waits",
                const std::string& key = "") {
  auto work = [&](db::Transaction& tx) {
    jobs::NewJob job{.kind = kind, .user = UserId{user}};
    if (!key.empty()) job.unique_key = key;
    return app.app().job_queue().enqueue(tx, job);
  };
  return *app.app().database().write_now(std::move(work));
}

Answer ended(Client& client, const std::string& id) {
  Answer task;
  for (int i = 0; i < 5000; ++i) {
    task = client.get("/api/v1/tasks/" + id);
    if (task["status"] != "queued" && task["status"] != "running") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return task;
}

}  // namespace

TEST_CASE("people see and cancel their tasks, administrators everybody's", "[I2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto one = app->patron(1), two = app->patron(2), admin = app->admin();
  const auto id = put(*app, one.user_id());
  put(*app, one.user_id(), "test.other");
  put(*app, two.user_id());

  CHECK(one.get("/api/v1/tasks").size() == 2);
  CHECK(one.get("/api/v1/tasks?kind=test.other").size() == 1);
  CHECK(one.get("/api/v1/tasks?status=running").size() == 0);
  CHECK(one.get("/api/v1/tasks?status=lost").status == 422);
  CHECK(admin.get("/api/v1/tasks?kind=test.waits&status=queued").size() == 2);
  CHECK(app->anybody().get("/api/v1/tasks").status == 401);

  const auto task = one.get("/api/v1/tasks/" + id);
  CHECK(task["status"] == "queued");
  CHECK(task["attempts"] == 0);
  CHECK(task["progress"].to_number<double>() == 0);
  CHECK(two.get("/api/v1/tasks/" + id).status == 404);
  CHECK(two.post("/api/v1/tasks/" + id + "/cancel").status == 404);
  CHECK(two.del("/api/v1/tasks/" + id).status == 404);
  CHECK(admin.get("/api/v1/tasks/" + id).status == 200);

  const auto cancelled = one.post("/api/v1/tasks/" + id + "/cancel");
  CHECK(cancelled.status == 200);
  CHECK(cancelled["status"] == "cancelled");
  CHECK(!cancelled["finished_at"].is_null());
  CHECK(one.del("/api/v1/tasks/" + id).status == 204);  // again changes nothing
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'task.cancelled'") == 1);
  CHECK(one.del("/api/v1/tasks/none").status == 404);
}

TEST_CASE("an administrator tries a task again that failed or was cancelled", "[I3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto one = app->patron(), admin = app->admin();
  const auto id = put(*app, one.user_id(), "test.waits", "k");
  CHECK(admin.post("/api/v1/tasks/" + id + "/retry").code() == "task_not_ended");
  one.del("/api/v1/tasks/" + id);
  CHECK(one.post("/api/v1/tasks/" + id + "/retry").status == 403);
  CHECK(admin.post("/api/v1/tasks/none/retry").status == 404);
  const auto again = admin.post("/api/v1/tasks/" + id + "/retry");
  CHECK(again.status == 200);
  CHECK(again["status"] == "queued");
  one.del("/api/v1/tasks/" + id);
  put(*app, one.user_id(), "test.waits", "k");
  CHECK(admin.post("/api/v1/tasks/" + id + "/retry").code() == "duplicate_task");
}

TEST_CASE("an import goes on after a restart", "[I1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  std::string csv = "title,author\n";
  for (int i = 0; i < 3000; ++i) csv += fmt::format("Book {},Author {}\n", i, i % 50);
  const auto taken = librarian.post("/api/v1/books/import", csv, {{"Content-Type", "text/csv"}});
  REQUIRE(taken.status == 202);
  const auto id = std::string(taken["task_id"].as_string());
  app->restart();
  // As if the first process had died: nothing renews its lease.
  app->clock().advance(std::chrono::seconds(31));
  const auto task = ended(librarian, id);
  CHECK(task["status"] == "succeeded");
  CHECK(task["progress"].to_number<double>() == 1);
  CHECK(app->number("SELECT count(*) FROM books") == 3000);
}

TEST_CASE("schedules are listed and run now by administrators", "[I5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  const auto list = admin.get("/api/v1/admin/schedules");
  REQUIRE(list.status == 200);
  std::vector<std::string> names;
  for (const auto& entry : list.json.as_array()) {
    names.emplace_back(entry.at("name").as_string());
    CHECK(!entry.at("description").as_string().empty());
    CHECK(entry.at("last_at").is_null());
  }
  CHECK(std::ranges::find(names, "borrows.overdue") != names.end());
  CHECK(app->patron().get("/api/v1/admin/schedules").status == 403);
  CHECK(app->librarian().post("/api/v1/admin/schedules/borrows.overdue/run").status == 403);
  CHECK(admin.post("/api/v1/admin/schedules/nothing/run").status == 404);
  for (const auto& name : names) {
    CAPTURE(name);
    const auto run = admin.post("/api/v1/admin/schedules/" + name + "/run");
    REQUIRE(run.status == 202);
    CHECK(run.header("Location") == "/api/v1/tasks/" + std::string(run["task_id"].as_string()));
    CHECK(ended(admin, std::string(run["task_id"].as_string()))["status"] == "succeeded");
  }
  CHECK(!admin.get("/api/v1/admin/schedules")[0].at("last_at").is_null());
}

TEST_CASE("loans become overdue by a schedule that missed its time", "[I5][D13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron();
  REQUIRE(patron.post(fmt::format("/api/v1/borrows/{}/borrow", app->book())).status == 201);
  app->clock().advance(std::chrono::days(20));
  CHECK(app->app().scheduler().tick() >= 1);
  for (int i = 0; i < 5000 && app->number("SELECT count(*) FROM borrows WHERE status = 'overdue'") == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(app->number("SELECT count(*) FROM borrows WHERE status = 'overdue'") == 1);
  CHECK(app->app().scheduler().tick() == 0);
}

TEST_CASE("metrics show jobs by state and kind", "[I2]") {
  auto app = TestApp::on(Database::sqlite);
  const auto metrics = app->anybody().get("/metrics").body;
  CHECK(metrics.find("luminalib_jobs{state=\"failed\",kind=\"books.import\"}") != std::string::npos);
  CHECK(metrics.find("luminalib_jobs_ended_total{outcome=\"taken_over\"}") != std::string::npos);
}
