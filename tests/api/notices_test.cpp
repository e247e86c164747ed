// What people are told of their loans, holds and fines: in the app and by mail, once each.
#include "support/eventually.hpp"
#include "support/smtp_peer.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

constexpr auto day = 24h;

TestApp::Configure mailing_by(const SmtpPeer& peer) {
  return [port = peer.port()](config::Config& c) {
    c.mail_host = "127.0.0.1";
    c.mail_port = port;
    c.mail_security = config::MailSecurity::none;
    c.mail_from = "library@example.org";
    c.public_url = "https://library.example";
    c.mail_timeout_seconds = 20;
  };
}
std::string text(const boost::json::value& v) { return v.is_string() ? std::string(v.get_string()) : ""; }
Answer borrow(Client who, std::int64_t book, std::string body = "") {
  return who.post(fmt::format("/api/v1/borrows/{}/borrow", book), std::move(body));
}
Answer give_back(Client who, std::int64_t book) {
  return who.post(fmt::format("/api/v1/borrows/{}/return", book));
}
// The scheduled job, run to its end.
void remind(TestApp& app) {
  auto admin = app.admin();
  const auto run = admin.post("/api/v1/admin/schedules/notices.remind/run");
  REQUIRE(run.status == 202);
  const auto path = "/api/v1/tasks/" + text(run["task_id"]);
  REQUIRE(eventually([&] { return admin.get(path)["status"] == "succeeded"; }));
}
std::int64_t notices(TestApp& app, std::string_view kind) {
  return app.number(fmt::format("SELECT count(*) FROM notifications WHERE kind = '{}'", kind));
}
bool quiet(TestApp& app) {
  return app.number("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')") == 0;
}
std::vector<std::string> subjects(const SmtpPeer& peer) {
  std::vector<std::string> all;
  for (const auto& mail : peer.received()) {
    // Titles are quoted with characters beyond ASCII, so subjects are encoded words.
    auto subject = mail.header("Subject");
    std::string out;
    while (subject.starts_with("=?UTF-8?B?")) {
      const auto end = subject.find("?=", 10);
      out += base64_decode(subject.substr(10, end - 10)).value_or("?");
      subject = subject.substr(std::min(subject.size(), end + 3));
    }
    all.push_back(out + subject);
  }
  return all;
}

}  // namespace

TEST_CASE("by mail: on borrowing, three days before, on days 1, 7 and 14 late, each once", "[D22][I9]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  const auto book = app->book("Emma");
  REQUIRE(borrow(reader, book).status == 201);  // for 14 days
  std::vector<std::pair<int, std::string>> told{{0, "You have borrowed “Emma”"}};
  REQUIRE(peer.has(1));
  for (int days = 1; days <= 40; ++days) {
    app->clock().advance(day);
    for (int again = 0; again < 2; ++again) remind(*app);
    if (days == 20) app->restart();
    REQUIRE(eventually([&] { return quiet(*app); }));
    for (const auto all = subjects(peer); told.size() < all.size();)
      told.emplace_back(days, all[told.size()]);
  }
  CHECK(told == std::vector<std::pair<int, std::string>>{{0, "You have borrowed “Emma”"},
                                                         {11, "“Emma” is due in 3 days"},
                                                         {15, "“Emma” is overdue"},
                                                         {21, "“Emma” is overdue"},
                                                         {28, "“Emma” is overdue"}});
  const auto mails = peer.received();
  CHECK(mails[1].to == "patron1@example.org");
  CHECK(mails[1].text().find("return it by 2026-12-06") != std::string::npos);
  CHECK(mails[3].text().find("due on 2026-12-06, 7 days ago") != std::string::npos);
  CHECK(mails[4].text().find("https://library.example") != std::string::npos);
  REQUIRE(give_back(app->patron(1), book).status == 200);
  REQUIRE(peer.has(6));
  CHECK(subjects(peer)[5] == "You have returned “Emma”");
}

TEST_CASE("a renewed loan is reminded of again, and one who was away is told the latest step only", "[D22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  const auto loan = borrow(reader, app->book("Emma"));
  REQUIRE(loan.status == 201);
  app->clock().advance(12 * day);
  remind(*app);
  CHECK(notices(*app, "due_soon") == 1);
  REQUIRE(app->patron(1).post(fmt::format("/api/v1/borrows/{}/renew", loan.id())).status == 200);
  remind(*app);
  CHECK(notices(*app, "due_soon") == 1);
  app->clock().advance(12 * day);
  remind(*app);
  CHECK(notices(*app, "due_soon") == 2);
  app->clock().advance(20 * day);
  remind(*app);
  CHECK(notices(*app, "overdue") == 1);
  CHECK(app->number("SELECT step FROM notifications WHERE kind = 'overdue'") == 14);
}

TEST_CASE("nobody is told on a closed day, and days are those of the library's zone", "[D22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  REQUIRE(borrow(reader, app->book("Emma")).status == 201);  // due on Sunday 2026-12-06 at 10:00 UTC
  REQUIRE(app->librarian()
              .put("/api/v1/circulation/calendar", R"({"time_zone":"Pacific/Auckland","weekly_hours":[],)"
                                                   R"("closed":[{"from":"2026-12-07","to":"2026-12-09"}]})")
              .status == 200);
  // In Auckland it is thirteen hours later: on the evening of the 2nd here it is the 3rd there.
  app->clock().set(*parse_rfc3339("2026-12-02T10:00:00Z"));
  remind(*app);
  CHECK(notices(*app, "due_soon") == 0);
  app->clock().set(*parse_rfc3339("2026-12-02T12:00:00Z"));
  remind(*app);
  CHECK(notices(*app, "due_soon") == 1);
  app->clock().set(*parse_rfc3339("2026-12-08T22:00:00Z"));  // the 9th there
  remind(*app);
  CHECK(notices(*app, "overdue") == 0);
  app->clock().set(*parse_rfc3339("2026-12-09T12:00:00Z"));  // the 10th there, open
  remind(*app);
  CHECK(notices(*app, "overdue") == 1);
}

TEST_CASE("holds that are ready or have ended, and fines, are told once", "[D22][I10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto first = app->patron(1), second = app->patron(2);
  const auto book = app->book("Emma");
  REQUIRE(borrow(first, book).status == 201);
  const auto hold = second.post(fmt::format("/api/v1/books/{}/holds", book));
  REQUIRE(hold.status == 201);
  REQUIRE(give_back(first, book).status == 200);
  REQUIRE(eventually([&] { return notices(*app, "hold_ready") == 1; }));
  auto list = second.get("/api/v1/notifications");
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("kind") == "hold_ready");
  CHECK(list[0].at("title") == "“Emma” is ready for you");
  CHECK(text(list[0].at("body")).find("until 2026-11-29") != std::string::npos);
  CHECK(list[0].at("resource_id").as_int64() == hold.id());
  CHECK(list[0].at("book_id").as_int64() == book);
  CHECK(list[0].at("is_read") == false);

  app->clock().advance(8 * day);
  auto admin = app->admin();
  REQUIRE(admin.post("/api/v1/admin/schedules/holds.settle/run").status == 202);
  REQUIRE(eventually([&] { return notices(*app, "hold_expired") == 1; }));

  const auto fine = app->librarian().post(
      "/api/v1/fines", fmt::format(R"({{"user_id":{},"kind":"damage","amount_minor":1250,"note":"Coffee"}})",
                                   second.user_id()));
  REQUIRE(fine.status == 201);
  REQUIRE(eventually([&] { return notices(*app, "fine") == 1; }));
  list = app->patron(2).get("/api/v1/notifications");
  REQUIRE(list.size() == 3);
  CHECK(list[0].at("title") == "You owe the library 12.50 EUR");
  CHECK(text(list[0].at("body")).find("Coffee") != std::string::npos);
  CHECK(app->patron(1).get("/api/v1/notifications").size() == 0);
}

TEST_CASE("events of a stopped server are told when it runs again, and none twice", "[D22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto first = app->patron(1), second = app->patron(2);
  std::vector<std::int64_t> books;
  for (int i = 0; i < 5; ++i) books.push_back(app->book(fmt::format("Book {}", i)));
  app->app().stop_background();
  for (const auto book : books) {
    REQUIRE(borrow(first, book).status == 201);
    REQUIRE(second.post(fmt::format("/api/v1/books/{}/holds", book)).status == 201);
    REQUIRE(give_back(first, book).status == 200);
  }
  CHECK(notices(*app, "hold_ready") == 0);
  app->restart();
  REQUIRE(eventually([&] { return notices(*app, "hold_ready") == 5; }));
  // As if the position had been lost with the process: the unique key still holds.
  auto rewind = [](db::Transaction& tx) { tx.execute("UPDATE notice_position SET position = '0-0'"); };
  REQUIRE(app->app().database().write_now(std::move(rewind)));
  app->restart();
  app->book("One more");
  REQUIRE(borrow(first, books[0]).status == 400);  // kept for somebody
  REQUIRE(eventually([&] { return second.get("/api/v1/notifications").size() == 5; }));
  CHECK(notices(*app, "hold_ready") == 5);
}

TEST_CASE("notifications are read one by one or all, and nobody reads another's", "[I10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto first = app->patron(1), second = app->patron(2);
  for (int i = 0; i < 3; ++i)
    REQUIRE(app->librarian()
                .post("/api/v1/fines",
                      fmt::format(R"({{"user_id":{},"kind":"other","amount_minor":{},"note":"Copies"}})",
                                  first.user_id(), 100 + i))
                .status == 201);
  REQUIRE(eventually([&] { return notices(*app, "fine") == 3; }));
  auto list = first.get("/api/v1/notifications");
  REQUIRE(list.size() == 3);
  CHECK(first.get("/api/v1/notifications/unread-count")["unread"] == 3);
  const auto newest = list[0].at("id").as_int64();
  const auto read = first.post(fmt::format("/api/v1/notifications/{}/read", newest));
  CHECK(read.status == 200);
  CHECK(read["is_read"] == true);
  CHECK(!read["read_at"].is_null());
  CHECK(first.post(fmt::format("/api/v1/notifications/{}/read", newest)).status == 200);
  CHECK(second.post(fmt::format("/api/v1/notifications/{}/read", newest)).status == 404);
  CHECK(first.post("/api/v1/notifications/999999/read").status == 404);
  list = first.get("/api/v1/notifications");
  CHECK(list[2].at("id").as_int64() == newest);  // unread ones first
  CHECK(first.get("/api/v1/notifications?unread=true").size() == 2);
  CHECK(first.get("/api/v1/notifications?unread=false").size() == 1);
  CHECK(first.get("/api/v1/notifications?kind=overdue").size() == 0);
  CHECK(first.get("/api/v1/notifications?kind=nothing").status == 422);
  const auto page = first.get("/api/v1/notifications?skip=1&limit=1");
  CHECK(page.size() == 1);
  CHECK(page.header("X-Total-Count") == "3");
  CHECK(first.post("/api/v1/notifications/read-all")["marked"] == 2);
  CHECK(first.post("/api/v1/notifications/read-all")["marked"] == 0);
  CHECK(first.get("/api/v1/notifications/unread-count")["unread"] == 0);
  CHECK(app->anybody().get("/api/v1/notifications").status == 401);
}

TEST_CASE("each kind goes where its person wants it, and mails wait for the end of quiet hours", "[I10]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  const auto usual = reader.get("/api/v1/notifications/settings");
  CHECK(usual.status == 200);
  REQUIRE(usual["channels"].as_array().size() == 8);
  CHECK(usual["channels"].as_array()[0].at("kind") == "borrowed");
  CHECK(usual["channels"].as_array()[0].at("in_app") == false);
  CHECK(usual["channels"].as_array()[1].at("email") == true);

  // Silent on borrowing, returns in the app only, fines by mail only and not at night in Tokyo.
  const auto put = [&](std::string body, http::Headers headers = {}) {
    return reader.put("/api/v1/notifications/settings", std::move(body), std::move(headers));
  };
  const auto set = put(R"({"channels":[{"kind":"borrowed","in_app":false,"email":false},)"
                       R"({"kind":"returned","in_app":true,"email":false},)"
                       R"({"kind":"fine","in_app":false,"email":true}],)"
                       R"("quiet_hours":{"from":"18:00","to":"07:30"},"time_zone":"Asia/Tokyo"})",
                       {{"If-Match", usual.header("ETag")}});
  REQUIRE(set.status == 200);
  CHECK(set["channels"].as_array().size() == 8);
  CHECK(put("{}", {{"If-Match", usual.header("ETag")}}).status == 412);

  const auto book = app->book("Emma");
  REQUIRE(borrow(reader, book).status == 201);
  REQUIRE(give_back(reader, book).status == 200);
  REQUIRE(app->librarian()
              .post("/api/v1/fines",
                    fmt::format(R"({{"user_id":{},"kind":"other","amount_minor":100,"note":"Copies"}})",
                                reader.user_id()))
              .status == 201);
  REQUIRE(eventually([&] { return notices(*app, "fine") == 1; }));
  CHECK(notices(*app, "borrowed") == 0);
  const auto list = reader.get("/api/v1/notifications");
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("kind") == "returned");
  // It is 19:00 in Tokyo: the mail waits until 07:30, which is 22:30 here.
  CHECK(app->number("SELECT run_at FROM jobs WHERE kind = 'mail'") ==
        parse_rfc3339("2026-11-22T22:30:00Z")->ms);
  CHECK(peer.received().empty());
  app->clock().set(*parse_rfc3339("2026-11-22T22:29:59Z"));
  std::this_thread::sleep_for(100ms);
  CHECK(peer.received().empty());
  app->clock().set(*parse_rfc3339("2026-11-22T22:30:00Z"));
  REQUIRE(peer.has(1));
  CHECK(subjects(peer)[0] == "You owe the library 1.00 EUR");

  reader = app->patron(1);
  CHECK(
      put(R"({"channels":[{"kind":"fine","in_app":true,"email":true},{"kind":"fine","in_app":true,"email":true}]})")
          .status == 422);
  CHECK(put(R"({"quiet_hours":{"from":"25:00","to":"07:00"}})").status == 422);
  CHECK(put(R"({"quiet_hours":{"from":"07:00","to":"07:00"}})").status == 422);
  CHECK(put(R"({"time_zone":"Nowhere/Here"})").status == 422);
  CHECK(put("{}").status == 200);  // back to what is usual
  CHECK(reader.get("/api/v1/notifications/settings")["quiet_hours"].is_null());
}

TEST_CASE("a mail that waits is not sent when the loan was renewed or the hold is over", "[D22]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1), other = app->patron(2);
  constexpr auto late_evenings =
      R"({"channels":[{"kind":"borrowed","in_app":false,"email":false},)"
      R"({"kind":"returned","in_app":false,"email":false}],"quiet_hours":{"from":"09:00","to":"20:00"}})";
  for (auto* who : {&reader, &other})
    REQUIRE(who->put("/api/v1/notifications/settings", late_evenings).status == 200);
  const auto emma = app->book("Emma");
  const auto loan = borrow(reader, emma);
  REQUIRE(loan.status == 201);
  app->clock().advance(12 * day);
  remind(*app);
  const auto mails = [&](std::string_view status) {
    return app->number(fmt::format("SELECT count(*) FROM mails WHERE status = '{}'", status));
  };
  CHECK(mails("waiting") == 1);
  reader = app->patron(1);
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/renew", loan.id())).status == 200);
  REQUIRE(eventually([&] { return mails("withdrawn") == 1; }));

  other = app->patron(2);
  const auto hold = other.post(fmt::format("/api/v1/books/{}/holds", emma));
  REQUIRE(hold.status == 201);
  REQUIRE(give_back(reader, emma).status == 200);
  REQUIRE(eventually([&] { return notices(*app, "hold_ready") == 1 && mails("waiting") == 1; }));
  REQUIRE(other.del(fmt::format("/api/v1/holds/{}", hold.id())).status == 200);
  REQUIRE(eventually([&] { return mails("withdrawn") == 2; }));
  app->clock().advance(12h);
  REQUIRE(eventually([&] { return quiet(*app); }));
  CHECK(peer.received().empty());
}

TEST_CASE("who returns a book is not reminded of it by a mail that waited", "[D22]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  REQUIRE(reader
              .put("/api/v1/notifications/settings",
                   R"({"channels":[{"kind":"borrowed","in_app":false,"email":false},)"
                   R"({"kind":"returned","in_app":false,"email":false}],)"
                   R"("quiet_hours":{"from":"09:00","to":"20:00"}})")
              .status == 200);
  const auto book = app->book("Emma");
  REQUIRE(borrow(reader, book).status == 201);
  app->clock().advance(16 * day);
  remind(*app);
  CHECK(app->number("SELECT count(*) FROM mails WHERE status = 'waiting'") == 1);
  REQUIRE(give_back(app->patron(1), book).status == 200);
  REQUIRE(
      eventually([&] { return app->number("SELECT count(*) FROM mails WHERE status = 'withdrawn'") == 1; }));
  app->clock().advance(12h);
  REQUIRE(eventually([&] { return quiet(*app); }));
  CHECK(peer.received().empty());
}

TEST_CASE("notices are part of the personal record and go with the account", "[I10][A21]") {
  SmtpPeer peer;
  auto app = TestApp::on(GENERATE(from_databases()), mailing_by(peer));
  auto reader = app->patron(1);
  REQUIRE(reader.put("/api/v1/notifications/settings", R"({"quiet_hours":{"from":"09:00","to":"20:00"}})")
              .status == 200);
  const auto book = app->book("Emma");
  REQUIRE(borrow(reader, book).status == 201);
  REQUIRE(eventually([&] { return notices(*app, "borrowed") == 1; }));
  app->clock().advance(16 * day);
  REQUIRE(peer.has(
      1));  // the confirmation, whose quiet hours are long over; what comes now waits for the evening
  remind(*app);
  reader = app->patron(1);
  const auto record = reader.get("/api/v1/users/me/export");
  REQUIRE(record.status == 200);
  REQUIRE(record["notifications"].as_array().size() == 2);
  CHECK(record["notifications"].as_array()[1].at("kind") == "overdue");
  CHECK(record["notification_settings"].at("quiet_hours").at("from") == "09:00");
  REQUIRE(give_back(reader, book).status == 200);
  REQUIRE(eventually([&] { return notices(*app, "returned") == 1; }));
  REQUIRE(reader.del("/api/v1/users/me").status == 204);
  CHECK(app->number("SELECT count(*) FROM notifications") == 0);
  CHECK(app->number("SELECT count(*) FROM notification_settings") == 0);
  CHECK(app->number("SELECT count(*) FROM mails") == 0);
  app->clock().advance(12h);
  REQUIRE(eventually([&] { return quiet(*app); }));
  CHECK(peer.received().size() == 1);
}
