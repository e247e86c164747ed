// Saved searches, and what they tell of.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

// Runs the schedule now and waits for it.
void announce(TestApp& app) {
  auto admin = app.admin();
  const auto run = admin.post("/api/v1/admin/schedules/searches.announce/run");
  REQUIRE(run.status == 202);
  const auto task = "/api/v1/tasks/" + std::string(run["task_id"].as_string());
  for (int i = 0; i < 5000; ++i) {
    const auto now = admin.get(task);
    if (now["status"] == "succeeded") return;
    REQUIRE(now["status"] != "failed");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  FAIL("the schedule did not end");
}
std::int64_t notices(TestApp& app) {
  return app.number("SELECT count(*) FROM notifications WHERE kind = 'new_match'");
}

}  // namespace

TEST_CASE("a saved search tells once of each new book that it finds", "[C20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto ann = app->patron(1), bob = app->patron(2);
  app->book("Emma", "Jane Austen");
  app->clock().advance(std::chrono::minutes(1));
  const auto saved = ann.post("/api/v1/saved-searches", R"({"name":" Austen ","query":{"author":"austen"}})");
  REQUIRE(saved.status == 201);
  CHECK(saved["name"] == "Austen");
  CHECK(saved["alert"] == true);
  CHECK(saved["query"].at("author") == "austen");
  REQUIRE(bob.post("/api/v1/saved-searches", R"({"name":"Quiet","query":{"author":"austen"},"alert":false})")
              .status == 201);
  announce(*app);
  CHECK(notices(*app) == 0);
  app->clock().advance(std::chrono::minutes(1));
  const auto book = app->book("Persuasion", "Jane Austen");
  app->book("Dracula", "Bram Stoker");
  announce(*app);
  CHECK(notices(*app) == 1);
  announce(*app);
  app->clock().advance(std::chrono::minutes(5));
  announce(*app);
  CHECK(notices(*app) == 1);
  const auto told = ann.get("/api/v1/notifications?kind=new_match");
  REQUIRE(told.size() == 1);
  CHECK(told[0].at("book_id") == book);
  CHECK(std::string(told[0].at("title").as_string()).find("Persuasion") != std::string::npos);
  CHECK(bob.get("/api/v1/notifications?kind=new_match").size() == 0);
  app->clock().advance(std::chrono::hours(1));
  ann = app->patron(1);
  app->book("Sanditon", "Jane Austen");
  app->book("Lady Susan", "Austen, Jane");
  announce(*app);
  CHECK(notices(*app) == 3);

  const auto path = fmt::format("/api/v1/saved-searches/{}", saved.id());
  CHECK(ann.patch(path, R"({"alert":false,"name":"Jane"})")["name"] == "Jane");
  app->book("The Watsons", "Jane Austen");
  announce(*app);
  CHECK(notices(*app) == 3);
  CHECK(ann.get("/api/v1/saved-searches").size() == 1);
  CHECK(ann.get(path)["alert"] == false);
  bob = app->patron(2);
  CHECK(bob.get(path).status == 404);
  CHECK(bob.patch(path, R"({"name":"x"})").status == 404);
  CHECK(bob.del(path).status == 404);
  CHECK(app->anybody().get("/api/v1/saved-searches").status == 401);
  for (const auto* bad :
       {R"({"name":"x"})", R"({"query":{}})", R"({"name":" ","query":{}})", R"({"name":"x","query":[]})",
        R"({"name":"x","query":{"colour":"red"}})", R"({"name":"x","query":{"year_from":"long ago"}})"})
    CHECK(ann.post("/api/v1/saved-searches", bad).status == 422);
  CHECK(ann.patch(path, R"({"query":{"sort":"colour"}})").status == 422);
  CHECK(ann.get("/api/v1/saved-searches?cursor=x").status == 422);
  CHECK(ann.del(path).status == 204);
  CHECK(ann.del(path).status == 404);
}
