#include "support/test_app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <latch>
#include <thread>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto day = std::chrono::hours(24);

std::string borrow_path(std::int64_t book) { return fmt::format("/api/v1/borrows/{}/borrow", book); }
std::string return_path(std::int64_t book) { return fmt::format("/api/v1/borrows/{}/return", book); }
std::string renew_path(std::int64_t loan) { return fmt::format("/api/v1/borrows/{}/renew", loan); }
std::string holds_of(std::int64_t book) { return fmt::format("/api/v1/books/{}/holds", book); }
std::string hold_path(std::int64_t hold) { return fmt::format("/api/v1/holds/{}", hold); }
std::string position_path(std::int64_t hold) { return fmt::format("/api/v1/holds/{}/position", hold); }
std::string suspension_path(std::int64_t hold) { return fmt::format("/api/v1/holds/{}/suspension", hold); }
std::string availability_path(std::int64_t book) {
  return fmt::format("/api/v1/borrows/book/{}/availability", book);
}

std::string text(const boost::json::value& v) {
  return v.is_string() ? std::string(v.get_string()) : "not a string";
}

// The people of an array of holds, in order.
std::vector<std::int64_t> people(const Answer& line) {
  std::vector<std::int64_t> all;
  if (line.json.is_array())
    for (const auto& hold : line.json.get_array()) all.push_back(hold.at("user_id").as_int64());
  return all;
}

std::vector<std::int64_t> positions(const Answer& line) {
  std::vector<std::int64_t> all;
  if (line.json.is_array())
    for (const auto& hold : line.json.get_array()) all.push_back(hold.at("position").as_int64());
  return all;
}

// What comes round by itself; gives the number of books touched.
std::int64_t settle_due(TestApp& app) {
  boost::asio::io_context io;
  auto done = boost::asio::co_spawn(io, app.app().holds().settle_due(), boost::asio::use_future);
  io.run();
  return done.get().value();
}

void check_counters(TestApp& app) {
  CHECK(app.number(
            "SELECT count(*) FROM book_stats s WHERE s.copies_available <> (SELECT count(*) FROM copies c "
            "WHERE "
            "c.book_id = s.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE "
            "o.copy_id = c.id AND o.return_date IS NULL))") == 0);
  CHECK(app.number(
            "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE "
            "h.book_id = s.book_id AND h.ended_at IS NULL)") == 0);
}

}  // namespace

TEST_CASE("people wait in line, the first gets the copy that comes back, the others still wait", "[D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen");
  auto first = app->patron(1), second = app->patron(2), third = app->patron(3);
  const auto loan = first.post(borrow_path(book));
  REQUIRE(loan.status == 201);

  const auto waits = second.post(holds_of(book), R"({"note":"for the weekend"})");
  REQUIRE(waits.status == 201);
  CHECK(waits.header("Location") == hold_path(waits.id()));
  CHECK(waits["status"] == "waiting");
  CHECK(waits["position"] == 1);
  CHECK(waits["user_id"] == second.user_id());
  CHECK(waits["book_id"] == book);
  CHECK(waits["copy_id"].is_null());
  CHECK(waits["ready_at"].is_null());
  CHECK(waits["note"] == "for the weekend");
  CHECK(waits["created_at"] == "2026-11-22T10:00:00Z");
  CHECK(waits["book"] == boost::json::value{{"id", book}, {"title", "Emma"}, {"author", "Jane Austen"}});
  const auto behind = third.post(holds_of(book));
  REQUIRE(behind.status == 201);
  CHECK(behind["position"] == 2);
  CHECK(app->anybody().get(availability_path(book))["holds"] == 2);

  const auto again = second.post(holds_of(book));
  CHECK(again.status == 400);
  CHECK(again.code() == "hold_exists");
  CHECK(first.post(holds_of(book)).code() == "active_borrow_exists");
  CHECK(first.post(renew_path(loan.id())).code() == "on_hold");

  REQUIRE(first.post(return_path(book)).status == 200);
  const auto ready = second.get(hold_path(waits.id()));
  CHECK(ready["status"] == "ready");
  CHECK(ready["copy_id"] == loan["copy_id"]);
  CHECK(ready["ready_at"] == "2026-11-22T10:00:00Z");
  CHECK(ready["pickup_until"] == "2026-11-29T10:00:00Z");
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/copies", book))[0].at("status") == "on_hold");
  CHECK(app->anybody().get(availability_path(book))["is_available"] == false);
  for (auto* other : {&first, &third}) {
    const auto refused = other->post(borrow_path(book));
    CHECK(refused.status == 400);
    CHECK(refused.detail() == "Book is already borrowed");
  }
  CHECK(app->number("SELECT user_id FROM outbox WHERE type = 'hold.ready'") == second.user_id());

  const auto lent = second.post(borrow_path(book));
  REQUIRE(lent.status == 201);
  CHECK(lent["copy_id"] == loan["copy_id"]);
  const auto fulfilled = second.get(hold_path(waits.id()));
  CHECK(fulfilled["status"] == "fulfilled");
  CHECK(fulfilled["borrow_id"] == lent.id());
  CHECK(fulfilled["position"].is_null());
  CHECK(third.get(hold_path(behind.id()))["position"] == 1);
  CHECK(second.post(renew_path(lent.id())).code() == "on_hold");
  CHECK(app->anybody().get(availability_path(book))["holds"] == 1);
  check_counters(*app);
}

TEST_CASE("what is not picked up in time passes on to the next, and in the end to the shelf", "[D14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto first = app->patron(1);
  REQUIRE(first.post(borrow_path(book)).status == 201);
  const auto second = app->patron(2).post(holds_of(book)).id();
  const auto third = app->patron(3).post(holds_of(book)).id();
  REQUIRE(first.post(return_path(book)).status == 200);
  app->clock().advance(7 * day);
  CHECK(settle_due(*app) == 0);  // until the very moment
  app->clock().advance(1s);
  CHECK(settle_due(*app) == 1);
  CHECK(settle_due(*app) == 0);
  const auto expired = app->patron(2).get(hold_path(second));
  CHECK(expired["status"] == "expired");
  CHECK(expired["copy_id"].is_null());
  const auto ready = app->patron(3).get(hold_path(third));
  CHECK(ready["status"] == "ready");
  CHECK(ready["position"] == 1);
  CHECK(app->patron(2).post(borrow_path(book)).status == 400);
  app->clock().advance(8 * day);
  CHECK(settle_due(*app) == 1);
  CHECK(app->patron(2).post(borrow_path(book)).status == 201);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'hold.expired'") == 2);
  check_counters(*app);
}

TEST_CASE("a hold on a book with a free copy is ready at once", "[D14]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.hold_pickup_days = 2; });
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  const auto hold = app->patron(1).post(holds_of(book));
  REQUIRE(hold.status == 201);
  CHECK(hold["status"] == "ready");
  CHECK(hold["position"] == 1);
  CHECK(hold["pickup_until"] == "2026-11-24T10:00:00Z");
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["copies_available"] == 1);
  // The one who has a copy kept takes that one, though another is free; nothing stays behind on the hold
  // shelf.
  REQUIRE(app->patron(1).post(borrow_path(book)).status == 201);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["copies_available"] == 1);
  CHECK(app->number("SELECT count(*) FROM copies WHERE status = 'on_hold'") == 0);
  CHECK(app->patron(1).get(hold_path(hold.id()))["status"] == "fulfilled");
  CHECK(app->patron(2).post(borrow_path(book)).status == 201);
  check_counters(*app);
}

TEST_CASE("whenever a copy becomes free, whoever waits gets it", "[D14][B25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  REQUIRE(app->patron(1).post(borrow_path(book)).status == 201);
  const auto hold = app->patron(2).post(holds_of(book)).id();
  const auto status = [&](std::int64_t id) { return text(librarian.get(hold_path(id))["status"]); };
  const auto made = librarian.post(fmt::format("/api/v1/books/{}/copies", book), "{}");
  REQUIRE(made.status == 201);
  CHECK(made["status"] == "on_hold");
  CHECK(status(hold) == "ready");
  const auto copy = fmt::format("/api/v1/copies/{}", made.id());
  CHECK(librarian.del(copy).code() == "on_hold");
  CHECK(librarian.post(copy + "/status", R"({"status":"withdrawn"})").code() == "on_hold");
  // It is not on the hold shelf after all: back in line, in the old place.
  const auto third = app->patron(3).post(holds_of(book)).id();
  REQUIRE(librarian.post(copy + "/status", R"({"status":"missing"})").status == 200);
  CHECK(status(hold) == "waiting");
  CHECK(librarian.get(hold_path(hold))["position"] == 1);
  REQUIRE(librarian.post(copy + "/status", R"({"status":"available"})").status == 200);
  CHECK(status(hold) == "ready");
  CHECK(librarian.get(copy)["status"] == "on_hold");
  // Cancelled while ready: the next has it.
  const auto cancelled = app->patron(2).del(hold_path(hold));
  CHECK(cancelled.status == 200);
  CHECK(cancelled["status"] == "cancelled");
  CHECK(status(third) == "ready");
  CHECK(app->patron(2).del(hold_path(hold)).code() == "hold_ended");
  REQUIRE(app->patron(3).del(hold_path(third)).status == 200);
  CHECK(librarian.get(copy)["status"] == "available");
  check_counters(*app);
}

TEST_CASE("a hold is suspended, resumed, changed and moved; the line stays 1 to n", "[D15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  REQUIRE(app->patron(1).post(borrow_path(book)).status == 201);
  std::vector<std::int64_t> holds, users;
  for (int i = 2; i <= 5; ++i) {
    auto reader = app->patron(i);
    holds.push_back(reader.post(holds_of(book)).id());
    users.push_back(reader.user_id());
  }
  const auto line = [&] { return librarian.get(holds_of(book)); };
  CHECK(people(line()) == users);
  CHECK(positions(line()) == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(line()[0].at("user").at("full_name") == "Patron 2");

  const auto moved = librarian.put(position_path(holds[3]), R"({"position":1})");
  REQUIRE(moved.status == 200);
  CHECK(moved["position"] == 1);
  CHECK(people(line()) == std::vector{users[3], users[0], users[1], users[2]});
  CHECK(librarian.put(position_path(holds[3]), R"({"position":99})")["position"] == 4);
  CHECK(positions(line()) == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(librarian.put(position_path(holds[3]), R"({"position":0})").status == 422);
  CHECK(app->patron(5).put(position_path(holds[3]), R"({"position":1})").status == 403);
  CHECK(librarian.put(position_path(999), R"({"position":1})").status == 404);

  // The first is passed over, and keeps the place.
  const auto suspended =
      app->patron(2).post(suspension_path(holds[0]), R"({"until":"2026-12-01T00:00:00Z"})");
  REQUIRE(suspended.status == 200);
  CHECK(suspended["status"] == "suspended");
  CHECK(suspended["position"] == 1);
  REQUIRE(app->patron(1).post(return_path(book)).status == 200);
  CHECK(app->patron(3).get(hold_path(holds[1]))["status"] == "ready");
  CHECK(app->patron(3).post(suspension_path(holds[1])).code() == "hold_ready");
  CHECK(app->patron(4).post(suspension_path(holds[0])).status == 404);
  CHECK(app->patron(2).post(suspension_path(holds[0]), R"({"until":"2026-11-01"})").status == 422);
  app->clock().set(*parse_rfc3339("2026-12-01T00:00:00Z"));
  librarian = app->librarian();
  CHECK(settle_due(*app) == 1);  // the suspension ends, and the copy that was not picked up passes on
  CHECK(app->patron(3).get(hold_path(holds[1]))["status"] == "expired");
  CHECK(app->patron(2).get(hold_path(holds[0]))["status"] == "ready");

  // The same by PATCH, and by DELETE of the suspension.
  auto fourth = app->patron(4);
  CHECK(fourth.patch(hold_path(holds[2]), R"({"suspended":true})")["status"] == "suspended");
  CHECK(fourth.del(suspension_path(holds[2]))["status"] == "waiting");
  CHECK(fourth.patch(hold_path(holds[2]), R"({"suspended_until":"2027-01-01"})")["suspended_until"] ==
        "2027-01-01T00:00:00Z");
  const auto resumed = fourth.patch(hold_path(holds[2]), R"({"suspended":false,"note":"soon"})");
  CHECK(resumed["status"] == "waiting");
  CHECK(resumed["suspended_until"].is_null());
  CHECK(resumed["note"] == "soon");
  for (const std::string body :
       {R"({"suspended":null})", R"({"suspended":false,"suspended_until":"2027-01-01"})",
        R"({"pickup_branch_id":null})", R"({"pickup_branch_id":99})", R"({"expires_at":"2020-01-01"})",
        R"({"position":1})"})
    CHECK(fourth.patch(hold_path(holds[2]), body).status == 422);
  const auto north = librarian.post("/api/v1/branches", R"({"code":"north","name":"North"})").id();
  const auto elsewhere =
      fourth.patch(hold_path(holds[2]), fmt::format(R"({{"pickup_branch_id":{}}})", north));
  CHECK(elsewhere["pickup_branch_id"] == north);
  CHECK(librarian.del(fmt::format("/api/v1/branches/{}", north)).code() == "branch_in_use");

  // Not wanted any more after a while.
  CHECK(fourth.patch(hold_path(holds[2]), R"({"expires_at":"2026-12-02"})").status == 200);
  app->clock().advance(2 * day);
  CHECK(settle_due(*app) == 1);
  CHECK(app->patron(4).get(hold_path(holds[2]))["status"] == "expired");
  check_counters(*app);
}

TEST_CASE("a suspended hold that resumes while a copy is free is ready at once", "[D15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1);
  REQUIRE(app->patron(2).post(borrow_path(book)).status == 201);
  const auto hold = reader.post(holds_of(book)).id();
  REQUIRE(reader.post(suspension_path(hold)).status == 200);
  REQUIRE(app->patron(2).post(return_path(book)).status == 200);
  CHECK(app->anybody().get(availability_path(book))["is_available"] == true);  // nobody wants it now
  CHECK(reader.del(suspension_path(hold))["status"] == "ready");
  CHECK(app->anybody().get(availability_path(book))["is_available"] == false);
  check_counters(*app);
}

TEST_CASE("people see their own holds, staff see all and act for others", "[D14][A51]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto reader = app->patron(1), other = app->patron(2);
  const auto emma = app->book("Emma"), dune = app->book("Dune");
  REQUIRE(other.post(borrow_path(emma)).status == 201);
  const auto first = reader.post(holds_of(emma)).id();
  const auto second = librarian.post(holds_of(dune), fmt::format(R"({{"user_id":{}}})", reader.user_id()));
  REQUIRE(second.status == 201);
  CHECK(second["user_id"] == reader.user_id());
  CHECK(app->number("SELECT user_id FROM audit_log WHERE action = 'hold.placed' ORDER BY id DESC") ==
        librarian.user_id());
  const auto mine = reader.get("/api/v1/holds");
  CHECK(mine.header("X-Total-Count") == "2");
  CHECK(mine[0].at("id") == second.id());
  CHECK(reader.get("/api/v1/holds?status=waiting").size() == 1);
  CHECK(reader.get("/api/v1/holds?limit=1").header("Link").find("rel=\"next\"") != std::string::npos);
  CHECK(reader.get("/api/v1/holds?cursor=bm90LWEtY3Vyc29y").status == 422);
  CHECK(other.get("/api/v1/holds").size() == 0);
  CHECK(other.get(hold_path(first)).status == 404);
  CHECK(other.del(hold_path(first)).status == 404);
  CHECK(librarian.get("/api/v1/holds/all").size() == 2);
  CHECK(librarian.get(fmt::format("/api/v1/holds/all?book_id={}", emma))[0].at("user").at("email") ==
        "patron1@example.org");
  CHECK(reader.get("/api/v1/holds/all").status == 403);
  CHECK(reader.get(holds_of(emma)).status == 403);
  CHECK(librarian.get(holds_of(999)).status == 404);
  CHECK(reader.post(holds_of(999)).status == 404);
  CHECK(reader.post(holds_of(emma), fmt::format(R"({{"user_id":{}}})", other.user_id())).status == 403);
  CHECK(librarian.post(holds_of(emma), R"({"user_id":4711})").detail() == "User not found");
  CHECK(librarian.del(hold_path(first)).status == 200);
  CHECK(librarian.get("/api/v1/holds/999").status == 404);
  for (const std::string body :
       {R"({"expires_at":"2020-01-01"})", R"({"pickup_branch_id":99})", R"({"when":1})"})
    CHECK(other.post(holds_of(dune), body).status == 422);
}

TEST_CASE("who leaves the library leaves every line; a book that somebody waits for stays", "[D14][B12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1);
  REQUIRE(app->patron(2).post(borrow_path(book)).status == 201);
  REQUIRE(reader.post(holds_of(book)).status == 201);
  REQUIRE(app->patron(2).post(return_path(book)).status == 200);
  const auto refused = app->librarian().del(fmt::format("/api/v1/books/{}", book));
  CHECK(refused.status == 400);
  CHECK(refused.code() == "on_hold");
  REQUIRE(reader
              .send(http::Method::del, "/api/v1/users/me",
                    fmt::format(R"({{"password":"{}"}})", TestApp::password), {})
              .status < 300);
  CHECK(settle_due(*app) == 1);
  CHECK(app->anybody().get(availability_path(book))["is_available"] == true);
  CHECK(app->librarian().del(fmt::format("/api/v1/books/{}", book)).status == 204);
}

TEST_CASE("positions stay 1 to n under fifty parallel edits", "[D15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  REQUIRE(librarian.post(borrow_path(book)).status == 201);
  constexpr int people_count = 10;
  std::vector<Client> readers;
  std::vector<std::int64_t> holds;
  for (int i = 1; i <= people_count; ++i) {
    readers.push_back(app->patron(i));
    holds.push_back(readers.back().post(holds_of(book)).id());
  }
  constexpr int edits = 50;
  std::latch start(edits);
  std::atomic<int> wrong{0}, gaps{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < edits; ++i)
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      const auto who = static_cast<std::size_t>(i) % people_count;
      Answer answer;
      switch (i % 5) {
        case 0:
          answer = librarian.put(position_path(holds[who]), fmt::format(R"({{"position":{}}})", 1 + i % 7));
          break;
        case 1:
          answer = readers[who].post(suspension_path(holds[who]));
          break;
        case 2:
          answer = librarian.put(position_path(holds[who]), R"({"position":1})");
          break;
        case 3:
          answer = i < 20 ? readers[who].del(hold_path(holds[who])) : librarian.get(holds_of(book));
          break;
        default:
          answer = readers[who].del(suspension_path(holds[who]));
          break;
      }
      if (answer.status >= 500) ++wrong;
      const auto line = positions(librarian.get(holds_of(book)));
      for (std::size_t n = 0; n < line.size(); ++n)
        if (line[n] != static_cast<std::int64_t>(n) + 1) ++gaps;
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(gaps == 0);
  const auto line = librarian.get(holds_of(book));
  CHECK(line.size() == 8);
  check_counters(*app);
}
