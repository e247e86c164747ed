// Changing the e-mail address, the personal record, erasure, and how long addresses are kept.
#include "api/accounts.hpp"
#include "core/auth/retention.hpp"
#include "core/security/random.hpp"
#include "support/test_app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <optional>

using namespace lumina;
using namespace lumina::test;

namespace {

// As if the mail had come: the newest request of that address has this token now.
void receive(TestApp& app, std::string token, std::string_view email) {
  auto work = [hash = security::sha256_hex(token), email = std::string(email)](db::Transaction& tx) {
    tx.execute("UPDATE email_changes SET token_hash = $1 WHERE email = $2", hash, email);
  };
  REQUIRE(app.app().database().write_now(std::move(work)));
}

Answer ask(Client& who, std::string_view email, std::string_view secret = TestApp::password) {
  return who.post("/api/v1/users/me/email",
                  fmt::format(R"({{"email":"{}","current_password":"{}"}})", email, secret));
}
Answer confirm(TestApp& app, std::string_view token) {
  return app.anybody().post("/api/v1/users/me/email/confirm", fmt::format(R"({{"token":"{}"}})", token));
}

std::int64_t forget(TestApp& app, Timestamp before) {
  boost::asio::io_context io;
  std::int64_t blanked = -1;
  boost::asio::co_spawn(io, auth::forget_addresses(app.app().database(), before),
                        [&](std::exception_ptr e, Result<std::int64_t> n) {
                          if (!e && n) blanked = *n;
                        });
  io.run();
  return blanked;
}

}  // namespace

TEST_CASE("an address changes with the password and a token from the new one", "[A13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  app->patron(2);
  CHECK(ask(reader, "new@example.org", "wrong password").code() == "wrong_password");
  CHECK(ask(reader, "no address").status == 422);
  CHECK(ask(reader, "patron2@example.org").code() == "email_taken");
  CHECK(ask(reader, "patron1@example.org").code() == "same_email");
  CHECK(app->anybody().post("/api/v1/users/me/email", "{}").status == 401);
  const auto asked = ask(reader, "new@example.org");
  CHECK(asked.status == 202);
  CHECK(reader.get("/api/v1/users/me")["email"] == "patron1@example.org");
  receive(*app, "first", "new@example.org");
  CHECK(ask(reader, "newer@example.org").status == 202);
  CHECK(confirm(*app, "first").code() == "invalid_email_token");
  receive(*app, "second", "newer@example.org");
  CHECK(confirm(*app, "unknown").status == 400);
  CHECK(confirm(*app, "second").status == 204);
  CHECK(confirm(*app, "second").status == 400);
  CHECK(reader.get("/api/v1/users/me")["email"] == "newer@example.org");
  CHECK(app->login("newer@example.org", std::string(TestApp::password)).user_id() == reader.user_id());
  CHECK(app->anybody()
            .post("/api/v1/auth/login", credentials("patron1@example.org", TestApp::password))
            .status == 401);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'user.email_changed'") == 1);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE detail LIKE '%newer%'") == 0);
}

TEST_CASE("a token for an address is good for a day, and for an address that is still free", "[A13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  REQUIRE(ask(reader, "wanted@example.org").status == 202);
  receive(*app, "token", "wanted@example.org");
  REQUIRE(app->anybody().post("/api/v1/auth/register", registration("wanted@example.org")).status == 201);
  CHECK(confirm(*app, "token").code() == "email_taken");
  REQUIRE(ask(reader, "late@example.org").status == 202);
  receive(*app, "late", "late@example.org");
  app->clock().advance(std::chrono::hours(24));
  CHECK(confirm(*app, "late").code() == "invalid_email_token");
}

TEST_CASE("the personal record holds lists, replies, reports and what the log says", "[A21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto author = app->patron(1), reader = app->patron(2);
  REQUIRE(author.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  const auto review =
      author.post("/api/v1/reviews",
                  fmt::format(R"({{"book_id":{},"review_text":"Quite a good book","rating":4}})", book));
  REQUIRE(reader.post(fmt::format("/api/v1/reviews/{}/replies", review.id()), R"({"reply_text":"Indeed"})")
              .status == 201);
  REQUIRE(
      reader.post(fmt::format("/api/v1/reviews/{}/report", review.id()), R"({"reason":"other"})").status ==
      204);
  const auto list = reader.post("/api/v1/lists", R"({"name":"Mine"})");
  REQUIRE(reader.post(fmt::format("/api/v1/lists/{}/books/{}", list.id(), book)).status == 201);
  reader.post("/api/v1/lists", R"({"name":"Empty"})");
  const auto record = reader.get("/api/v1/users/me/export");
  CHECK(record["replies"].as_array().size() == 1);
  CHECK(record["holds"].as_array().empty());
  CHECK(record["reports"].as_array().size() == 1);
  REQUIRE(record["collections"].as_array().size() == 2);
  CHECK(record["collections"].as_array()[0].at("book_ids").as_array().size() == 1);
  CHECK(record["audit"].as_array().size() ==
        static_cast<std::size_t>(app->number(fmt::format(
            "SELECT count(*) FROM audit_log WHERE user_id = {0} OR (resource = 'user' AND resource_id = {0})",
            reader.user_id()))));
  CHECK(author.get("/api/v1/users/me/export")["collections"].as_array().empty());

  const auto before = app->anybody().get(fmt::format("/api/v1/books/{}", book)).body;
  REQUIRE(reader.del("/api/v1/users/me").status == 204);
  CHECK(app->number("SELECT count(*) FROM collections") == 0);
  CHECK(app->number("SELECT count(*) FROM collection_books") == 0);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book)).body == before);
  const auto replies = app->anybody().get(fmt::format("/api/v1/reviews/{}/replies", review.id()));
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].at("user").at("full_name") == "Deleted user");
}

TEST_CASE("addresses are forgotten after their days, and nothing else can change in the log", "[J18][J1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->patron(1);
  const auto rows = app->number("SELECT count(*) FROM audit_log");
  const auto old = app->clock().now();
  app->clock().advance(std::chrono::hours(24 * 91));
  app->patron(2);
  const auto fresh = app->number("SELECT count(*) FROM audit_log") - rows;
  REQUIRE(fresh > 0);
  CHECK(forget(*app, old + std::chrono::hours(1)) == rows + 1);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE address = ''") == rows);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE address <> ''") == fresh);
  CHECK(app->number("SELECT count(*) FROM sessions WHERE address = '' AND user_agent = ''") == 1);
  CHECK(forget(*app, old + std::chrono::hours(1)) == 0);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE user_id IS NOT NULL AND address = ''") > 0);
  for (const auto* sql :
       {"UPDATE audit_log SET address = 'elsewhere'", "UPDATE audit_log SET address = '', action = 'x'",
        "UPDATE audit_log SET address = '', user_id = NULL WHERE user_id IS NOT NULL",
        "UPDATE audit_log SET detail = 'x'", "DELETE FROM audit_log"}) {
    CAPTURE(sql);
    auto work = [sql](db::Transaction& tx) -> Status {
      tx.execute(sql);
      return {};
    };
    CHECK_THROWS(app->app().database().write_now(std::move(work)));
  }
}
