#include "modules/reports/service.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto overview_path = "/api/v1/analytics/overview";

// The line of a report that starts like this.
std::string line_of(const std::string& csv, std::string_view start) {
  const auto at = csv.find(std::string("\r\n") + std::string(start));
  return at == std::string::npos ? "" : csv.substr(at + 2, csv.find("\r\n", at + 2) - at - 2);
}

}  // namespace

TEST_CASE("the overview tells what happened, counted or not yet, the same", "[J14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  const auto emma = app->book("Emma", "Jane Austen", R"("copies":3)"), other = app->book("=Sum", "A, B");
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", emma)).status == 201);
  REQUIRE(app->patron(2).post(fmt::format("/api/v1/borrows/{}/borrow", emma)).status == 201);
  REQUIRE(app->patron(2).post(fmt::format("/api/v1/borrows/{}/borrow", other)).status == 201);
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/return", emma)).status == 200);
  REQUIRE(app->anybody()
              .post("/api/v1/auth/login", R"({"email":"patron1@example.org","password":"wrong"})")
              .status == 401);

  auto librarian = app->librarian();
  const auto before = librarian.get(overview_path);
  REQUIRE(before.status == 200);
  CHECK(before["from"] == "2026-10-24");
  CHECK(before["to"] == "2026-11-22");
  CHECK(before["complete"] == true);
  CHECK(before["days"].as_array().size() == 30);
  const auto& totals = before["totals"].as_object();
  CHECK(totals.at("loans") == 3);
  CHECK(totals.at("returns") == 1);
  CHECK(totals.at("failed_logins") == 1);
  CHECK(totals.at("refused") == 1);
  CHECK(totals.at("registrations").to_number<std::int64_t>() >= 2);
  CHECK(before["before"].at("events") == 0);
  const auto people = before["days"].as_array().back().at("people").to_number<std::int64_t>();
  CHECK(people >= 3);
  CHECK(before["hours"].as_array().size() == 1);
  CHECK(before["hours"].as_array()[0].at("weekday") == 6);
  CHECK(before["hours"].as_array()[0].at("hour") == 10);

  // What is young waits; then it is counted once, however often.
  auto& reports = app->app().reports();
  CHECK(reports.catch_up() == 0);
  app->clock().advance(11min);
  const auto rows = reports.catch_up();
  REQUIRE(rows);
  CHECK(*rows == app->number("SELECT max(id) FROM audit_log"));
  CHECK(reports.catch_up() == 0);
  const auto after = librarian.get(overview_path);
  CHECK(after["totals"] == before["totals"]);
  CHECK(after["days"] == before["days"]);
  CHECK(after["hours"] == before["hours"]);
  REQUIRE(after["popular"].as_array().size() == 2);
  CHECK(after["popular"].as_array()[0].at("id") == emma);
  CHECK(after["popular"].as_array()[0].at("loans") == 2);

  // Another day, after a downtime of several: the rest goes on where it was, and who was there is forgotten.
  app->clock().advance(24h * 3);
  REQUIRE(librarian.get(overview_path).status == 401);
  auto again = app->login("librarian@example.org", std::string(TestApp::password));
  const auto later = again.get(std::string(overview_path) + "?days=2");
  REQUIRE(later.status == 200);
  CHECK(later["totals"].at("logins") == 1);
  CHECK(later["before"].at("events") == before["totals"].at("events"));
  app->clock().advance(11min);
  REQUIRE(reports.catch_up().value_or(-1) > 0);
  CHECK(app->number("SELECT count(*) FROM usage_people WHERE day < '2026-11-24'") == 0);
  const auto days = again.get(std::string(overview_path) + "?days=4");
  CHECK(days["days"].as_array()[0].at("people") == people);
  CHECK(days["totals"].at("loans") == 3);
}

TEST_CASE("reports are files without persons that a spreadsheet can open", "[J14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("=Sum", "A, B");
  REQUIRE(app->patron(1).post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  REQUIRE(app->anybody().get("/api/v1/books/search?q=emma").status == 200);
  app->clock().advance(11min);
  REQUIRE(app->app().reports().catch_up().value_or(-1) > 0);
  auto librarian = app->librarian();
  const auto report = [&](std::string_view name) {
    return librarian.get(fmt::format("/api/v1/analytics/reports/{}?days=1", name));
  };
  const auto usage = report("usage");
  REQUIRE(usage.status == 200);
  CHECK(usage.header("Content-Type") == "text/csv; charset=utf-8");
  CHECK(usage.header("Content-Disposition") == "attachment; filename=\"usage.csv\"");
  CHECK(usage.body.starts_with("day,events,"));
  CHECK(librarian.get("/api/v1/admin/analytics/reports/usage?days=1").body == usage.body);
  CHECK(line_of(usage.body, "2026-11-22,").find(",1,0,0,0,0,") != std::string::npos);
  CHECK(line_of(report("popularity").body, std::to_string(book)) == fmt::format("{},'=Sum,\"A, B\",1", book));
  CHECK(line_of(report("behaviour").body, "6,10,").size() > 5);
  CHECK(report("searches").body.starts_with("query,searches,"));
  CHECK(report("persons").status == 404);
  for (const auto* name : {"usage", "searches", "popularity", "behaviour"}) {
    CHECK(report(name).body.find("patron1") == std::string::npos);
    CHECK(app->patron(1).get(fmt::format("/api/v1/analytics/reports/{}", name)).status == 403);
  }
  CHECK(librarian.get("/api/v1/admin/analytics/overview?days=1").status == 200);
  CHECK(librarian.get("/api/v1/analytics/activity?days=1")[0].at("hour") == 10);
  CHECK(librarian.get("/api/v1/analytics/activity?to=yesterday").status == 422);
  CHECK(librarian.get(std::string(overview_path) + "?to=2026-02-30").status == 422);
  CHECK(librarian.get(std::string(overview_path) + "?days=0").status == 422);
  CHECK(app->patron(1).get(overview_path).status == 403);
}

TEST_CASE("counting is a schedule, and two that count at once count once", "[J14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (int i = 1; i < 6; ++i) app->patron(i);
  CHECK(app->admin().get("/api/v1/admin/schedules").body.find("reports.count") != std::string::npos);
  app->clock().advance(11min);
  const auto all = app->number("SELECT max(id) FROM audit_log");
  std::int64_t first = 0, second = 0;
  {
    const std::jthread other([&] { first = app->app().reports().catch_up().value_or(-1); });
    second = app->app().reports().catch_up().value_or(-1);
  }
  CHECK(first + second == all);
  CHECK(app->number("SELECT CAST(sum(done + refused) AS BIGINT) FROM usage_days") ==
        app->number("SELECT count(*) FROM audit_log"));
}
