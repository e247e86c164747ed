#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto day = std::chrono::hours(24);

std::string forecast_path(std::int64_t hold) { return fmt::format("/api/v1/holds/{}/forecast", hold); }

Timestamp time_of(const boost::json::value& v) {
  return v.is_string() ? parse_rfc3339(std::string(v.get_string())).value_or(Timestamp{}) : Timestamp{};
}
double days_until(const boost::json::value& v, TestApp& app) {
  return static_cast<double>(time_of(v).ms - app.clock().now().ms) / 86'400'000.0;
}

}  // namespace

TEST_CASE("who waits is told when to expect the book, in range of what its loans last", "[D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  const auto borrow = fmt::format("/api/v1/borrows/{}/borrow", book),
             back = fmt::format("/api/v1/borrows/{}/return", book);
  for (int i = 0; i < 12; ++i) {
    REQUIRE(app->patron(1).post(borrow).status == 201);
    app->clock().advance(4 * day);
    REQUIRE(app->patron(1).post(back).status == 200);
  }
  REQUIRE(app->patron(1).post(borrow).status == 201);
  const auto first = app->patron(2).post(fmt::format("/api/v1/books/{}/holds", book));
  REQUIRE(first.status == 201);
  const auto second = app->patron(3).post(fmt::format("/api/v1/books/{}/holds", book));
  REQUIRE(second["forecast"].is_object());
  const auto told = app->patron(2).get(forecast_path(first.id()));
  REQUIRE(told.status == 200);
  CHECK(told["hold_id"] == first.id());
  CHECK(told["position"] == 1);
  CHECK(told["copies"] == 1);
  CHECK(told["past_loans"] == 12);
  CHECK(days_until(told["expected_at"], *app) > 2);
  CHECK(days_until(told["expected_at"], *app) < 7);
  CHECK(days_until(told["earliest"], *app) < days_until(told["expected_at"], *app));
  CHECK(days_until(told["latest"], *app) > days_until(told["expected_at"], *app));
  CHECK(first["forecast"].at("expected_at") == told["expected_at"]);
  CHECK(app->patron(2).get("/api/v1/holds")[0].at("forecast").at("latest") == told["latest"]);
  CHECK(time_of(second["forecast"].at("expected_at")) > time_of(told["expected_at"]));

  // The copy is back: it is there. Who is behind waits for the pick-up and a loan.
  REQUIRE(app->patron(1).post(back).status == 200);
  const auto ready = app->patron(2).get(forecast_path(first.id()));
  CHECK(ready["status"] == "ready");
  CHECK(days_until(ready["expected_at"], *app) == 0);
  CHECK(days_until(app->patron(3).get(forecast_path(second.id()))["expected_at"], *app) > 2);
  REQUIRE(app->patron(3).post(fmt::format("/api/v1/holds/{}/suspension", second.id())).status == 200);
  CHECK(app->patron(3).get(forecast_path(second.id()))["expected_at"].is_null());
  CHECK(app->patron(3).get(forecast_path(first.id())).status == 404);
  CHECK(app->librarian().get(forecast_path(first.id())).status == 200);
  CHECK(app->librarian().get(forecast_path(999)).status == 404);
  REQUIRE(app->patron(2).del(fmt::format("/api/v1/holds/{}", first.id())).status == 200);
  CHECK(app->patron(2).get(forecast_path(first.id())).code() == "hold_ended");
}

TEST_CASE("titles that people would wait too long for are suggested to be bought", "[D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto wanted = app->book("Emma"), calm = app->book("Dune"),
             none = app->book("Ulysses", "James Joyce", R"("copies":0)");
  for (const auto book : {wanted, calm})
    REQUIRE(librarian.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  for (int i = 1; i <= 7; ++i)
    REQUIRE(app->patron(i).post(fmt::format("/api/v1/books/{}/holds", wanted)).status == 201);
  REQUIRE(app->patron(1).post(fmt::format("/api/v1/books/{}/holds", calm)).status == 201);
  REQUIRE(app->patron(1).post(fmt::format("/api/v1/books/{}/holds", none))["position"] == 1);
  const auto path = "/api/v1/holds/purchase-suggestions";
  const auto found = librarian.get(path);
  REQUIRE(found.size() == 2);
  CHECK(found[0].at("book").at("id") == wanted);
  CHECK(found[0].at("holds") == 7);
  CHECK(found[0].at("copies") == 1);
  CHECK(found[0].at("copies_to_buy").as_int64() >= 1);
  CHECK(days_until(found[0].at("expected_at"), *app) > 56);
  CHECK(found[1].at("book").at("id") == none);
  CHECK(found[1].at("expected_at").is_null());
  CHECK(found[1].at("copies_to_buy") == 1);
  CHECK(librarian.get(std::string(path) + "?weeks=104").size() == 1);
  CHECK(librarian.get(std::string(path) + "?weeks=1").size() == 3);
  CHECK(librarian.get(std::string(path) + "?weeks=0").status == 422);
  CHECK(app->patron(1).get(path).status == 403);
}
