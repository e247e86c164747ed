// Several calls in one transaction.
#include "api/accounts.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string call(std::string_view method, std::string_view path, std::string_view body = "",
                 std::string_view headers = "") {
  std::string out = fmt::format(R"({{"method":"{}","path":"{}")", method, path);
  if (!body.empty()) out += fmt::format(R"(,"body":{})", body);
  if (!headers.empty()) out += fmt::format(R"(,"headers":{})", headers);
  return out + "}";
}
std::string batch(const std::vector<std::string>& calls) {
  std::string out = R"({"calls":[)";
  for (std::size_t i = 0; i < calls.size(); ++i) out += (i ? "," : "") + calls[i];
  return out + "]}";
}
std::string new_book(std::string_view title) {
  return fmt::format(R"({{"title":"{}","author":"Jane Austen"}})", title);
}

}  // namespace

TEST_CASE("fifty calls are one transaction, and each sees those before it", "[A48]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  CHECK(app->anybody().get("/api/v1/books").size() == 0);
  std::vector<std::string> calls;
  for (int i = 0; i < 49; ++i)
    calls.push_back(call("POST", "/api/v1/books", new_book(fmt::format("Volume {}", i))));
  calls.push_back(call("GET", "/api/v1/books?limit=1"));
  const auto answer = librarian.post("/api/v1/batch", batch(calls));
  REQUIRE(answer.status == 200);
  const auto& results = answer["results"].as_array();
  REQUIRE(results.size() == 50);
  CHECK(results[0].at("status") == 201);
  CHECK(results[0].at("body").at("title") == "Volume 0");
  CHECK(results[0].at("headers").as_object().contains("Location"));
  CHECK(results[0].at("headers").as_object().contains("ETag"));
  CHECK(results[49].at("headers").at("X-Total-Count") == "49");
  CHECK(app->number("SELECT count(*) FROM books") == 49);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'book.created'") == 49);
  CHECK(app->anybody().get("/api/v1/books").size() == 49);
  calls.push_back(calls.back());
  CHECK(librarian.post("/api/v1/batch", batch(calls)).status == 422);
  CHECK(librarian.post("/api/v1/batch", R"({"calls":[]})").status == 422);
  CHECK(librarian.post("/api/v1/batch", R"({})").status == 422);
}

TEST_CASE("one failing call takes everything back and is named", "[A48]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book("Emma", "Jane Austen", R"("isbn":"9780141439587")");
  const auto path = fmt::format("/api/v1/books/{}", book);
  const auto before = app->anybody().get(path).body;
  const auto audit = app->number("SELECT count(*) FROM audit_log");
  const auto answer = librarian.post(
      "/api/v1/batch",
      batch({call("PATCH", path, R"({"genre":"Changed"})"), call("GET", path),
             call("POST", "/api/v1/books", new_book("Persuasion")),
             call("POST", "/api/v1/books", R"({"title":"X","author":"Y","isbn":"9780141439587"})"),
             call("POST", "/api/v1/books", new_book("never reached"))}));
  CHECK(answer.status == 400);
  CHECK(answer.code() == "batch_failed");
  CHECK(answer["index"] == 3);
  CHECK(answer["problem"].at("code") == "duplicate_isbn");
  CHECK(app->number("SELECT count(*) FROM books") == 1);
  CHECK(app->number("SELECT count(*) FROM audit_log") == audit);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'book.updated'") == 0);
  CHECK(app->anybody().get(path).body == before);
}

TEST_CASE("calls have the rights of who sent them, and their headers", "[A48][A18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  const auto path = fmt::format("/api/v1/books/{}", book);
  auto reader = app->patron();
  CHECK(app->anybody().post("/api/v1/batch", batch({call("GET", path)})).status == 401);
  const auto forbidden = reader.post("/api/v1/batch", batch({call("DELETE", path)}));
  CHECK(forbidden.status == 400);
  CHECK(forbidden["problem"].at("status") == 403);
  const auto lent = reader.post(
      "/api/v1/batch",
      batch({call("POST", fmt::format("/api/v1/borrows/{}/borrow", book), R"({"loan_period_days":7})"),
             call("GET", fmt::format("/api/v1/borrows/book/{}/availability", book)),
             call("GET", "/api/v1/borrows")}));
  REQUIRE(lent.status == 200);
  CHECK(lent["results"].as_array()[1].at("body").at("copies_available") == 1);
  CHECK(lent["results"].as_array()[2].at("body").as_array().size() == 1);
  const auto etag = app->anybody().get(path).header("ETag");
  auto librarian = app->librarian();
  REQUIRE(librarian.patch(path, R"({"genre":"A"})").status == 200);
  const auto stale = librarian.post(
      "/api/v1/batch",
      batch({call("PATCH", path, R"({"genre":"B"})",
                  fmt::format(R"({{"If-Match":{}}})", boost::json::serialize(boost::json::value(etag))))}));
  CHECK(stale["problem"].at("status") == 412);
  for (const auto* headers : {R"({"Authorization":"Bearer x"})", R"({"Idempotency-Key":"x"})",
                              R"({"a b":"x"})", R"({"X":1})", R"([])"})
    CHECK(reader.post("/api/v1/batch", batch({call("GET", path, "", headers)}))["problem"].at("code") ==
          "batch_headers");
}

TEST_CASE("what cannot join a transaction is refused by name", "[A48]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  for (const auto& one :
       {call("POST", "/api/v1/auth/login", credentials("a@b.example", "secret secret")),
        call("POST", "/api/v1/auth/register", registration("a@b.example")),
        call("POST", "/api/v1/auth/api-keys", R"({"name":"x"})"),
        call("POST", "/api/v1/books/import", R"("x")"),
        call("GET", "/api/v1/users/me/export"),
        call("GET", "/api/v1/events/stream"),
        call("POST", "/api/v1/webhooks", R"({"url":"https://a.example/","types":["book.*"]})"),
        call("POST", "/api/v1/webhooks/1/test"),
        call("POST", "/api/v1/webhooks/1/deliveries/x/replay"),
        call("GET", "/api/v1/books/1/analysis"),
        call("POST", "/api/v1/sentiment", R"({"text":"good"})"),
        call("POST", "/api/v1/circulation/rules/simulate", R"({"rules":[]})"),
        call("PUT", "/api/v1/circulation/rules", R"({"rules":[]})"),
        call("PUT", "/api/v1/circulation/calendar", R"({})"),
        call("POST", "/api/v1/patron-categories", R"({"code":"a","name":"A"})"),
        call("PATCH", "/api/v1/patron-categories/a", R"({"name":"B"})"),
        call("DELETE", "/api/v1/patron-categories/a"),
        call("PUT", "/api/v1/circulation/patrons/1", R"({"category":null})"),
        call("POST", "/api/v1/users/1/blocks", R"({"reason":"x"})"),
        call("DELETE", "/api/v1/users/1/blocks"),
        call("DELETE", "/api/v1/users/1/blocks/1"),
        call("PUT", "/api/v1/users/me/password", R"({"current_password":"x","new_password":"y"})"),
        call("POST", "/api/v1/batch", R"({"calls":[]})")}) {
    CAPTURE(one);
    const auto answer = admin.post("/api/v1/batch", batch({call("GET", "/api/v1/books"), one}));
    CHECK(answer.status == 400);
    CHECK(answer["index"] == 1);
    CHECK(answer["problem"].at("code") == "not_in_a_batch");
  }
  const auto unknown = admin.post("/api/v1/batch", batch({call("GET", "/api/v1/nowhere")}));
  CHECK(unknown["problem"].at("status") == 404);
  CHECK(admin.post("/api/v1/batch", batch({call("DELETE", "/api/v1/books")}))["problem"].at("status") == 405);
  CHECK(admin.post("/api/v1/batch", batch({call("GET", "/metrics")})).status == 422);
  CHECK(admin.post("/api/v1/batch", batch({call("BREW", "/api/v1/books")})).status == 422);
  CHECK(admin.post("/api/v1/batch", batch({call("GET", "/api/v1/books?a=%zz")}))["problem"].at("status") ==
        400);
}

TEST_CASE("a batch with a key is one effect", "[A48][A47]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const http::Headers key{{"Idempotency-Key", "batch-1"}};
  const auto body = batch({call("POST", "/api/v1/books", new_book("Emma")),
                           call("POST", "/api/v1/books", new_book("Persuasion"))});
  const auto first = librarian.post("/api/v1/batch", body, key);
  const auto again = librarian.post("/api/v1/batch", body, key);
  REQUIRE(first.status == 200);
  CHECK(again.body == first.body);
  CHECK(again.header("Idempotency-Replayed") == "true");
  CHECK(app->number("SELECT count(*) FROM books") == 2);
  const auto failing =
      batch({call("POST", "/api/v1/books", new_book("Gone")), call("GET", "/api/v1/nowhere")});
  CHECK(librarian.post("/api/v1/batch", failing, {{"Idempotency-Key", "batch-2"}}).status == 400);
  CHECK(librarian.post("/api/v1/batch", failing, {{"Idempotency-Key", "batch-2"}})
            .header("Idempotency-Replayed") == "true");
  CHECK(app->number("SELECT count(*) FROM books") == 2);
}

TEST_CASE("batches, single calls and readers at once leave every loan counted", "[A48]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 4; ++i)
    books.push_back(app->book(fmt::format("Book {}", i), "Jane Austen", R"("copies":3)"));
  std::vector<Client> readers;
  for (int i = 1; i <= 4; ++i) readers.push_back(app->patron(i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::minstd_rand random(static_cast<unsigned>(t) + 1);
      auto& who = readers[static_cast<std::size_t>(t)];
      for (int round = 0; round < 12; ++round) {
        const auto a = books[random() % 4], b = books[random() % 4];
        const auto lend = [](std::int64_t id) { return fmt::format("/api/v1/borrows/{}/borrow", id); };
        const auto back = [](std::int64_t id) { return fmt::format("/api/v1/borrows/{}/return", id); };
        switch (random() % 4) {
          case 0: {
            const auto both =
                who.post("/api/v1/batch", batch({call("POST", lend(a)), call("POST", lend(b))}));
            CHECK((both.status == 200 || both.status == 400));
            break;
          }
          case 1:
            CHECK(who.post(lend(a)).status != 500);
            break;
          case 2:
            CHECK(who.post("/api/v1/batch", batch({call("POST", back(a)), call("POST", lend(b))})).status !=
                  500);
            break;
          default:
            CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", a)).status == 200);
        }
      }
    });
  for (auto& t : threads) t.join();
  for (const auto book : books) {
    const auto open = app->number(
        fmt::format("SELECT count(*) FROM borrows WHERE return_date IS NULL AND book_id = {}", book));
    const auto shown = app->anybody().get(fmt::format("/api/v1/books/{}", book));
    CHECK(shown["copies_available"] == 3 - open);
    CHECK(app->number(fmt::format("SELECT active_borrows FROM book_stats WHERE book_id = {}", book)) == open);
  }
}
