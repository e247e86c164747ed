// Rules, categories, cards and calendars, and what borrowing does with them.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string text(const boost::json::value& v) { return v.is_string() ? std::string(v.get_string()) : ""; }

Answer borrow(Client& who, std::int64_t book, std::string body = "") {
  return who.post(fmt::format("/api/v1/borrows/{}/borrow", book), std::move(body));
}
Answer give_back(Client& who, std::int64_t book) {
  return who.post(fmt::format("/api/v1/borrows/{}/return", book));
}
Answer preview(Client& who, std::int64_t book, std::string more = "") {
  return who.post("/api/v1/borrows/preview", fmt::format(R"({{"book_id":{}{}}})", book, more));
}
Answer set_rules(TestApp& app, const std::string& rows) {
  return app.librarian().put("/api/v1/circulation/rules", fmt::format(R"({{"rules":[{}]}})", rows));
}
void category(TestApp& app, const std::string& code) {
  REQUIRE(app.librarian()
              .post("/api/v1/patron-categories", fmt::format(R"({{"code":"{}","name":"{}"}})", code, code))
              .status == 201);
}
Answer set_category(TestApp& app, Client& who, const std::string& code) {
  return app.librarian().put(fmt::format("/api/v1/circulation/patrons/{}", who.user_id()),
                             fmt::format(R"({{"category":"{}"}})", code));
}

}  // namespace

TEST_CASE("rules are replaced whole, in versions that stay", "[D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto staff = app->librarian();
  CHECK(staff.get("/api/v1/circulation/rules")["version"] == 0);
  const auto first = set_rules(*app, R"({"loan_period_days":21,"max_loans":5})");
  REQUIRE(first.status == 200);
  CHECK(first["version"] == 1);
  CHECK(first["rules"].at(0).at("loan_period_days") == 21);
  CHECK(first["rules"].at(0).at("fine_per_day_minor").is_null());
  const auto second =
      staff.put("/api/v1/circulation/rules", R"({"rules":[{"loan_period_days":7}],"note":"Summer"})",
                {{"If-Match", "\"" + first.header("ETag").substr(1)}});
  CHECK(second.status == 200);
  CHECK(second["version"] == 2);
  CHECK(staff.put("/api/v1/circulation/rules", R"({"rules":[]})", {{"If-Match", first.header("ETag")}})
            .status == 412);
  CHECK(staff.get("/api/v1/circulation/rules").body == second.body);
  CHECK(staff.get("/api/v1/circulation/rules/versions/1")["rules"] == first["rules"]);
  CHECK(staff.get("/api/v1/circulation/rules/versions/3").status == 404);
  const auto versions = staff.get("/api/v1/circulation/rules/versions");
  REQUIRE(versions.size() == 2);
  CHECK(versions[0].at("version") == 2);
  CHECK(versions[0].at("note") == "Summer");
  CHECK(versions[0].at("created_by") == staff.user_id());
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'rules.replaced'") == 2);
  CHECK(app->patron().put("/api/v1/circulation/rules", R"({"rules":[]})").status == 403);
}

TEST_CASE("a rule set with duplicates, holes or unknown categories is refused with its rows", "[D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  category(*app, "child");
  struct Row {
    std::string rules;
    std::vector<std::string> places;
  };
  const std::vector<Row> rows{
      {R"({"category":"child","max_loans":3})", {"body.rules"}},
      {R"({},{"item_type":"dvd"},{"item_type":"dvd","max_loans":1})", {"body.rules.2"}},
      {R"({},{"category":"adult"})", {"body.rules.1.category"}},
      {R"({"overdue_block":0})", {"body.rules.0.overdue_block"}},
      {R"({"loan_period_days":0,"max_loans":-2})",
       {"body.rules.0.loan_period_days", "body.rules.0.max_loans"}},
      {R"({"fine_per_day_minor":-1})", {"body.rules.0.fine_per_day_minor"}},
      {R"({"colour":"red"})", {"body.rules.0.colour"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.rules);
    const auto answer = set_rules(*app, row.rules);
    CHECK(answer.status == 422);
    std::vector<std::string> places;
    if (answer["errors"].is_array())
      for (const auto& error : answer["errors"].as_array()) {
        std::string place;
        for (const auto& part : error.at("loc").as_array())
          place += (place.empty() ? "" : ".") + std::string(part.as_string());
        places.push_back(place);
      }
    CHECK(places == row.places);
  }
  CHECK(app->number("SELECT count(*) FROM rule_sets") == 0);
}

TEST_CASE("the effective rule says where each value comes from", "[D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  category(*app, "child");
  const auto set = set_rules(*app, R"({"loan_period_days":21,"max_loans":5,"fine_per_day_minor":20},
      {"category":"child","fine_per_day_minor":0},{"item_type":"dvd","loan_period_days":7,"fine_per_day_minor":50})");
  REQUIRE(set.status == 200);
  auto staff = app->librarian();
  const auto rule = staff.get("/api/v1/circulation/rules/effective?category=child&item_type=dvd&branch_id=4");
  REQUIRE(rule.status == 200);
  CHECK(rule["rule_id"] == set["rules"].at(1).at("id"));
  CHECK(rule["rule"].at("loan_period_days") == 7);
  CHECK(rule["rule"].at("max_loans") == 5);
  CHECK(rule["rule"].at("fine_per_day_minor") == 0);
  CHECK(rule["rule"].at("max_renewals") == 3);
  std::map<std::string, boost::json::value> sources;
  for (const auto& source : rule["sources"].as_array())
    sources[std::string(source.at("name").as_string())] = source.at("rule_id");
  CHECK(sources["loan_period_days"] == set["rules"].at(2).at("id"));
  CHECK(sources["max_loans"] == set["rules"].at(0).at("id"));
  CHECK(sources["fine_per_day_minor"] == set["rules"].at(1).at("id"));
  CHECK(sources["max_renewals"].is_null());
  CHECK(staff.get("/api/v1/circulation/rules/effective?version=0")["rule"].at("loan_period_days") == 14);
  CHECK(staff.get("/api/v1/circulation/rules/effective?version=9").status == 404);
}

TEST_CASE("the sixth loan with a limit of five is refused, by category", "[D18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  category(*app, "child");
  REQUIRE(
      set_rules(*app, R"({"max_loans":5},{"category":"child","max_loans":1,"loan_period_days":7})").status ==
      200);
  auto adult = app->patron(1), child = app->patron(2);
  CHECK(set_category(*app, child, "adult").status == 422);
  REQUIRE(set_category(*app, child, "child").status == 200);
  for (int i = 0; i < 5; ++i) CHECK(borrow(adult, app->book())["due_date"] == "2026-12-06T10:00:00Z");
  const auto sixth = app->book();
  const auto refused = borrow(adult, sixth);
  CHECK(refused.status == 403);
  CHECK(refused.code() == "loan_limit");
  const auto loan = borrow(child, sixth);
  CHECK(loan.status == 201);
  CHECK(loan["due_date"] == "2026-11-29T10:00:00Z");
  CHECK(borrow(child, app->book()).code() == "loan_limit");
  CHECK(give_back(child, sixth).status == 200);
  CHECK(borrow(child, app->book()).status == 201);
  CHECK(app->number("SELECT count(*) FROM borrows WHERE rule_version <> 1 OR rule_id IS NULL") == 0);
}

TEST_CASE("rules count from the next loan on and go with an empty set", "[D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  CHECK(borrow(reader, app->book()).status == 201);
  REQUIRE(set_rules(*app, R"({"max_loans":0})").status == 200);
  CHECK(borrow(reader, app->book()).code() == "loan_limit");
  REQUIRE(set_rules(*app, "").status == 200);
  CHECK(borrow(reader, app->book()).status == 201);
  REQUIRE(set_rules(*app, R"({"max_loans":-1,"loan_period_days":3})").status == 200);
  CHECK(borrow(reader, app->book())["due_date"] == "2026-11-25T10:00:00Z");
  CHECK(borrow(reader, app->book(), R"({"loan_period_days":30})")["due_date"] == "2026-12-22T10:00:00Z");
  app->restart();
  reader = app->patron();
  CHECK(borrow(reader, app->book())["due_date"] == "2026-11-25T10:00:00Z");
  CHECK(app->number("SELECT max(rule_version) FROM borrows") == 3);
}

TEST_CASE("a row for an item type limits what a person has of that type, besides the limit of all",
          "[D16][D18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(
      set_rules(*app, R"({"max_loans":4},{"item_type":"dvd","max_loans":2,"loan_period_days":3})").status ==
      200);
  auto reader = app->patron(), staff = app->librarian();
  const auto dvd = [&] {
    const auto book = app->book("Emma", "Jane Austen", R"("copies":0)");
    REQUIRE(staff.post(fmt::format("/api/v1/books/{}/copies", book), R"({"item_type":"dvd"})").status == 201);
    return book;
  };
  CHECK(borrow(reader, dvd())["due_date"] == "2026-11-25T10:00:00Z");
  CHECK(borrow(reader, dvd()).status == 201);
  const auto third = dvd();
  CHECK(preview(reader, third)["reasons"].at(0).at("code") == "loan_limit");
  CHECK(borrow(reader, third).code() == "loan_limit");
  CHECK(borrow(reader, app->book())["due_date"] == "2026-12-06T10:00:00Z");
  CHECK(borrow(reader, app->book()).status == 201);
  CHECK(borrow(reader, app->book()).code() == "loan_limit");
}

TEST_CASE("holds are limited by the rules", "[D18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(set_rules(*app, R"({"max_holds":1},{"item_type":"dvd","holds_allowed":false})").status == 200);
  auto reader = app->patron(1), other = app->patron(2), staff = app->librarian();
  const auto hold = [](Client& who, std::int64_t book) {
    return who.post(fmt::format("/api/v1/books/{}/holds", book));
  };
  const auto first = app->book(), second = app->book();
  REQUIRE(borrow(other, first).status == 201);
  const auto placed = hold(reader, first);
  REQUIRE(placed.status == 201);
  CHECK(hold(reader, second).status == 403);
  CHECK(hold(reader, second).code() == "hold_limit");
  REQUIRE(reader.del(fmt::format("/api/v1/holds/{}", placed.id())).status < 300);
  CHECK(hold(reader, second).status == 201);
  const auto dvd = app->book("Emma", "Jane Austen", R"("copies":0)");
  REQUIRE(staff.post(fmt::format("/api/v1/books/{}/copies", dvd), R"({"item_type":"dvd"})").status == 201);
  CHECK(hold(other, dvd).code() == "holds_not_allowed");
}

TEST_CASE("a kept copy is lent under the rules to the person it is kept for", "[D16][D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(set_rules(*app, R"({"loan_period_days":9,"max_loans":1})").status == 200);
  auto reader = app->patron(1), other = app->patron(2);
  const auto book = app->book();
  REQUIRE(borrow(other, book).status == 201);
  REQUIRE(reader.post(fmt::format("/api/v1/books/{}/holds", book)).status == 201);
  CHECK(preview(reader, book)["reasons"].at(0).at("code") == "already_borrowed");
  REQUIRE(give_back(other, book).status == 200);
  CHECK(preview(other, book)["allowed"] == false);
  CHECK(preview(reader, book)["allowed"] == true);
  const auto loan = borrow(reader, book);
  CHECK(loan.status == 201);
  CHECK(loan["due_date"] == "2026-12-01T10:00:00Z");
  REQUIRE(other.post(fmt::format("/api/v1/books/{}/holds", book)).status == 201);
  const auto renewal = reader.get(fmt::format("/api/v1/borrows/{}/renew", loan.id()));
  CHECK(renewal["allowed"] == false);
  CHECK(renewal["reasons"].at(0).at("code") == "on_hold");
  CHECK(reader.post(fmt::format("/api/v1/borrows/{}/renew", loan.id())).code() == "on_hold");
}

TEST_CASE("renewals follow the rules and say so in advance", "[D13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(set_rules(*app, R"({"loan_period_days":14,"max_renewals":1,"renewal_period_days":28})").status ==
          200);
  auto reader = app->patron();
  const auto loan = borrow(reader, app->book());
  const auto path = fmt::format("/api/v1/borrows/{}/renew", loan.id());
  app->clock().advance(std::chrono::hours(24 * 3));
  reader = app->patron();
  const auto before = reader.get(path);
  CHECK(before["allowed"] == true);
  CHECK(before["due_date"] == "2026-12-23T10:00:00Z");
  CHECK(before["max_renewals"] == 1);
  CHECK(reader.post(path)["due_date"] == "2026-12-23T10:00:00Z");
  const auto after = reader.get(path);
  CHECK(after["allowed"] == false);
  CHECK(after["reasons"].at(0).at("code") == "renewal_limit");
  CHECK(after["due_date"] == "2026-12-23T10:00:00Z");
  CHECK(reader.post(path).code() == "renewal_limit");
  CHECK(app->patron(2).get(path).status == 404);
  CHECK(app->librarian().get(path).status == 200);
}

TEST_CASE("patron categories are made, changed and deleted while nobody has them", "[D18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto staff = app->librarian();
  const auto made = staff.post("/api/v1/patron-categories", R"({"code":"child","name":"Children"})");
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == "/api/v1/patron-categories/child");
  CHECK(staff.post("/api/v1/patron-categories", R"({"code":"child","name":"Again"})").code() ==
        "category_exists");
  CHECK(staff.post("/api/v1/patron-categories", R"({"code":"Big Child","name":"x"})").status == 422);
  const auto changed =
      staff.patch("/api/v1/patron-categories/child", R"({"name":"Kids","description":"Under 14"})",
                  {{"If-Match", made.header("ETag")}});
  CHECK(changed.status == 200);
  CHECK(changed["name"] == "Kids");
  CHECK(staff.patch("/api/v1/patron-categories/child", R"({"name":"x"})", {{"If-Match", made.header("ETag")}})
            .status == 412);
  CHECK(staff.patch("/api/v1/patron-categories/child", R"({"name":null})").status == 422);
  CHECK(staff.patch("/api/v1/patron-categories/adult", R"({"name":"x"})").status == 404);
  auto reader = app->patron();
  REQUIRE(set_category(*app, reader, "child").status == 200);
  CHECK(staff.get("/api/v1/patron-categories")[0].at("patrons") == 1);
  CHECK(staff.get("/api/v1/patron-categories/child")["patrons"] == 1);
  CHECK(staff.del("/api/v1/patron-categories/child").code() == "category_in_use");
  CHECK(staff.put(fmt::format("/api/v1/circulation/patrons/{}", reader.user_id()), "{}").status == 200);
  REQUIRE(set_rules(*app, R"({},{"category":"child"})").status == 200);
  CHECK(staff.del("/api/v1/patron-categories/child").code() == "category_in_use");
  REQUIRE(set_rules(*app, "{}").status == 200);
  CHECK(staff.del("/api/v1/patron-categories/child").status == 204);
  CHECK(staff.get("/api/v1/patron-categories/child").status == 404);
  CHECK(reader.get("/api/v1/patron-categories").status == 403);
}

TEST_CASE("a library card belongs to one person", "[D18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto staff = app->librarian();
  const auto path = [&](int n) {
    return fmt::format("/api/v1/circulation/patrons/{}", app->patron(n).user_id());
  };
  const auto set = staff.put(path(1), R"({"card_number":"A-1001"})");
  REQUIRE(set.status == 200);
  CHECK(set["card_number"] == "A-1001");
  CHECK(set["category"].is_null());
  CHECK(staff.get(path(1)).body == set.body);
  CHECK(staff.put(path(2), R"({"card_number":"A-1001"})").code() == "card_taken");
  CHECK(staff.get(path(2))["card_number"].is_null());
  CHECK(staff.put(path(1), R"({"card_number":"A-1002"})").status == 200);
  CHECK(staff.put(path(2), R"({"card_number":"A-1001"})").status == 200);
  CHECK(staff.put(path(1), R"({"card_number":" A"})").status == 422);
  CHECK(staff.put("/api/v1/circulation/patrons/424242", "{}").status == 404);
  CHECK(app->number("SELECT count(*) FROM library_cards") == 2);
}

TEST_CASE("a loan on a closed day is due when the library opens again", "[D21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto staff = app->librarian();
  const auto none = staff.get("/api/v1/circulation/calendar");
  CHECK(none["time_zone"] == "UTC");
  CHECK(none["weekly_hours"] == boost::json::array{});
  const auto set = staff.put("/api/v1/circulation/calendar", R"({"time_zone":"Europe/Berlin","weekly_hours":[
      {"day":"monday","opens":"09:00","closes":"18:00"}],"closed":[{"from":"2026-12-07","name":"Stocktaking"}]})");
  REQUIRE(set.status == 200);
  CHECK(staff.get("/api/v1/circulation/calendar").body == set.body);
  auto reader = app->patron();
  // 6 December is a Sunday; the Monday after it is closed too.
  CHECK(borrow(reader, app->book())["due_date"] == "2026-12-14T17:00:00Z");
  CHECK(borrow(reader, app->book(), R"({"loan_period_days":1})")["due_date"] == "2026-11-23T10:00:00Z");
  CHECK(
      staff
          .put(
              "/api/v1/circulation/calendar",
              R"({"time_zone":"UTC","closed":[{"from":"2026-12-01","to":"2026-12-05"},{"from":"2026-12-05"}]})")
          .status == 422);
  CHECK(staff.put("/api/v1/circulation/calendar", R"({"time_zone":"Mars/Olympus"})").status == 422);
  CHECK(
      staff.put("/api/v1/circulation/calendar", R"({"time_zone":"UTC"})", {{"If-Match", none.header("ETag")}})
          .status == 412);
  const auto branch = staff.put("/api/v1/circulation/calendar", R"({"time_zone":"UTC","branch_id":7})");
  CHECK(branch.status == 200);
  CHECK(staff.get("/api/v1/circulation/calendar?branch_id=7")["time_zone"] == "UTC");
  CHECK(staff.get("/api/v1/circulation/calendar?branch_id=8")["time_zone"] == "Europe/Berlin");
}

TEST_CASE("asking whether a book can be borrowed names everything against it", "[D17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1), other = app->patron(2);
  const auto book = app->book();
  const auto free = preview(reader, book);
  REQUIRE(free.status == 200);
  CHECK(free["allowed"] == true);
  CHECK(free["reasons"] == boost::json::array{});
  CHECK(free["rule_id"].is_null());
  CHECK(free["due_date"] == "2026-12-06T10:00:00Z");
  CHECK(preview(reader, book, R"(,"loan_period_days":30)")["due_date"] == "2026-12-22T10:00:00Z");
  CHECK(preview(reader, book, R"(,"loan_period_days":91)").status == 422);
  const auto set = set_rules(*app, R"({"max_loans":1})");
  REQUIRE(borrow(reader, app->book()).status == 201);
  REQUIRE(borrow(other, book).status == 201);
  const auto refused = preview(reader, book);
  CHECK(refused["allowed"] == false);
  CHECK(refused["rule_id"] == set["rules"].at(0).at("id"));
  CHECK(refused["rule_version"] == 1);
  CHECK(refused["rule"].at("max_loans") == 1);
  std::vector<std::string> codes;
  for (const auto& reason : refused["reasons"].as_array()) codes.push_back(text(reason.at("code")));
  CHECK(codes == std::vector<std::string>{"loan_limit", "already_borrowed"});
  CHECK(borrow(reader, book).code() == "loan_limit");

  CHECK(preview(reader, 424242).status == 404);
  CHECK(preview(reader, book, fmt::format(R"(,"user_id":{})", other.user_id())).status == 403);
  auto staff = app->librarian();
  CHECK(preview(staff, book, fmt::format(R"(,"user_id":{})", other.user_id()))["reasons"].at(0).at("code") ==
        "active_borrow_exists");
  CHECK(preview(staff, book, R"(,"user_id":424242)").status == 404);
  CHECK(reader.post("/api/v1/borrows/preview", "{}").status == 422);
  CHECK(reader.post("/api/v1/borrows/preview", R"({"barcode":"nowhere"})").code() == "unknown_barcode");
  const auto copy = staff.post(fmt::format("/api/v1/books/{}/copies", book), R"({"barcode":"B-1"})");
  REQUIRE(copy.status == 201);
  auto third = app->patron(3);
  CHECK(third.post("/api/v1/borrows/preview", R"({"barcode":"B-1"})")["allowed"] == true);
  CHECK(borrow(third, book).status == 201);
  auto fourth = app->patron(4);
  CHECK(fourth.post("/api/v1/borrows/preview", R"({"barcode":"B-1"})")["reasons"].at(0).at("code") ==
        "already_borrowed");
}

TEST_CASE("borrowing always answers what the preview said", "[D17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 4)));
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  category(*app, "child");
  std::vector<Client> people;
  for (int i = 1; i <= 3; ++i) people.push_back(app->patron(i));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 4; ++i)
    books.push_back(app->book("Emma", "Jane Austen", i == 0 ? R"("copies":2)" : ""));
  auto staff = app->librarian();
  int allowed = 0, refused = 0;
  for (int step = 0; step < 120; ++step) {
    auto& person = people[below(people.size())];
    const auto book = books[below(books.size())];
    switch (below(12)) {
      case 0: {
        const auto rows = std::vector<std::string>{
            "", R"({"max_loans":2,"loan_period_days":5,"overdue_block":1})",
            R"({"max_loans":-1},{"category":"child","max_loans":1,"loan_period_days":9})",
            R"({"max_loans":0})", R"({"loan_period_days":30},{"category":"child","overdue_block":2})"};
        REQUIRE(set_rules(*app, rows[below(rows.size())]).status == 200);
        break;
      }
      case 1:
        REQUIRE(staff
                    .put(fmt::format("/api/v1/circulation/patrons/{}", person.user_id()),
                         below(2) == 0 ? R"({"category":"child"})" : "{}")
                    .status == 200);
        break;
      case 2:
        REQUIRE(
            staff
                .put(
                    "/api/v1/circulation/calendar",
                    below(2) == 0
                        ? R"({"time_zone":"Europe/Berlin","closed":[{"from":"2026-12-01","to":"2026-12-20"}]})"
                        : R"({"time_zone":"UTC"})")
                .status == 200);
        break;
      case 3:
        app->clock().advance(std::chrono::hours(24));
        for (int i = 1; i <= 3; ++i) people[static_cast<std::size_t>(i - 1)] = app->patron(i);
        staff = app->librarian();
        break;
      case 4:
      case 5:
        give_back(person, book);
        break;
      default: {
        const auto terms = below(3) == 0 ? R"("loan_period_days":3)" : "";
        const auto said = preview(person, book, *terms == 0 ? "" : std::string(",") + terms);
        REQUIRE(said.status == 200);
        const auto done = borrow(person, book, *terms == 0 ? "" : fmt::format("{{{}}}", terms));
        INFO(said.body << "\n" << done.body);
        if (said["allowed"] == true) {
          ++allowed;
          CHECK(done.status == 201);
          CHECK(done["due_date"] == said["due_date"]);
        } else {
          ++refused;
          CHECK(done.status >= 400);
          CHECK(done.code() == text(said["reasons"].at(0).at("code")));
          CHECK(done.detail() == text(said["reasons"].at(0).at("detail")));
        }
      }
    }
  }
  CHECK(allowed > 5);
  CHECK(refused > 5);
}
