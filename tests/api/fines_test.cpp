// Fines, payments, accounts and blocks.
#include "support/test_app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <latch>
#include <map>
#include <mutex>
#include <random>
#include <thread>

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
void set_rules(TestApp& app, const std::string& rows) {
  REQUIRE(app.librarian().put("/api/v1/circulation/rules", fmt::format(R"({{"rules":[{}]}})", rows)).status ==
          200);
}
template <class T>
T await(Task<Result<T>> task) {
  boost::asio::io_context io;
  auto done = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  io.run();
  return done.get().value();
}
std::int64_t accrue(TestApp& app) { return await(app.app().ledger().accrue()); }
std::int64_t balance(Client who) {
  return who.get("/api/v1/users/me/account")["balance_minor"].to_number<std::int64_t>();
}
Answer charge(TestApp& app, const Client& who, std::int64_t amount) {
  return app.librarian().post(
      "/api/v1/fines", fmt::format(R"({{"user_id":{},"kind":"damage","amount_minor":{},"note":"Coffee"}})",
                                   who.user_id(), amount));
}
std::string pay_path(std::int64_t fine) { return fmt::format("/api/v1/fines/{}/pay", fine); }

}  // namespace

TEST_CASE("a late book costs its days, up to the cap, in one fine with a line a day", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app,
            R"({"loan_period_days":7,"fine_per_day_minor":25,"fine_grace_days":2,"fine_cap_minor":100})");
  const auto book = app->book();
  REQUIRE(borrow(app->patron(), book).status == 201);
  std::vector<std::int64_t> owed;
  for (int passed = 1; passed <= 14; ++passed) {
    app->clock().advance(day);
    accrue(*app);
    CHECK(accrue(*app) == 0);
    owed.push_back(balance(app->patron()));
  }
  CHECK(owed == std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 75, 100, 100, 100, 100});
  REQUIRE(give_back(app->patron(), book).status == 200);
  auto reader = app->patron();
  const auto fines = reader.get("/api/v1/fines");
  REQUIRE(fines.size() == 1);
  CHECK(fines[0].at("kind") == "overdue");
  CHECK(fines[0].at("amount_minor") == 100);
  CHECK(fines[0].at("currency") == "EUR");
  CHECK(fines[0].at("book_id") == book);
  CHECK(fines[0].at("status") == "open");
  CHECK(reader.get("/api/v1/fines?status=settled").size() == 0);
  const auto account = reader.get("/api/v1/users/me/account");
  REQUIRE(account["lines"].as_array().size() == 2);
  CHECK(account["lines"].at(0).at("amount_minor") == 25);
  CHECK(account["lines"].at(1).at("amount_minor") == 75);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'fine.charged'") == 2);
}

TEST_CASE("a return charges what no job charged before", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app, R"({"loan_period_days":7,"fine_per_day_minor":25})");
  const auto book = app->book(), in_time = app->book();
  REQUIRE(borrow(app->patron(), book).status == 201);
  REQUIRE(borrow(app->patron(), in_time).status == 201);
  app->clock().advance(day * 7);
  REQUIRE(give_back(app->patron(), in_time).status == 200);
  CHECK(balance(app->patron()) == 0);
  app->clock().advance(day * 3);
  REQUIRE(give_back(app->patron(), book).status == 200);
  CHECK(balance(app->patron()) == 75);
  accrue(*app);
  CHECK(balance(app->patron()) == 75);
}

TEST_CASE("a loan keeps the fines of the rules it was made under", "[D19][D16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto before = app->book(), under = app->book();
  REQUIRE(borrow(app->patron(), before, R"({"loan_period_days":1})").status == 201);
  set_rules(*app, R"({"fine_per_day_minor":10})");
  REQUIRE(borrow(app->patron(), under, R"({"loan_period_days":1})").status == 201);
  set_rules(*app, R"({"fine_per_day_minor":1000})");
  app->clock().advance(day * 4);
  accrue(*app);
  CHECK(balance(app->patron()) == 30);
  REQUIRE(give_back(app->patron(), before).status == 200);
  REQUIRE(give_back(app->patron(), under).status == 200);
  CHECK(balance(app->patron()) == 30);
}

TEST_CASE("closed days cost no fine", "[D21][D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app, R"({"loan_period_days":1,"fine_per_day_minor":10})");
  REQUIRE(app->librarian()
              .put("/api/v1/circulation/calendar",
                   R"({"time_zone":"Europe/Berlin","closed":[{"from":"2026-11-24","to":"2026-11-26"}]})")
              .status == 200);
  REQUIRE(borrow(app->patron(), app->book()).status == 201);
  app->clock().advance(day * 6);
  accrue(*app);
  CHECK(balance(app->patron()) == 20);
}

TEST_CASE("payments and waivers settle fines and never more than is owed", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1), staff = app->librarian();
  const auto fine = charge(*app, reader, 500);
  REQUIRE(fine.status == 201);
  CHECK(fine.header("Location") == fmt::format("/api/v1/fines/{}", fine.id()));
  CHECK(reader.get(fmt::format("/api/v1/fines/{}", fine.id())).status == 200);
  CHECK(app->patron(2).get(fmt::format("/api/v1/fines/{}", fine.id())).status == 404);
  CHECK(reader.post(pay_path(fine.id())).status == 403);
  for (const auto* amount : {"0", "-5", "1.5", "\"5\""})
    CHECK(staff.post(pay_path(fine.id()), fmt::format(R"({{"amount_minor":{}}})", amount)).status == 422);
  CHECK(staff.post(pay_path(fine.id()), R"({"amount_minor":501})").code() == "overpaid");
  const auto part = staff.post(pay_path(fine.id()), R"({"amount_minor":200,"note":"Cash"})");
  CHECK(part.status == 201);
  CHECK(part["outstanding_minor"] == 300);
  const auto waive = fmt::format("/api/v1/fines/{}/waive", fine.id());
  CHECK(staff.post(waive, "{}").status == 422);
  CHECK(staff.post(waive, R"({"reason":"First time","amount_minor":100})")["outstanding_minor"] == 200);
  const auto rest = staff.post(pay_path(fine.id()));
  CHECK(rest["outstanding_minor"] == 0);
  CHECK(rest["status"] == "settled");
  CHECK(staff.post(pay_path(fine.id())).code() == "already_settled");
  CHECK(staff.post(pay_path(424242)).status == 404);
  CHECK(balance(reader) == 0);
  const auto account = staff.get(fmt::format("/api/v1/users/{}/account", reader.user_id()));
  std::vector<std::string> kinds;
  std::int64_t sum = 0;
  for (const auto& line : account["lines"].as_array()) {
    kinds.push_back(text(line.at("kind")));
    sum += line.at("amount_minor").to_number<std::int64_t>();
  }
  CHECK(kinds == std::vector<std::string>{"payment", "waiver", "payment", "charge"});
  CHECK(sum == 0);
  CHECK(staff.get("/api/v1/users/424242/account").status == 404);
  CHECK(staff.get(fmt::format("/api/v1/fines?user_id={}", reader.user_id())).size() == 1);
  CHECK(reader.get(fmt::format("/api/v1/fines?user_id={}", staff.user_id())).status == 403);
  CHECK(charge(*app, reader, 0).status == 422);
  CHECK(staff
            .post("/api/v1/fines",
                  fmt::format(R"({{"user_id":{},"kind":"overdue","amount_minor":5,"note":"x"}})",
                              reader.user_id()))
            .status == 422);
  for (const auto* sql : {"UPDATE ledger_lines SET amount_minor = 1", "DELETE FROM ledger_lines"}) {
    auto work = [sql](db::Transaction& tx) -> Status {
      tx.execute(sql);
      return {};
    };
    CHECK_THROWS(app->app().database().write_now(std::move(work)));
  }
}

TEST_CASE("twenty payments at once pay what is owed and no more", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(), staff = app->librarian();
  const bool in_parts = GENERATE(false, true);
  const auto fine = charge(*app, reader, 500).id();
  std::latch start(20);
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i)
    threads.emplace_back([&, who = staff]() mutable {
      start.arrive_and_wait();
      const auto answer = who.post(pay_path(fine), in_parts ? R"({"amount_minor":100})" : "");
      const std::lock_guard lock(mutex);
      ++outcomes[answer.status == 201 ? "paid" : "refused"];
      CHECK((answer.status == 201 || answer.code() == "overpaid" || answer.code() == "already_settled"));
    });
  for (auto& thread : threads) thread.join();
  CHECK(outcomes["paid"] == (in_parts ? 5 : 1));
  CHECK(balance(reader) == 0);
  CHECK(app->number("SELECT count(*) FROM ledger_lines WHERE kind = 'payment'") == (in_parts ? 5 : 1));
}

TEST_CASE("debts, overdue books and staff's blocks stop borrowing until they end", "[D20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app, R"({"max_fine_balance_minor":500,"overdue_block":1})");
  auto staff = app->librarian();
  const auto loan = borrow(app->patron(), app->book());
  REQUIRE(loan.status == 201);
  REQUIRE(charge(*app, app->patron(), 500).status == 201);
  REQUIRE(borrow(app->patron(), app->book()).status == 201);
  const auto fine = charge(*app, app->patron(), 1).id();
  const auto blocked = borrow(app->patron(), app->book());
  CHECK(blocked.status == 403);
  CHECK(blocked.code() == "blocked");
  CHECK(blocked.detail().find("fines") != std::string::npos);
  const auto account = app->patron().get("/api/v1/users/me/account");
  REQUIRE(account["blocks"].as_array().size() == 1);
  CHECK(account["blocks"].at(0).at("kind") == "fines");
  CHECK(app->patron().post(fmt::format("/api/v1/borrows/{}/renew", loan.id())).code() == "blocked");
  REQUIRE(staff.post(pay_path(fine)).status == 201);
  CHECK(borrow(app->patron(), app->book()).status == 201);

  const auto blocks = fmt::format("/api/v1/users/{}/blocks", app->patron().user_id());
  const auto placed = staff.post(blocks, R"({"reason":"Lost card"})");
  REQUIRE(placed.status == 201);
  CHECK(staff.post(blocks, R"({"reason":""})").status == 422);
  CHECK(staff.post("/api/v1/users/424242/blocks", R"({"reason":"x"})").status == 404);
  const auto refused = borrow(app->patron(), app->book());
  CHECK(refused.code() == "blocked");
  CHECK(refused.detail().find("Lost card") != std::string::npos);
  CHECK(staff.get(blocks).size() == 1);
  CHECK(staff.del(fmt::format("/api/v1/users/{}/blocks/{}", app->patron().user_id(), placed.id())).status ==
        204);
  CHECK(staff.del(blocks).status == 404);
  CHECK(borrow(app->patron(), app->book()).status == 201);
  REQUIRE(staff.post(blocks, R"({"reason":"a"})").status == 201);
  REQUIRE(staff.post(blocks, R"({"reason":"b"})").status == 201);
  CHECK(staff.del(blocks).status == 204);
  CHECK(staff.get(blocks).size() == 0);

  app->clock().advance(day * 20);
  const auto overdue = borrow(app->patron(), app->book());
  CHECK(overdue.code() == "blocked");
  CHECK(overdue.detail().find("overdue") != std::string::npos);
}

TEST_CASE("a block stops borrowing in a library that has no rules", "[D20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(borrow(app->patron(), app->book()).status == 201);
  const auto blocks = fmt::format("/api/v1/users/{}/blocks", app->patron().user_id());
  REQUIRE(app->librarian().post(blocks, R"({"reason":"Moved away"})").status == 201);
  CHECK(borrow(app->patron(), app->book()).code() == "blocked");
  CHECK(borrow(app->patron(2), app->book()).status == 201);
  REQUIRE(app->librarian().del(blocks).status == 204);
  CHECK(borrow(app->patron(), app->book()).status == 201);
}

TEST_CASE("a lost copy is billed once, and what is still owed is credited when it comes back", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  set_rules(*app, R"({"loan_period_days":7,"fine_per_day_minor":10,"replacement_cost_minor":2000})");
  const auto book = app->book();
  const auto loan = borrow(app->patron(), book);
  REQUIRE(loan.status == 201);
  auto lose = [copy = loan["copy_id"].to_number<std::int64_t>()](db::Transaction& tx) -> Status {
    tx.execute("UPDATE copies SET status = 'lost' WHERE id = $1", copy);
    return {};
  };
  REQUIRE(app->app().database().write_now(std::move(lose)));
  CHECK(accrue(*app) == 1);
  CHECK(accrue(*app) == 0);
  CHECK(balance(app->patron()) == 2000);
  app->clock().advance(day * 20);
  CHECK(accrue(*app) == 0);
  const auto fine = app->patron().get("/api/v1/fines")[0].at("id").as_int64();
  REQUIRE(app->librarian().post(pay_path(fine), R"({"amount_minor":500})").status == 201);
  REQUIRE(give_back(app->patron(), book).status == 200);
  CHECK(balance(app->patron()) == 0);
  CHECK(app->number("SELECT -amount_minor FROM ledger_lines WHERE kind = 'credit'") == 1500);
}

TEST_CASE("whatever happens, the balance is the sum of the lines and no fine passes its cap", "[D19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 3)));
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<int>(random() % n); };
  set_rules(*app, R"({"loan_period_days":2,"fine_per_day_minor":7,"fine_cap_minor":40,"fine_grace_days":1})");
  std::vector<std::int64_t> books;
  for (int i = 0; i < 3; ++i) books.push_back(app->book("Emma", "Jane Austen", R"("copies":2)"));
  for (int step = 0; step < 80; ++step) {
    const int who = 1 + below(2);
    const auto book = books[static_cast<std::size_t>(below(3))];
    const auto open =
        app->number("SELECT coalesce(max(id), 0) FROM fines WHERE settled_minor < charged_minor");
    switch (below(7)) {
      case 0:
      case 1:
        borrow(app->patron(who), book);
        break;
      case 2:
        give_back(app->patron(who), book);
        break;
      case 3:
        app->clock().advance(day * (1 + below(3)));
        break;
      case 4:
        accrue(*app);
        break;
      case 5:
        if (open > 0)
          app->librarian().post(pay_path(open), fmt::format(R"({{"amount_minor":{}}})", 1 + below(20)));
        break;
      case 6:
        if (open > 0)
          app->librarian().post(fmt::format("/api/v1/fines/{}/waive", open),
                                R"({"reason":"x","amount_minor":3})");
        break;
    }
    CHECK(app->number("SELECT count(*) FROM fines WHERE kind = 'overdue' AND charged_minor > 40") == 0);
    CHECK(app->number(
              "SELECT count(*) FROM fines f WHERE f.charged_minor - f.settled_minor <> "
              "(SELECT coalesce(sum(l.amount_minor), 0) FROM ledger_lines l WHERE l.fine_id = f.id)") == 0);
  }
  for (int who = 1; who <= 2; ++who) {
    auto reader = app->patron(who);
    std::int64_t lines = 0, fines = 0;
    const auto account = reader.get("/api/v1/users/me/account");
    for (const auto& line : account["lines"].as_array())
      lines += line.at("amount_minor").to_number<std::int64_t>();
    const auto owed = reader.get("/api/v1/fines");
    for (const auto& fine : owed.json.as_array())
      fines += fine.at("outstanding_minor").to_number<std::int64_t>();
    CHECK(account["balance_minor"].to_number<std::int64_t>() == lines);
    CHECK(lines == fines);
  }
  CHECK(app->number("SELECT count(*) FROM ledger_lines") > 3);
}
