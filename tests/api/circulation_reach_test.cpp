// Where rules and calendars reach beyond the loan itself: time to pick up, credits, waits, days of analytics,
// branches.
#include "support/eventually.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto day = 24h;

std::string text(const boost::json::value& v) { return v.is_string() ? std::string(v.get_string()) : ""; }
Answer borrow(Client who, std::int64_t book) {
  return who.post(fmt::format("/api/v1/borrows/{}/borrow", book));
}
Answer give_back(Client who, std::int64_t book) {
  return who.post(fmt::format("/api/v1/borrows/{}/return", book));
}
Answer place(Client who, std::int64_t book) { return who.post(fmt::format("/api/v1/books/{}/holds", book)); }
void set_rules(TestApp& app, const std::string& rows) {
  REQUIRE(app.librarian().put("/api/v1/circulation/rules", fmt::format(R"({{"rules":[{}]}})", rows)).status ==
          200);
}
std::string pickup_until(Client who) {
  const auto holds = who.get("/api/v1/holds?status=ready");
  return holds.size() == 1 ? text(holds[0].at("pickup_until")) : "";
}
double number(const boost::json::value& v) { return v.is_number() ? v.to_number<double>() : -1; }

}  // namespace

TEST_CASE("a copy is kept for the days of its rule, and never until a closed day", "[D14][D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto first = app->patron(1), second = app->patron(2);
  auto desk = app->librarian();
  const auto book = app->book("Emma");
  const auto once = [&] {
    REQUIRE(borrow(first, book).status == 201);
    REQUIRE(place(second, book).status == 201);
    REQUIRE(give_back(first, book).status == 200);
    const auto until = pickup_until(second);
    const auto holds = second.get("/api/v1/holds?status=ready");
    REQUIRE(second.del(fmt::format("/api/v1/holds/{}", holds[0].at("id").as_int64())).status < 300);
    return until;
  };
  CHECK(once() == "2026-11-29T10:00:00Z");  // as configured: seven days
  set_rules(*app, "{}");
  CHECK(once() == "2026-11-29T10:00:00Z");  // rules that say nothing of it
  set_rules(*app, R"({"pickup_days":3})");
  CHECK(once() == "2026-11-25T10:00:00Z");
  REQUIRE(
      desk.put("/api/v1/circulation/calendar",
               R"({"time_zone":"UTC","weekly_hours":[],"closed":[{"from":"2026-11-25","to":"2026-11-26"}]})")
          .status == 200);
  CHECK(once() == "2026-11-27T23:59:59Z");
  REQUIRE(desk.post("/api/v1/patron-categories", R"({"code":"staff","name":"Staff"})").status == 201);
  REQUIRE(desk.put(fmt::format("/api/v1/circulation/patrons/{}", second.user_id()), R"({"category":"staff"})")
              .status == 200);
  set_rules(*app, R"({"pickup_days":3},{"category":"staff","pickup_days":10})");
  CHECK(once() == "2026-12-02T10:00:00Z");
}

TEST_CASE("a lost copy that comes back in time is credited as its rule says", "[B25][D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto lose = [&](std::string_view rule, int days) {
    set_rules(*app, fmt::format(R"({{"replacement_cost_minor":2000{}}})", rule));
    auto reader = app->patron(1);
    const auto book = app->book(fmt::format("Book {}{}", days, rule.size()));
    const auto loan = borrow(reader, book);
    REQUIRE(loan.status == 201);
    const auto copy = loan["copy_id"].as_int64();
    REQUIRE(
        app->librarian().post(fmt::format("/api/v1/copies/{}/status", copy), R"({"status":"lost"})").status ==
        200);
    const auto before = number(reader.get("/api/v1/users/me/account")["balance_minor"]);
    REQUIRE(app->admin().post("/api/v1/admin/schedules/fines.lost_copies/run").status == 202);
    REQUIRE(eventually(
        [&] { return number(reader.get("/api/v1/users/me/account")["balance_minor"]) == before + 2000; }));
    app->clock().advance(days * day);
    reader = app->patron(1);
    REQUIRE(give_back(reader, book).status == 200);
    return number(reader.get("/api/v1/users/me/account")["balance_minor"]) - before;
  };
  CHECK(lose("", 100) == 0);
  CHECK(lose(R"(,"lost_credit_days":30)", 30) == 0);
  CHECK(lose(R"(,"lost_credit_days":30)", 31) == 2000);
  CHECK(lose(R"(,"lost_credit_days":0)", 0) == 2000);
}

TEST_CASE("what-if tells how long people would have waited", "[D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app, R"({"loan_period_days":14})");
  const auto book = app->book("Emma");
  REQUIRE(borrow(app->patron(1), book).status == 201);
  app->clock().advance(4 * day);
  REQUIRE(place(app->patron(2), book).status == 201);
  app->clock().advance(10 * day);
  REQUIRE(give_back(app->patron(1), book).status == 200);  // on the due date: a wait of ten days
  const auto simulate = [&](const std::string& rows) {
    return app->librarian().post("/api/v1/circulation/rules/simulate",
                                 fmt::format(R"({{"rules":[{}],"days":90}})", rows));
  };
  const auto shorter = simulate(R"({"loan_period_days":7})");
  REQUIRE(shorter.status == 200);
  CHECK(shorter["in_force"].at("holds_waited") == 1);
  CHECK(number(shorter["in_force"].at("mean_wait_days")) == Approx(10));
  CHECK(number(shorter["proposed"].at("mean_wait_days")) == Approx(3));
  CHECK(number(shorter["proposed"].at("longest_wait_days")) == Approx(3));
  CHECK(number(simulate(R"({"loan_period_days":21})")["proposed"].at("mean_wait_days")) == Approx(17));
  CHECK(number(simulate(R"({"loan_period_days":1})")["proposed"].at("mean_wait_days")) == Approx(0));
  const auto none = simulate(R"({"max_loans":0})");
  CHECK(none["proposed"].at("loans_refused") == 1);
  CHECK(number(none["proposed"].at("mean_wait_days")) == Approx(0));
}

TEST_CASE("analytics count the days of the library's zone", "[D21]") {
  auto app =
      TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.time_zone = "Asia/Kathmandu"; });
  app->clock().set(*parse_rfc3339("2026-11-22T18:14:59Z"));  // 23:59:59 there, which is 5:45 ahead
  auto reader = app->patron(1);
  REQUIRE(borrow(reader, app->book("Emma")).status == 201);
  app->clock().set(*parse_rfc3339("2026-11-22T18:15:00Z"));
  REQUIRE(borrow(reader, app->book("Persuasion")).status == 201);
  const auto counts = [&] {
    const auto points = app->librarian().get("/api/v1/analytics/borrows?interval=day");
    std::map<std::string, std::int64_t> all;
    for (const auto& point : points.json.as_array())
      if (point.at("borrows").as_int64() > 0)
        all[text(point.at("period"))] =
            point.at("borrows").as_int64() * 10 + point.at("borrowers").as_int64();
    return all;
  };
  CHECK(counts() == std::map<std::string, std::int64_t>{{"2026-11-22", 11}, {"2026-11-23", 11}});
  // The library's own calendar goes before the configuration.
  REQUIRE(app->librarian()
              .put("/api/v1/circulation/calendar", R"({"time_zone":"UTC","weekly_hours":[],"closed":[]})")
              .status == 200);
  CHECK(counts() == std::map<std::string, std::int64_t>{{"2026-11-22", 21}});
}

TEST_CASE("loans are listed by the branch of their copies", "[B24]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto desk = app->librarian();
  const auto branch = desk.post("/api/v1/branches", R"({"code":"EAST","name":"East"})");
  REQUIRE(branch.status == 201);
  const auto here = app->book("Emma"), there = app->book("Persuasion");
  const auto copies = desk.get(fmt::format("/api/v1/books/{}/copies", there));
  REQUIRE(copies.size() == 1);
  REQUIRE(desk.patch(fmt::format("/api/v1/copies/{}", copies[0].at("id").as_int64()),
                     fmt::format(R"({{"branch_id":{}}})", branch.id()))
              .status == 200);
  auto reader = app->patron(1);
  REQUIRE(borrow(reader, here).status == 201);
  const auto loan = borrow(reader, there);
  REQUIRE(loan.status == 201);
  const auto east = desk.get(fmt::format("/api/v1/borrows/all?branch_id={}", branch.id()));
  REQUIRE(east.size() == 1);
  CHECK(east[0].at("id").as_int64() == loan.id());
  CHECK(east.header("X-Total-Count") == "1");
  CHECK(desk.get("/api/v1/borrows/all").size() == 2);
  CHECK(desk.get("/api/v1/borrows/all?branch_id=999").size() == 0);
  CHECK(desk.get("/api/v1/borrows/all?branch_id=x").status == 422);
}
