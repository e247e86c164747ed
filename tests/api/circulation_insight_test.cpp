// What loans tell: the calendar of due dates, trends, what-if, and what is forgotten.
#include "support/test_app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace lumina;
using namespace lumina::test;

namespace {

constexpr auto day = std::chrono::hours(24);

std::string text(const boost::json::value& v) { return v.is_string() ? std::string(v.get_string()) : ""; }
Answer borrow(Client who, std::int64_t book, std::string body = "") {
  return who.post(fmt::format("/api/v1/borrows/{}/borrow", book), std::move(body));
}
Answer give_back(Client who, std::int64_t book) {
  return who.post(fmt::format("/api/v1/borrows/{}/return", book));
}
template <class T>
T await(Task<Result<T>> task) {
  boost::asio::io_context io;
  auto done = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  io.run();
  return done.get().value();
}
Answer review(Client who, std::int64_t book) {
  return who.post(
      "/api/v1/reviews",
      fmt::format(R"({{"book_id":{},"review_text":"A very good book indeed","rating":4}})", book));
}

}  // namespace

TEST_CASE("due dates can be subscribed to by a private address", "[D31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(borrow(app->patron(), app->book("Emma; or, Love")).status == 201);
  const auto made = app->patron().post("/api/v1/users/me/calendar-token");
  REQUIRE(made.status == 201);
  CHECK(made.header("Cache-Control") == "no-store");
  const auto feed = app->anybody().get("/api/v1/users/me/loans.ics?token=" + text(made["token"]));
  REQUIRE(feed.status == 200);
  CHECK(feed.header("Content-Type") == "text/calendar; charset=utf-8");
  CHECK(feed.body.starts_with("BEGIN:VCALENDAR\r\n"));
  CHECK(feed.body.find("DTSTART;VALUE=DATE:20261206\r\n") != std::string::npos);
  CHECK(feed.body.find("SUMMARY:Due: Emma\\; or\\, Love\r\n") != std::string::npos);
  CHECK(feed.body.ends_with("END:VCALENDAR\r\n"));
  CHECK(app->anybody().get(text(made["path"])).body == feed.body);
  CHECK(app->number("SELECT count(*) FROM calendar_tokens WHERE token_hash = '" + text(made["token"]) +
                    "'") == 0);

  const auto again = app->patron().post("/api/v1/users/me/calendar-token");
  CHECK(app->anybody().get(text(made["path"])).status == 404);
  CHECK(app->anybody().get(text(again["path"])).status == 200);
  CHECK(app->anybody().get("/api/v1/users/me/loans.ics").status == 422);
  CHECK(app->anybody().get("/api/v1/users/me/loans.ics?token=x").status == 404);
  CHECK(app->patron().del("/api/v1/users/me/calendar-token").status == 204);
  CHECK(app->patron().del("/api/v1/users/me/calendar-token").status == 404);
  CHECK(app->anybody().get(text(again["path"])).status == 404);
}

TEST_CASE("loans are counted by day, week and month as a recount does", "[D30]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->clock().set(*parse_rfc3339("2026-12-20T10:00:00Z"));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 3; ++i) books.push_back(app->book(fmt::format("Book {}", i), "Anon", R"("copies":3)"));
  // Across the end of the year: a loan a day of the first book, others now and then.
  for (int i = 0; i < 16; ++i) {
    REQUIRE(borrow(app->patron(1), books[0]).status == 201);
    if (i % 4 == 0) REQUIRE(borrow(app->patron(2), books[1]).status == 201);
    REQUIRE(give_back(app->patron(1), books[0]).status == 200);
    if (i % 4 == 0) REQUIRE(give_back(app->patron(2), books[1]).status == 200);
    app->clock().advance(day);
  }
  auto staff = app->librarian();
  for (const auto* interval : {"day", "week", "month"}) {
    CAPTURE(interval);
    const auto trend =
        staff.get(fmt::format("/api/v1/analytics/borrows?interval={}&from=2026-12-20T00:00:00Z", interval));
    REQUIRE(trend.status == 200);
    std::int64_t borrows = 0, returns = 0;
    for (const auto& point : trend.json.as_array()) {
      borrows += point.at("borrows").as_int64();
      returns += point.at("returns").as_int64();
    }
    CHECK(borrows == 20);
    CHECK(returns == 20);
    CHECK(staff.get(fmt::format("/api/v1/admin/analytics/loans?by={}&from=2026-12-20T00:00:00Z", interval))
              .body == trend.body);
  }
  const auto months = staff.get("/api/v1/analytics/borrows?interval=month&from=2026-12-20T00:00:00Z");
  REQUIRE(months.size() == 2);
  CHECK(months[0].at("period") == "2026-12-01");
  CHECK(months[0].at("borrows") == 15);
  CHECK(months[0].at("borrowers") == 2);
  CHECK(months[1].at("borrows") == 5);
  const auto weeks = staff.get("/api/v1/analytics/borrows?interval=week&from=2026-12-20T00:00:00Z");
  CHECK(weeks[0].at("period") == "2026-12-14");
  CHECK(weeks[2].at("period") == "2026-12-28");
  CHECK(weeks[2].at("borrows") == 9);
  CHECK(staff.get("/api/v1/analytics/borrows").size() == 30);
  CHECK(staff.get("/api/v1/analytics/borrows?from=2026-12-20T00:00:00Z&to=2026-12-19T00:00:00Z").status ==
        422);
  CHECK(staff.get("/api/v1/analytics/borrows?from=1900-01-01T00:00:00Z").status == 422);
  CHECK(staff.get("/api/v1/analytics/borrows?interval=year").status == 422);

  const auto popular = staff.get("/api/v1/analytics/popular?days=365&limit=2");
  REQUIRE(popular.size() == 2);
  CHECK(popular[0].at("id") == books[0]);
  CHECK(popular[0].at("borrows") == 16);
  CHECK(popular[1].at("borrows") == 4);
  CHECK(staff.get("/api/v1/analytics/popular?days=1").size() == 1);
  CHECK(staff.get("/api/v1/analytics/popular?limit=0").status == 422);
  CHECK(app->patron().get("/api/v1/analytics/popular").status == 403);
}

TEST_CASE("proposed rules are tried on the loans that were", "[D17][D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 4; ++i) books.push_back(app->book());
  for (const auto book : books) REQUIRE(borrow(app->patron(1), book).status == 201);
  REQUIRE(borrow(app->patron(2), app->book()).status == 201);
  app->clock().advance(day * 10);
  REQUIRE(give_back(app->patron(1), books[0]).status == 200);
  app->clock().advance(day * 30);
  auto staff = app->librarian();
  const auto report = staff.post("/api/v1/circulation/rules/simulate",
                                 R"({"rules":[{"max_loans":3,"loan_period_days":5,"fine_per_day_minor":10,
                                     "fine_cap_minor":200}],"days":60})");
  REQUIRE(report.status == 200);
  CHECK(report["loans_seen"] == 5);
  CHECK(report["in_force"].at("loans_refused") == 0);
  CHECK(report["in_force"].at("fines_minor") == 0);
  CHECK(report["proposed"].at("loans_lent") == 4);
  CHECK(report["proposed"].at("loans_refused") == 1);
  CHECK(report["proposed"].at("refusals").at(0).at("code") == "loan_limit");
  // One came back five days late, three are out for 35 days.
  CHECK(report["proposed"].at("fines_minor") == 50 + 3 * 200);
  CHECK(report["proposed"].at("loans_fined") == 4);
  CHECK(app->number("SELECT count(*) FROM rule_sets") == 0);
  CHECK(app->number("SELECT count(*) FROM fines") == 0);
  CHECK(staff.post("/api/v1/circulation/rules/simulate", R"({"rules":[],"days":39})")["loans_seen"] == 0);
  CHECK(staff.post("/api/v1/circulation/rules/simulate", R"({"rules":[{"category":"x"}]})").status == 422);
  CHECK(app->patron().post("/api/v1/circulation/rules/simulate", R"({"rules":[]})").status == 403);
}

TEST_CASE("days after the return nobody can tell who had the book, but they may still review it", "[D29]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.loan_history_days = 30; });
  REQUIRE(
      app->librarian()
          .put("/api/v1/circulation/rules", R"({"rules":[{"loan_period_days":5,"fine_per_day_minor":10}]})")
          .status == 200);
  const auto read = app->book(), late = app->book(), out = app->book(), other = app->book();
  for (const auto book : {read, late, out})
    REQUIRE(borrow(app->patron(1), book, R"({"loan_period_days":90})").status == 201);
  REQUIRE(give_back(app->patron(1), read).status == 200);
  app->clock().advance(day * 95);
  REQUIRE(give_back(app->patron(1), late).status == 200);
  CHECK(await(app->app().loan_privacy().cut_histories()) == 1);
  CHECK(await(app->app().loan_privacy().cut_histories()) == 0);
  app->clock().advance(day * 40);
  // The late one has a fine that is not paid.
  CHECK(await(app->app().loan_privacy().cut_histories()) == 0);
  const auto fine = app->patron(1).get("/api/v1/fines")[0].at("id").as_int64();
  REQUIRE(app->librarian().post(fmt::format("/api/v1/fines/{}/pay", fine)).status == 201);
  CHECK(await(app->app().loan_privacy().cut_histories()) == 1);

  CHECK(app->number(
            fmt::format("SELECT count(*) FROM borrows WHERE user_id = {}", app->patron(1).user_id())) == 1);
  CHECK(app->number("SELECT count(*) FROM borrows") == 3);
  CHECK(app->number("SELECT count(*) FROM fines WHERE borrow_id IS NOT NULL OR book_id IS NOT NULL") == 0);
  CHECK(app->patron(1).get("/api/v1/borrows").size() == 1);
  const auto all = app->librarian().get("/api/v1/borrows/all");
  REQUIRE(all.size() == 3);
  CHECK(all[2].at("user_id").is_null());
  CHECK(app->anybody().get(fmt::format("/api/v1/borrows/book/{}/availability", read))["total_borrows"] == 1);

  CHECK(review(app->patron(1), read).status == 201);
  CHECK(review(app->patron(1), late).status == 201);
  CHECK(review(app->patron(2), read).code() == "not_borrowed");
  CHECK(review(app->patron(1), other).code() == "not_borrowed");
}

TEST_CASE("histories are kept unless the library says otherwise", "[D29]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  REQUIRE(borrow(app->patron(), book).status == 201);
  REQUIRE(give_back(app->patron(), book).status == 200);
  app->clock().advance(day * 4000);
  CHECK(await(app->app().loan_privacy().cut_histories()) == 0);
  CHECK(app->number("SELECT count(*) FROM borrows WHERE user_id IS NULL") == 0);
}

TEST_CASE("an account that is erased leaves loans without a name", "[D29]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  REQUIRE(borrow(app->patron(1), book).status == 201);
  REQUIRE(borrow(app->patron(2), app->book()).status == 201);
  REQUIRE(give_back(app->patron(1), book).status == 200);
  REQUIRE(app->patron(1).post("/api/v1/users/me/calendar-token").status == 201);
  REQUIRE(app->librarian()
              .put(fmt::format("/api/v1/circulation/patrons/{}", app->patron(1).user_id()),
                   R"({"card_number":"A-1"})")
              .status == 200);
  CHECK(await(app->app().loan_privacy().forget_erased_accounts()) == 0);
  REQUIRE(app->patron(1).del("/api/v1/users/me").status == 204);
  CHECK(await(app->app().loan_privacy().forget_erased_accounts()) == 1);
  CHECK(app->number("SELECT count(*) FROM borrows WHERE user_id IS NULL") == 1);
  CHECK(app->number("SELECT count(*) FROM loan_marks") == 0);
  CHECK(app->number("SELECT count(*) FROM library_cards") == 0);
  CHECK(app->number("SELECT count(*) FROM calendar_tokens") == 0);
  CHECK(app->number("SELECT count(*) FROM patrons") == 0);
}
