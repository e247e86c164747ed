#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <latch>
#include <thread>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto checkout_path = "/api/v1/circulation/checkout";
constexpr auto checkin_path = "/api/v1/circulation/checkin";
constexpr auto offline_path = "/api/v1/circulation/offline";

std::string text(const boost::json::value& v) {
  return v.is_string() ? std::string(v.get_string()) : "not a string";
}

std::string barcode_of(TestApp& app, std::int64_t book, std::size_t which = 0) {
  return text(app.anybody().get(fmt::format("/api/v1/books/{}/copies", book))[which].at("barcode"));
}
std::string checkout(std::string_view patron, std::string_view barcode, std::string_view more = "") {
  return fmt::format(R"({{"patron":"{}","barcode":"{}"{}{}}})", patron, barcode, more.empty() ? "" : ",",
                     more);
}
std::string checkin(std::string_view barcode) { return fmt::format(R"({{"barcode":"{}"}})", barcode); }
std::string summary_path(std::string_view patron) {
  return fmt::format("/api/v1/circulation/patrons/{}/summary", patron);
}

}  // namespace

TEST_CASE("the desk lends and takes back by barcode", "[D23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto reader = app->patron(1);
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  const auto barcode = barcode_of(*app, book, 1);
  const auto lent = librarian.post(checkout_path, checkout("PATRON1@example.org", barcode));
  REQUIRE(lent.status == 201);
  CHECK(lent["user_id"] == reader.user_id());
  CHECK(lent["due_date"] == "2026-12-06T10:00:00Z");
  CHECK(lent["book"].at("title") == "Emma");
  CHECK(app->number("SELECT copy_id FROM borrows") == app->number("SELECT max(id) FROM copies"));
  CHECK(app->number("SELECT user_id FROM audit_log WHERE action = 'borrow.created'") == librarian.user_id());
  CHECK(librarian.post(checkout_path, checkout(std::to_string(app->patron(2).user_id()), barcode)).code() ==
        "on_loan");
  CHECK(librarian.post(checkout_path, checkout("patron1@example.org", barcode_of(*app, book))).code() ==
        "active_borrow_exists");
  CHECK(librarian.post(checkout_path, checkout("patron1@example.org", "nothing")).code() ==
        "unknown_barcode");
  CHECK(librarian.post(checkout_path, checkout("nobody@example.org", barcode)).code() == "unknown_patron");
  CHECK(librarian.post(checkout_path, checkout("4711", barcode)).status == 404);

  const auto summary = librarian.get(summary_path("patron1@example.org"));
  REQUIRE(summary.status == 200);
  CHECK(summary["user"].at("full_name") == "Patron 1");
  CHECK(summary["loans"].as_array().size() == 1);
  CHECK(summary["overdue_loans"] == 0);
  CHECK(summary["blocks"].as_array().empty());
  CHECK(librarian.get(summary_path(std::to_string(reader.user_id()))).body == summary.body);
  CHECK(librarian.get(summary_path("nobody@example.org")).code() == "unknown_patron");
  CHECK(reader.get(summary_path("patron1@example.org")).status == 403);

  const auto back = librarian.post(checkin_path, checkin(barcode));
  REQUIRE(back.status == 200);
  CHECK(back["borrow"].at("id") == lent["id"]);
  CHECK(back["borrow"].at("status") == "returned");
  CHECK(back["hold"].is_null());
  CHECK(back["copy"].at("status") == "available");
  const auto twice = librarian.post(checkin_path, checkin(barcode));
  CHECK(twice.status == 400);
  CHECK(twice.code() == "not_on_loan");
  CHECK(librarian.post(checkin_path, checkin("nothing")).code() == "unknown_barcode");
  CHECK(librarian.post(checkin_path, fmt::format(R"({{"barcode":"{}","branch_id":99}})", barcode)).status ==
        422);
  CHECK(reader.post(checkin_path, checkin(barcode)).status == 403);
  CHECK(reader.post(checkout_path, checkout("patron1@example.org", barcode)).status == 403);

  const auto chosen = librarian.post(
      checkout_path, checkout("patron1@example.org", barcode, R"("due_date":"2027-01-31T00:00:00Z")"));
  CHECK(chosen["due_date"] == "2027-01-31T00:00:00Z");
  for (const auto* due : {"2026-11-22T10:00:00Z", "2020-01-01", "2030-01-01"})
    CHECK(librarian
              .post(checkout_path, checkout("patron2@example.org", barcode_of(*app, book),
                                            fmt::format(R"("due_date":"{}")", due)))
              .status == 422);
  for (const std::string body : {"{}", R"({"patron":"1"})", R"({"patron":" ","barcode":"x"})"})
    CHECK(librarian.post(checkout_path, body).status == 422);
}

TEST_CASE("a person is known by the card, which goes before an id of the same digits", "[D23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto first = app->patron(1).user_id(), second = app->patron(2).user_id();
  const auto give_card = [&](std::int64_t user, std::string_view number) {
    return librarian
        .put(fmt::format("/api/v1/circulation/patrons/{}", user),
             fmt::format(R"({{"card_number":"{}"}})", number))
        .status;
  };
  REQUIRE(give_card(first, "CARD-0042") == 200);
  CHECK(librarian.get(summary_path("CARD-0042"))["user"].at("id") == first);
  CHECK(librarian.get(summary_path("CARD-0043")).code() == "unknown_patron");
  REQUIRE(give_card(first, std::to_string(second)) == 200);
  CHECK(librarian.get(summary_path(std::to_string(second)))["user"].at("id") == first);
  const auto lent =
      librarian.post(checkout_path, checkout(std::to_string(second), barcode_of(*app, app->book())));
  CHECK(lent["user_id"] == first);
}

TEST_CASE("a copy kept for somebody else is lent only with a reason, which is audited", "[D23][D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  const auto barcode = barcode_of(*app, book);
  const auto first = app->patron(1).user_id();
  app->patron(2);
  REQUIRE(librarian.post(checkout_path, checkout(std::to_string(first), barcode)).status == 201);
  const auto hold = app->patron(2).post(fmt::format("/api/v1/books/{}/holds", book)).id();
  const auto back = librarian.post(checkin_path, checkin(barcode));
  REQUIRE(back.status == 200);
  CHECK(back["hold"].at("id") == hold);
  CHECK(back["hold"].at("status") == "ready");
  CHECK(back["hold"].at("user").at("full_name") == "Patron 2");
  CHECK(back["copy"].at("status") == "on_hold");

  const auto refused = librarian.post(checkout_path, checkout("patron1@example.org", barcode));
  CHECK(refused.status == 400);
  CHECK(refused.code() == "on_hold_for_other");
  const auto lent = librarian.post(
      checkout_path, checkout("patron1@example.org", barcode, R"("override_reason":"exam \"tomorrow\"")"));
  REQUIRE(lent.status == 201);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'circulation.overridden' AND detail LIKE "
                    "'%on_hold_for_other%' AND detail LIKE '%exam%tomorrow%'") == 1);
  const auto waiting = app->patron(2).get(fmt::format("/api/v1/holds/{}", hold));
  CHECK(waiting["status"] == "waiting");
  CHECK(waiting["position"] == 1);

  // Then the one who waits gets it, and the desk hands it over.
  REQUIRE(librarian.post(checkin_path, checkin(barcode)).status == 200);
  const auto handed = librarian.post(checkout_path, checkout("patron2@example.org", barcode));
  REQUIRE(handed.status == 201);
  CHECK(app->patron(2).get(fmt::format("/api/v1/holds/{}", hold))["status"] == "fulfilled");
  CHECK(librarian.get(summary_path("patron2@example.org"))["holds"].as_array().empty());
  CHECK(app->number("SELECT count(*) FROM book_stats WHERE copies_available <> 0 OR active_borrows <> 1") ==
        0);
}

TEST_CASE("a limit of loans is set aside with a reason; a closed account is not", "[D23][D18]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.max_loans = 1; });
  auto librarian = app->librarian();
  app->patron(1);
  const auto emma = barcode_of(*app, app->book("Emma")), dune = barcode_of(*app, app->book("Dune"));
  REQUIRE(librarian.post(checkout_path, checkout("patron1@example.org", emma)).status == 201);
  const auto refused = librarian.post(checkout_path, checkout("patron1@example.org", dune));
  CHECK(refused.status == 403);
  CHECK(refused.code() == "loan_limit");
  CHECK(librarian.get(summary_path("patron1@example.org"))["blocks"].at(0).at("code") == "loan_limit");
  CHECK(librarian.post(checkout_path, checkout("patron1@example.org", dune, R"("override_reason":"thesis")"))
            .status == 201);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'circulation.overridden' AND detail LIKE "
                    "'%loan_limit%' AND detail LIKE '%thesis%'") == 1);
  const auto id = app->patron(2).user_id();
  REQUIRE(app->admin().patch(fmt::format("/api/v1/users/{}", id), R"({"is_active":false})").status == 200);
  const auto third = barcode_of(*app, app->book("Ulysses"));
  const auto closed =
      librarian.post(checkout_path, checkout(std::to_string(id), third, R"("override_reason":"please")"));
  CHECK(closed.code() == "account_inactive");
  CHECK(librarian.get(summary_path(std::to_string(id)))["is_active"] == false);
}

TEST_CASE("a lost copy that is handed in is found; one in repair is not for the desk", "[D23][B25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->patron(1);
  const auto book = app->book();
  const auto barcode = barcode_of(*app, book);
  const auto status = fmt::format("/api/v1/copies/{}/status", app->number("SELECT id FROM copies"));
  REQUIRE(librarian.post(status, R"({"status":"missing"})").status == 200);
  CHECK(librarian.post(checkout_path, checkout("patron1@example.org", barcode)).code() == "copy_unavailable");
  const auto found = librarian.post(checkin_path, checkin(barcode));
  REQUIRE(found.status == 200);
  CHECK(found["borrow"].is_null());
  CHECK(found["copy"].at("status") == "available");
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'copy.found'") == 1);
  REQUIRE(librarian.post(status, R"({"status":"in_repair"})").status == 200);
  CHECK(librarian.post(checkin_path, checkin(barcode)).code() == "not_on_loan");
}

TEST_CASE("what desks did offline is done in order, conflicts are listed, nothing is done twice", "[D25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->patron(1), app->patron(2);
  const auto book = app->book();
  const auto barcode = barcode_of(*app, book);
  // Told in the wrong order: patron 1 has it from eight to nine, patron 2 from half past nine on.
  const auto batch = fmt::format(
      R"({{"transactions":[
        {{"client_id":"d1-3","kind":"checkout","barcode":"{0}","patron":"patron2@example.org","at":"2026-11-22T09:30:00Z"}},
        {{"client_id":"d1-1","kind":"checkout","barcode":"{0}","patron":"patron1@example.org","at":"2026-11-22T08:00:00Z",
          "due_date":"2026-12-24T00:00:00Z"}},
        {{"client_id":"d1-2","kind":"checkin","barcode":"{0}","at":"2026-11-22T09:00:00Z"}},
        {{"client_id":"d1-4","kind":"checkout","barcode":"{0}","patron":"patron1@example.org","at":"2026-11-22T09:40:00Z"}},
        {{"client_id":"d1-5","kind":"checkin","barcode":"nothing","at":"2026-11-22T09:50:00Z"}},
        {{"client_id":"d1-6","kind":"checkin","barcode":"{0}","at":"2026-11-23T09:50:00Z"}}]}})",
      barcode);
  const auto told = librarian.post(offline_path, batch);
  REQUIRE(told.status == 200);
  CHECK(told["done"] == 3);
  CHECK(told["duplicates"] == 0);
  CHECK(told["conflicts"] == 3);
  const auto& results = told["results"].as_array();
  REQUIRE(results.size() == 6);
  CHECK(results[0].at("client_id") == "d1-1");
  CHECK(results[0].at("borrow_id").is_int64());
  CHECK(results[3].at("outcome") == "conflict");
  CHECK(results[3].at("code") == "on_loan");
  CHECK(results[4].at("code") == "unknown_barcode");
  CHECK(results[5].at("code") == "in_the_future");
  CHECK(app->number("SELECT count(*) FROM borrows") == 2);
  const auto loans = app->patron(2).get("/api/v1/borrows");
  CHECK(loans[0].at("borrow_date") == "2026-11-22T09:30:00Z");
  CHECK(loans[0].at("due_date") == "2026-12-06T09:30:00Z");
  CHECK(app->patron(1).get("/api/v1/borrows")[0].at("return_date") == "2026-11-22T09:00:00Z");
  CHECK(app->patron(1).get("/api/v1/borrows")[0].at("due_date") == "2026-12-24T00:00:00Z");

  // Told again, by two at once.
  std::vector<std::thread> threads;
  std::latch start(2);
  std::atomic<int> wrong{0};
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const auto again = librarian.post(offline_path, batch);
      if (again["duplicates"] != 6) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  CHECK(app->number("SELECT count(*) FROM borrows") == 2);
  CHECK(wrong == 0);
  CHECK(app->number("SELECT count(*) FROM offline_transactions") == 6);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'borrow.created'") == 2);
  CHECK(app->number("SELECT count(*) FROM book_stats WHERE copies_available <> 0 OR active_borrows <> 1 OR "
                    "total_borrows <> 2") == 0);

  CHECK(librarian.post(offline_path, R"({"transactions":[]})").status == 422);
  CHECK(librarian.post(offline_path, R"({"transactions":[{"client_id":"x","kind":"lend","barcode":"b"}]})")
            .status == 422);
  CHECK(app->patron(1).post(offline_path, batch).status == 403);
}

TEST_CASE("one batch told by four desks at once is done once", "[D25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->patron(1);
  boost::json::array transactions;
  for (int i = 0; i < 8; ++i)
    transactions.push_back({{"client_id", fmt::format("c{}", i)},
                            {"kind", "checkout"},
                            {"barcode", barcode_of(*app, app->book(fmt::format("Volume {}", i)))},
                            {"patron", "patron1@example.org"},
                            {"at", "2026-11-22T09:00:00Z"}});
  const auto batch = boost::json::serialize(boost::json::object{{"transactions", transactions}});
  std::latch start(4);
  std::atomic<std::int64_t> done{0}, duplicates{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const auto told = librarian.post(offline_path, batch);
      if (told.status != 200) return;
      done += told["done"].as_int64();
      duplicates += told["duplicates"].as_int64();
    });
  for (auto& thread : threads) thread.join();
  CHECK(done == 8);
  CHECK(duplicates == 24);
  CHECK(app->number("SELECT count(*) FROM borrows") == 8);
}
