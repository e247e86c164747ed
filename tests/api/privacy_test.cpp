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

TEST_CASE("a change of address that somebody asked for ends with the password", "[A13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  REQUIRE(ask(reader, "thief@example.org").status == 202);
  receive(*app, "stolen", "thief@example.org");
  SECTION("changed by its owner") {
    CHECK(reader
              .put("/api/v1/users/me/password",
                   fmt::format(R"({{"current_password":"{}","new_password":"another quiet room"}})",
                               TestApp::password))
              .status == 204);
  }
  SECTION("reset") {
    CHECK(app->app().administration().reset_password("patron1@example.org", "another quiet room"));
  }
  SECTION("or with the account's being closed for a while") {
    auto admin = app->admin();
    const auto path = fmt::format("/api/v1/users/{}", reader.user_id());
    REQUIRE(admin.post(path + "/deactivate").status == 200);
    REQUIRE(admin.post(path + "/activate").status == 200);
  }
  CHECK(confirm(*app, "stolen").code() == "invalid_email_token");
  CHECK(app->number("SELECT count(*) FROM users WHERE email = 'patron1@example.org'") == 1);
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

TEST_CASE("the personal record holds what circulation and lists know, and no address of staff", "[A21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1), friendly = app->patron(2);
  auto librarian = app->librarian().from("198.51.100.7");
  const auto list =
      reader.post("/api/v1/lists", R"({"name":"Mine","description":"To read","is_public":true})");
  REQUIRE(
      reader.post(fmt::format("/api/v1/lists/{}/books/{}", list.id(), book), R"({"note":"soon"})").status ==
      201);
  REQUIRE(reader
              .post(fmt::format("/api/v1/collections/{}/permissions", list.id()),
                    fmt::format(R"({{"user_id":{},"access":"view"}})", friendly.user_id()))
              .status == 200);
  REQUIRE(librarian.post("/api/v1/patron-categories", R"({"code":"adult","name":"Adults"})").status == 201);
  REQUIRE(librarian
              .put(fmt::format("/api/v1/circulation/patrons/{}", reader.user_id()),
                   R"({"category":"adult","card_number":"C-77"})")
              .status == 200);
  REQUIRE(librarian
              .post("/api/v1/fines",
                    fmt::format(R"({{"user_id":{},"amount_minor":250,"kind":"other","note":"a cup"}})",
                                reader.user_id()))
              .status == 201);
  REQUIRE(librarian.post(fmt::format("/api/v1/users/{}/blocks", reader.user_id()), R"({"reason":"noise"})")
              .status == 201);
  auto admin = app->admin().from("198.51.100.8");
  REQUIRE(
      admin.patch(fmt::format("/api/v1/users/{}", reader.user_id()), R"({"full_name":"Renamed"})").status ==
      200);

  const auto record = reader.get("/api/v1/users/me/export");
  REQUIRE(record.status == 200);
  const auto& shown = record["collections"].as_array().at(0);
  CHECK(shown.at("description") == "To read");
  CHECK(shown.at("is_public") == true);
  CHECK(shown.at("books").as_array().at(0).at("note") == "soon");
  REQUIRE(record["grants"].as_array().size() == 1);
  CHECK(record["grants"].as_array()[0].at("user_id") == friendly.user_id());
  CHECK(friendly.get("/api/v1/users/me/export")["grants"].as_array().size() == 1);
  CHECK(record["patron"].at("category") == "adult");
  CHECK(record["patron"].at("card_number") == "C-77");
  CHECK(record["patron"].at("blocks").as_array().at(0).at("reason") == "noise");
  CHECK(record["fines"].as_array().at(0).at("charged_minor") == 250);
  CHECK(record["ledger"].as_array().at(0).at("amount_minor") == 250);
  CHECK(record.body.find("198.51.100.") == std::string::npos);
  CHECK(record.body.find("192.0.2.1") != std::string::npos);
}

TEST_CASE("with an account go the answers that were kept for it, and its name from what is cached",
          "[A21][A47]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron(1);
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  REQUIRE(reader
              .post("/api/v1/reviews",
                    fmt::format(R"({{"book_id":{},"review_text":"Quite a good book","rating":4}})", book),
                    {{"Idempotency-Key", "mine"}})
              .status == 201);
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
  REQUIRE(app->number("SELECT count(*) FROM idempotency_keys") == 1);
  const auto listing = fmt::format("/api/v1/reviews/book/{}", book);
  const auto expanded = fmt::format("/api/v1/books/{}?expand=reviews", book);
  const auto shows = [&](std::string_view name) {
    return app->anybody().get(listing).body.find(name) != std::string::npos &&
           app->anybody().get(expanded).body.find(name) != std::string::npos;
  };
  CHECK(shows("Patron 1"));
  REQUIRE(reader.patch("/api/v1/users/me", R"({"full_name":"Another Name"})").status == 200);
  CHECK(shows("Another Name"));
  REQUIRE(reader.del("/api/v1/users/me").status == 204);
  CHECK(!shows("Another Name"));
  CHECK(shows("Deleted user"));
  CHECK(app->number("SELECT count(*) FROM idempotency_keys") == 0);
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
