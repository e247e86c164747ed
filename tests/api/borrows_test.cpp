#include "support/held_lock.hpp"
#include "support/test_app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto day = std::chrono::hours(24);

std::string borrow_path(std::int64_t book) { return fmt::format("/api/v1/borrows/{}/borrow", book); }
std::string return_path(std::int64_t book) { return fmt::format("/api/v1/borrows/{}/return", book); }
std::string renew_path(std::int64_t loan) { return fmt::format("/api/v1/borrows/{}/renew", loan); }
std::string availability_path(std::int64_t book) {
  return fmt::format("/api/v1/borrows/book/{}/availability", book);
}

std::string text(const boost::json::value& v) {
  return v.is_string() ? std::string(v.get_string()) : "not a string";
}

// The ids of an array of loans.
std::vector<std::int64_t> ids(const boost::json::value& loans) {
  std::vector<std::int64_t> all;
  if (loans.is_array())
    for (const auto& loan : loans.get_array()) all.push_back(loan.at("id").as_int64());
  return all;
}

// f(0..count-1), each in a thread of its own; counts "status detail".
template <class F>
std::map<std::string, int> at_once(int count, F f) {
  std::latch start(count);
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      const Answer answer = f(i);
      const std::lock_guard lock(mutex);
      ++outcomes[fmt::format("{} {}", answer.status, answer.detail())];
    });
  for (auto& thread : threads) thread.join();
  return outcomes;
}

using Outcomes = std::map<std::string, int>;

// The daily job; gives how many loans became overdue.
std::int64_t mark_overdue(TestApp& app) {
  boost::asio::io_context io;
  auto marked = boost::asio::co_spawn(io, app.app().borrows().mark_overdue(), boost::asio::use_future);
  io.run();
  return marked.get().value();
}

// People who are already signed in.
std::vector<Client> readers(TestApp& app, int count) {
  std::vector<Client> all;
  for (int i = 1; i <= count; ++i) all.push_back(app.patron(i));
  return all;
}

}  // namespace

TEST_CASE("a reader borrows a book for fourteen days", "[D1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen");
  auto reader = app->patron();
  const auto loan = reader.post(borrow_path(book));
  REQUIRE(loan.status == 201);
  CHECK(loan.id() > 0);
  CHECK(loan["user_id"] == reader.user_id());
  CHECK(loan["book_id"] == book);
  CHECK(loan["copy_id"].is_int64());
  CHECK(loan["borrow_date"] == "2026-11-22T10:00:00Z");
  CHECK(loan["due_date"] == "2026-12-06T10:00:00Z");
  CHECK(loan["return_date"].is_null());
  CHECK(loan["status"] == "active");
  CHECK(loan["is_overdue"] == false);
  CHECK(loan["renewals"] == 0);
  CHECK(loan["book"] == boost::json::value{{"id", book}, {"title", "Emma"}, {"author", "Jane Austen"}});
  CHECK(loan.json.as_object().if_contains("user") == nullptr);
}

TEST_CASE("the loan period is chosen in the query or in the body, from 1 to 90 days", "[D1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  struct Row {
    std::string query, body;
    int status;
    std::string due;
  };
  const std::vector<Row> rows{
      {"?loan_period_days=1", "", 201, "2026-11-23T10:00:00Z"},
      {"?loan_period_days=90", "", 201, "2027-02-20T10:00:00Z"},
      {"", R"({"loan_period_days":30})", 201, "2026-12-22T10:00:00Z"},
      {"?loan_period_days=7", R"({"loan_period_days":30})", 201, "2026-12-22T10:00:00Z"},
      {"", "{}", 201, "2026-12-06T10:00:00Z"},
      {"", R"({"loan_period_days":null})", 201, "2026-12-06T10:00:00Z"},
      {"?loan_period_days=0", "", 422, ""},
      {"?loan_period_days=366", "", 422, ""},
      {"?loan_period_days=91", "", 422, ""},
      {"?loan_period_days=-1", "", 422, ""},
      {"?loan_period_days=two", "", 422, ""},
      {"?loan_period_days=", "", 422, ""},
      {"?loan_period_days=99999999999999999999", "", 422, ""},
      {"?days=3", "", 422, ""},
      {"", R"({"loan_period_days":0})", 422, ""},
      {"", R"({"loan_period_days":366})", 422, ""},
      {"", R"({"loan_period_days":1.5})", 422, ""},
      {"", R"({"loan_period_days":"14"})", 422, ""},
      {"", R"({"days":14})", 422, ""},
      {"", R"([])", 422, ""},
      {"", R"({"loan_period_days":14)", 400, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.query, row.body);
    const auto book = app->book();
    const auto answer = reader.post(borrow_path(book) + row.query, row.body);
    CHECK(answer.status == row.status);
    if (row.status == 201) CHECK(text(answer["due_date"]) == row.due);
    CHECK(app->number("SELECT count(*) FROM borrows WHERE book_id = " + std::to_string(book)) ==
          (row.status == 201));
  }
}

TEST_CASE("the library's own loan period counts when none is named", "[D1]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.loan_period_days = 21; });
  auto reader = app->patron();
  CHECK(reader.post(borrow_path(app->book()))["due_date"] == "2026-12-13T10:00:00Z");
}

TEST_CASE("what does not exist cannot be borrowed, and strangers borrow nothing", "[D1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto gone = app->book();
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", gone)).status == 204);
  for (const auto& id : std::vector<std::string>{"999", "0", "-1", "9223372036854775807",
                                                 "9223372036854775808", std::to_string(gone)}) {
    const auto answer = reader.post("/api/v1/borrows/" + id + "/borrow");
    CAPTURE(id);
    CHECK(answer.status == 404);
    CHECK(answer.detail() == "Book not found");
  }
  CHECK(reader.post("/api/v1/borrows/first/borrow").status == 422);
  CHECK(app->anybody().post(borrow_path(app->book())).status == 401);
}

TEST_CASE("a book that is out is refused, and one's own loan is said first", "[D2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto first = app->patron(1), second = app->patron(2);
  REQUIRE(first.post(borrow_path(book)).status == 201);
  const auto out = second.post(borrow_path(book));
  CHECK(out.status == 400);
  CHECK(out.detail() == "Book is already borrowed");
  CHECK(out.code() == "already_borrowed");
  const auto mine = first.post(borrow_path(book));
  CHECK(mine.status == 400);
  CHECK(mine.detail() == "You already have an active borrow for this book");
  SECTION("also when more copies are free") {
    REQUIRE(app->librarian().post(fmt::format("/api/v1/books/{}/copies", book)).status == 201);
    CHECK(first.post(borrow_path(book)).detail() == "You already have an active borrow for this book");
    CHECK(second.post(borrow_path(book)).status == 201);
  }
  SECTION("a copy that is lost or withdrawn is not there to borrow") {
    const auto other = app->book();
    const auto copy =
        app->anybody().get(fmt::format("/api/v1/books/{}/copies", other))[0].at("id").as_int64();
    REQUIRE(app->librarian().patch(fmt::format("/api/v1/copies/{}", copy), R"({"status":"lost"})").status ==
            200);
    CHECK(second.post(borrow_path(other)).detail() == "Book is already borrowed");
  }
}

TEST_CASE("a hundred readers race for one copy: one gets it, ninety-nine hear why not", "[D3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto people = readers(*app, 100);
  const auto outcomes =
      at_once(100, [&](int i) { return people[static_cast<std::size_t>(i)].post(borrow_path(book)); });
  CHECK(outcomes == Outcomes{{"201 ", 1}, {"400 Book is already borrowed", 99}});
  CHECK(app->number("SELECT count(*) FROM borrows") == 1);
  CHECK(app->number("SELECT copies_available FROM book_stats") == 0);
  CHECK(app->number("SELECT active_borrows FROM book_stats") == 1);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'borrow.created'") == 1);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'borrow.created'") == 1);
}

TEST_CASE("readers who race for several copies get as many as there are", "[D3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":4)");
  auto people = readers(*app, 20);
  const auto outcomes =
      at_once(20, [&](int i) { return people[static_cast<std::size_t>(i)].post(borrow_path(book)); });
  CHECK(outcomes == Outcomes{{"201 ", 4}, {"400 Book is already borrowed", 16}});
  CHECK(app->number("SELECT count(DISTINCT copy_id) FROM borrows") == 4);
}

TEST_CASE("one reader who asks many times at once gets one copy", "[D3][D2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":3)");
  auto reader = app->patron();
  const auto outcomes = at_once(12, [&](int) { return reader.post(borrow_path(book)); });
  CHECK(outcomes == Outcomes{{"201 ", 1}, {"400 You already have an active borrow for this book", 11}});
}

TEST_CASE("a book comes back, in time or late, and can be borrowed again", "[D4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1), other = app->patron(2);
  const auto loan = reader.post(borrow_path(book));
  const bool late = GENERATE(false, true);
  app->clock().advance(late ? 30 * day : 3 * day);
  auto again = app->login("patron1@example.org", std::string(TestApp::password));
  const auto returned = again.post(return_path(book));
  REQUIRE(returned.status == 200);
  CHECK(returned.id() == loan.id());
  CHECK(returned["status"] == "returned");
  CHECK(returned["is_overdue"] == false);
  CHECK(text(returned["return_date"]) == (late ? "2026-12-22T10:00:00Z" : "2026-11-25T10:00:00Z"));
  CHECK(returned["borrow_date"] == loan["borrow_date"]);
  CHECK(returned["book"] == loan["book"]);
  const auto twice = again.post(return_path(book));
  CHECK(twice.status == 404);
  CHECK(twice.detail() == "No active borrow found for this book");
  CHECK(app->login("patron2@example.org", std::string(TestApp::password)).post(borrow_path(book)).status ==
        201);
}

TEST_CASE("nobody returns what somebody else has", "[D4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1), other = app->patron(2);
  REQUIRE(reader.post(borrow_path(book)).status == 201);
  for (const auto id : {book, std::int64_t{999}}) {
    const auto answer = other.post(return_path(id));
    CHECK(answer.status == 404);
    CHECK(answer.detail() == "No active borrow found for this book");
  }
  CHECK(app->anybody().post(return_path(book)).status == 401);
}

TEST_CASE("librarians lend and take back for others; readers may not", "[D23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1), other = app->patron(2);
  auto librarian = app->librarian();
  const std::string for_reader = fmt::format("?user_id={}", reader.user_id());
  for (const auto& path : {borrow_path(book), return_path(book)}) {
    CHECK(other.post(path + for_reader).status == 403);
    CHECK(other.post(path, fmt::format(R"({{"user_id":{}}})", reader.user_id())).status == 403);
    CHECK(librarian.post(path + "?user_id=0").status == 422);
  }
  CHECK(app->number("SELECT count(*) FROM borrows") == 0);
  const auto lent = librarian.post(borrow_path(book) + for_reader);
  REQUIRE(lent.status == 201);
  CHECK(lent["user_id"] == reader.user_id());
  CHECK(app->number("SELECT user_id FROM audit_log WHERE action = 'borrow.created'") == librarian.user_id());
  CHECK(app->number("SELECT user_id FROM outbox WHERE type = 'borrow.created'") == reader.user_id());
  CHECK(ids(reader.get("/api/v1/borrows").json) == std::vector{lent.id()});
  CHECK(librarian.post(return_path(book), fmt::format(R"({{"user_id":{}}})", reader.user_id())).status ==
        200);
  const auto nobody = librarian.post(borrow_path(book) + "?user_id=4711");
  CHECK(nobody.status == 404);
  CHECK(nobody.detail() == "User not found");
  CHECK(reader.post(borrow_path(book) + for_reader).status == 201);  // naming oneself is no offence
}

TEST_CASE("readers list their own loans, newest first, by status", "[D5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> loans;
  for (int i = 0; i < 3; ++i) {
    loans.push_back(app->patron(1).post(borrow_path(app->book())).id());
    app->clock().advance(1h);
  }
  const auto overdue = app->patron(1).post(borrow_path(app->book()) + "?loan_period_days=1").id();
  REQUIRE(app->patron(2).post(borrow_path(app->book())).status == 201);
  app->clock().advance(2 * day);
  auto reader = app->patron(1);
  REQUIRE(reader
              .post(return_path(
                  app->number("SELECT book_id FROM borrows WHERE id = " + std::to_string(loans[1]))))
              .status == 200);

  const auto all = reader.get("/api/v1/borrows");
  CHECK(all.header("X-Total-Count") == "4");
  CHECK(ids(all.json) == std::vector{overdue, loans[2], loans[1], loans[0]});
  CHECK(ids(reader.get("/api/v1/borrows?status=active").json) == std::vector{loans[2], loans[0]});
  CHECK(ids(reader.get("/api/v1/borrows?status=overdue").json) == std::vector{overdue});
  CHECK(ids(reader.get("/api/v1/borrows?status=returned").json) == std::vector{loans[1]});
  CHECK(ids(reader.get("/api/v1/borrows?skip=1&limit=2").json) == std::vector{loans[2], loans[1]});
  CHECK(reader.get("/api/v1/borrows?status=lost").status == 422);
  CHECK(reader.get("/api/v1/borrows?user_id=2").status == 422);
  CHECK(reader.get("/api/v1/borrows?cursor=%F0%9F%92%A9").status == 422);
  CHECK(reader.get("/api/v1/borrows?cursor=bm90LWEtY3Vyc29y").status == 422);
  CHECK(app->anybody().get("/api/v1/borrows").status == 401);

  const auto page = reader.get("/api/v1/borrows?page=2&size=3");
  CHECK(page["total"] == 4);
  CHECK(ids(page["items"]) == std::vector{loans[0]});
}

TEST_CASE("a list of loans is walked with its cursor to the end", "[D5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  std::vector<std::int64_t> newest_first;
  for (int i = 0; i < 7; ++i)
    newest_first.insert(newest_first.begin(),
                        reader.post(borrow_path(app->book()) + "?loan_period_days=1").id());
  app->clock().advance(5 * day);
  auto librarian = app->librarian();
  const auto walk = [&](std::string target) {
    std::vector<std::int64_t> seen;
    for (int pages = 0; !target.empty() && pages < 10; ++pages) {
      const auto answer = librarian.get(target);
      REQUIRE(answer.status == 200);
      for (const auto id : ids(answer.json)) seen.push_back(id);
      const auto link = answer.header("Link");
      const auto next = link.find("rel=\"next\"");
      target.clear();
      if (next == std::string::npos || answer.size() == 0) break;
      const auto open = link.rfind('<', next);
      target = link.substr(open + 1, link.find('>', open) - open - 1);
    }
    return seen;
  };
  CHECK(walk("/api/v1/borrows/all?limit=3") == newest_first);
  CHECK(walk("/api/v1/borrows/overdue?limit=2") ==
        std::vector<std::int64_t>(newest_first.rbegin(), newest_first.rend()));
}

TEST_CASE("the history counts every loan once and shows the newest first", "[D6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto empty = reader.get("/api/v1/borrows/history");
  CHECK(empty.body ==
        R"({"total_borrows":0,"active_borrows":0,"returned_borrows":0,"overdue_borrows":0,"borrows":[]})");
  std::vector<std::int64_t> loans;
  std::vector<std::int64_t> books;
  for (int i = 0; i < 5; ++i) {
    books.push_back(app->book());
    loans.push_back(reader.post(borrow_path(books.back()) + (i == 0 ? "?loan_period_days=1" : "")).id());
  }
  REQUIRE(reader.post(return_path(books[1])).status == 200);
  REQUIRE(reader.post(return_path(books[2])).status == 200);
  app->clock().advance(1 * day + 1s);
  reader = app->patron();
  const auto history = reader.get("/api/v1/borrows/history");
  CHECK(history["total_borrows"] == 5);
  CHECK(history["active_borrows"] == 2);
  CHECK(history["returned_borrows"] == 2);
  CHECK(history["overdue_borrows"] == 1);
  CHECK(ids(history["borrows"]) == std::vector<std::int64_t>(loans.rbegin(), loans.rend()));
  const auto part = reader.get("/api/v1/borrows/history?skip=1&limit=2");
  CHECK(part["total_borrows"] == 5);
  CHECK(ids(part["borrows"]) == std::vector{loans[3], loans[2]});
  CHECK(reader.get("/api/v1/borrows/history?limit=101").status == 422);
  CHECK(reader.get("/api/v1/borrows/history?skip=-1").status == 422);
}

TEST_CASE("staff see everybody's loans with the borrower, readers do not", "[D7][A51]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto emma = app->book("Emma"), dune = app->book("Dune", "Frank Herbert");
  auto first = app->patron(1), second = app->patron(2);
  const auto a = first.post(borrow_path(emma)).id(), b = second.post(borrow_path(dune)).id();
  auto librarian = app->librarian();
  const auto all = librarian.get("/api/v1/borrows/all");
  REQUIRE(all.status == 200);
  CHECK(ids(all.json) == std::vector{b, a});
  CHECK(all.header("X-Total-Count") == "2");
  CHECK(all[0].at("book").at("title") == "Dune");
  CHECK(all[0].at("user") == boost::json::value{{"id", second.user_id()},
                                                {"full_name", "Patron 2"},
                                                {"email", "patron2@example.org"}});
  CHECK(ids(librarian.get(fmt::format("/api/v1/borrows/all?user_id={}", first.user_id())).json) ==
        std::vector{a});
  CHECK(ids(librarian.get(fmt::format("/api/v1/borrows/all?book_id={}", dune)).json) == std::vector{b});
  CHECK(ids(librarian.get("/api/v1/borrows/all?status=active").json) == std::vector{b, a});
  CHECK(librarian.get("/api/v1/borrows/all?status=returned").size() == 0);
  CHECK(app->admin().get("/api/v1/borrows/all").status == 200);
  CHECK(librarian.get("/api/v1/admin/borrows").body == all.body);
  for (const std::string path : {"/api/v1/borrows/all", "/api/v1/borrows/overdue", "/api/v1/admin/borrows"}) {
    CHECK(first.get(path).status == 403);
    CHECK(app->anybody().get(path).status == 401);
  }
}

TEST_CASE("the overdue list shows what is late, the longest first", "[D8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto first = app->patron(1), second = app->patron(2);
  const auto short_loan = app->book(), long_loan = app->book(), in_time = app->book();
  const auto later = first.post(borrow_path(long_loan) + "?loan_period_days=5").id();
  const auto sooner = second.post(borrow_path(short_loan) + "?loan_period_days=2").id();
  REQUIRE(first.post(borrow_path(in_time)).status == 201);
  app->clock().advance(6 * day);
  auto librarian = app->librarian();
  const auto overdue = librarian.get("/api/v1/borrows/overdue");
  CHECK(ids(overdue.json) == std::vector{sooner, later});
  CHECK(overdue.header("X-Total-Count") == "2");
  CHECK(overdue[0].at("status") == "overdue");
  CHECK(overdue[0].at("is_overdue") == true);
  CHECK(overdue[0].at("user").at("full_name") == "Patron 2");
  CHECK(ids(librarian.get(fmt::format("/api/v1/borrows/overdue?user_id={}", first.user_id())).json) ==
        std::vector{later});
  CHECK(ids(librarian.get(fmt::format("/api/v1/borrows/overdue?book_id={}", short_loan)).json) ==
        std::vector{sooner});
  CHECK(librarian.get("/api/v1/borrows/overdue?status=returned").size() == 0);
}

TEST_CASE("availability follows every loan, return, copy and deletion, cached or not", "[D9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  auto anybody = app->anybody();
  const auto path = availability_path(book);
  const auto expect = [&](bool available, int active, int total, int copies, int free,
                          const std::string& due) {
    for (int cached = 0; cached < 2; ++cached)
      CHECK(
          anybody.get(path).body ==
          fmt::format(
              R"({{"book_id":{},"is_available":{},"active_borrows":{},"total_borrows":{},"copies_total":{},)"
              R"("copies_available":{},"holds":0,"next_due_date":{}}})",
              book, available, active, total, copies, free, due));
  };
  expect(true, 0, 0, 1, 1, "null");
  const auto loan = reader.post(borrow_path(book));
  expect(false, 1, 1, 1, 0, R"("2026-12-06T10:00:00Z")");
  app->clock().advance(1 * day);
  reader = app->patron();
  REQUIRE(reader.post(renew_path(loan.id())).status == 200);
  expect(false, 1, 1, 1, 0, R"("2026-12-07T10:00:00Z")");
  REQUIRE(app->librarian().post(fmt::format("/api/v1/books/{}/copies", book)).status == 201);
  expect(true, 1, 1, 2, 1, R"("2026-12-07T10:00:00Z")");
  REQUIRE(reader.post(return_path(book)).status == 200);
  expect(true, 0, 1, 2, 2, "null");
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", book)).status == 204);
  CHECK(anybody.get(path).status == 404);
  CHECK(anybody.get(availability_path(999)).detail() == "Book not found");
  CHECK(anybody.get("/api/v1/borrows/book/first/availability").status == 422);
}

TEST_CASE("a loan reads overdue one second after it was due, before and after the daily job", "[D10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1);
  REQUIRE(reader.post(borrow_path(book)).status == 201);
  const auto status = [&] {
    reader = app->patron(1);
    const auto loan = reader.get("/api/v1/borrows")[0];
    return text(loan.at("status")) + (loan.at("is_overdue").as_bool() ? "!" : "");
  };
  app->clock().advance(14 * day);
  CHECK(status() == "active");
  app->clock().advance(1s);
  CHECK(status() == "overdue!");
  CHECK(app->number("SELECT count(*) FROM borrows WHERE status = 'overdue'") == 0);
  REQUIRE(mark_overdue(*app) == 1);
  CHECK(app->number("SELECT count(*) FROM borrows WHERE status = 'overdue'") == 1);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'borrow.overdue'") == 1);
  CHECK(app->number("SELECT user_id FROM outbox WHERE type = 'borrow.overdue'") == reader.user_id());
  CHECK(status() == "overdue!");
  REQUIRE(mark_overdue(*app) == 0);
  const auto returned = reader.post(return_path(book));
  CHECK(returned["status"] == "returned");
  CHECK(returned["is_overdue"] == false);
}

TEST_CASE("what is overdue is not available, marked or not", "[D11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1);
  REQUIRE(reader.post(borrow_path(book)).status == 201);
  app->clock().advance(20 * day);
  const bool marked = GENERATE(false, true);
  if (marked) REQUIRE(mark_overdue(*app) == 1);
  const auto refused = app->patron(2).post(borrow_path(book));
  CHECK(refused.status == 400);
  CHECK(refused.detail() == "Book is already borrowed");
  CHECK(app->patron(1).post(borrow_path(book)).detail() == "You already have an active borrow for this book");
  CHECK(app->anybody().get(availability_path(book))["is_available"] == false);
  CHECK(app->anybody().get(availability_path(book))["active_borrows"] == 1);
}

TEST_CASE("a book that goes keeps its history; one that is out cannot go", "[D12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma");
  const auto path = fmt::format("/api/v1/books/{}", book);
  auto reader = app->patron();
  REQUIRE(reader.post(borrow_path(book)).status == 201);
  const auto refused = app->librarian().del(path);
  CHECK(refused.status == 400);
  CHECK(refused.code() == "on_loan");
  REQUIRE(reader.post(return_path(book)).status == 200);
  REQUIRE(app->librarian().del(path).status == 204);
  const auto history = reader.get("/api/v1/borrows/history");
  CHECK(history["total_borrows"] == 1);
  CHECK(history["borrows"].at(0).at("book").at("title") == "Emma");
  CHECK(app->librarian().get("/api/v1/borrows/all").size() == 1);
}

TEST_CASE("a loan is renewed from today, as often as allowed, while it is not overdue", "[D13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  const auto loan = app->patron(1).post(borrow_path(book));
  const auto renew = [&](int who) { return app->patron(who).post(renew_path(loan.id())); };
  app->clock().advance(4 * day);
  for (int i = 1; i <= 3; ++i) {
    const auto renewed = renew(1);
    REQUIRE(renewed.status == 200);
    CHECK(renewed["renewals"] == i);
    CHECK(renewed["due_date"] == "2026-12-10T10:00:00Z");
    CHECK(renewed["status"] == "active");
  }
  const auto again = renew(1);
  CHECK(again.status == 400);
  CHECK(again.code() == "renewal_limit");
  CHECK(again.detail() == "A loan can be renewed 3 times at most");
  CHECK(renew(2).status == 404);
  CHECK(app->librarian().post(renew_path(999)).status == 404);
  CHECK(app->librarian().post(renew_path(loan.id())).status == 400);
  app->clock().advance(30 * day);
  CHECK(renew(1).code() == "loan_overdue");
  REQUIRE(app->patron(1).post(return_path(book)).status == 200);
  CHECK(renew(1).code() == "loan_ended");
  CHECK(app->anybody().post(renew_path(loan.id())).status == 401);
}

TEST_CASE("a library with a limit lends so many books at a time, and no more in a race", "[D18]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.max_loans = 2; });
  std::vector<std::int64_t> books;
  for (int i = 0; i < 8; ++i) books.push_back(app->book());
  auto reader = app->patron();
  const auto outcomes =
      at_once(8, [&](int i) { return reader.post(borrow_path(books[static_cast<std::size_t>(i)])); });
  CHECK(outcomes == Outcomes{{"201 ", 2}, {"403 The limit of 2 books at a time is reached", 6}});
  CHECK(reader.post(borrow_path(books[0])).status >= 400);
  const auto returned = app->number("SELECT min(book_id) FROM borrows");
  REQUIRE(reader.post(return_path(returned)).status == 200);
  CHECK(reader.post(borrow_path(returned)).status == 201);
  CHECK(reader.post(borrow_path(999)).status == 404);
}

TEST_CASE("renewals are as many as the configuration says where there are no rules", "[D13]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.max_renewals = 1; });
  const auto book = app->book();
  auto reader = app->patron();
  const auto loan = reader.post(borrow_path(book));
  CHECK(reader.get(renew_path(loan.id()))["max_renewals"] == 1);
  CHECK(reader.post(renew_path(loan.id())).status == 200);
  CHECK(reader.post(renew_path(loan.id())).code() == "renewal_limit");
}

TEST_CASE("a copy that is kept for somebody is not lent to an account that is just being erased", "[D14]") {
  if (!have_postgresql()) return;
  auto app = TestApp::on(Database::postgresql);
  const auto book = app->book();
  auto first = app->patron(1), leaving = app->patron(2);
  REQUIRE(first.post(borrow_path(book)).status == 201);
  REQUIRE(leaving.post(fmt::format("/api/v1/books/{}/holds", book)).status == 201);
  REQUIRE(first.post(return_path(book)).status == 200);
  REQUIRE(leaving.get("/api/v1/holds")[0].at("status") == "ready");
  HeldLock erasing(
      app->app().config().database_url,
      fmt::format("SELECT id FROM users WHERE id = {0} FOR UPDATE; UPDATE users SET deleted_at = "
                  "1, is_active = 0 WHERE id = {0}",
                  leaving.user_id()));
  auto lent = std::async(std::launch::async, [&] { return leaving.post(borrow_path(book)).status; });
  erasing.wait_for_somebody();
  erasing.let_go();
  CHECK(lent.get() == 404);
  CHECK(app->number("SELECT count(*) FROM borrows WHERE return_date IS NULL") == 0);
}

TEST_CASE("who borrows and erases the account at once has done one of the two", "[A21][D3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":40)");
  int erased = 0;
  for (int i = 1; i <= 12; ++i) {
    auto reader = app->patron(i);
    const auto outcomes = at_once(2, [&](int who) {
      return who == 0 ? reader.post(borrow_path(book)) : reader.del("/api/v1/users/me");
    });
    erased += outcomes.contains("204 ") ? 1 : 0;
    CHECK(outcomes.contains("201 ") != outcomes.contains("204 "));
  }
  INFO(erased << " accounts were erased");
  CHECK(app->number("SELECT count(*) FROM borrows w JOIN users u ON u.id = w.user_id "
                    "WHERE u.deleted_at IS NOT NULL AND w.return_date IS NULL") == 0);
}

TEST_CASE("other spellings reach the same handlers", "[A51]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  CHECK(reader.post(fmt::format("/api/v1/books/{}/borrow", book)).status == 201);
  CHECK(reader.post(fmt::format("/api/v1/books/{}/return", book)).status == 200);
}
