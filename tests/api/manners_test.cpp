// How the API treats clients: repeated requests, chosen members, expansions, retired routes, hints about
// signing in.
#include "api/accounts.hpp"
#include "core/http/handler.hpp"
#include "core/http/pipeline.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <thread>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("a loan that is asked for twice with one key is one loan", "[A47]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  auto reader = app->patron();
  const auto path = fmt::format("/api/v1/borrows/{}/borrow", book);
  const http::Headers key{{"Idempotency-Key", "7f0c-1"}};
  const auto first = reader.post(path, "", key);
  REQUIRE(first.status == 201);
  CHECK(first.header("Idempotency-Replayed").empty());
  const auto again = reader.post(path, "", key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.header("Idempotency-Replayed") == "true");
  CHECK(again.header("X-Request-Id") != first.header("X-Request-Id"));
  CHECK(app->number("SELECT count(*) FROM borrows") == 1);
  const auto other = reader.post(path, R"({"loan_period_days":7})", key);
  CHECK(other.status == 422);
  CHECK(other.code() == "idempotency_key_reused");
  auto second_reader = app->patron(2);
  CHECK(second_reader.post(path, "", key).status == 201);
  CHECK(app->number("SELECT count(*) FROM borrows") == 2);

  app->restart();
  const auto after = app->login("patron1@example.org", std::string(TestApp::password)).post(path, "", key);
  CHECK(after.body == first.body);
  app->clock().advance(std::chrono::hours(25));
  CHECK(app->login("patron1@example.org", std::string(TestApp::password)).post(path, "", key).code() !=
        "idempotency_key_reused");
}

TEST_CASE("a repeated creation keeps its location and ETag, and its cache stays true", "[A47]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const http::Headers key{{"Idempotency-Key", "new-book"}};
  CHECK(app->anybody().get("/api/v1/books").size() == 0);
  const auto first = librarian.post("/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})", key);
  const auto again = librarian.post("/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})", key);
  REQUIRE(first.status == 201);
  CHECK(again.status == 201);
  CHECK(again.header("Location") == first.header("Location"));
  CHECK(again.header("ETag") == first.header("ETag"));
  CHECK(app->anybody().get("/api/v1/books").size() == 1);
}

TEST_CASE("tokens and keys are never kept as answers", "[A47][A10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const http::Headers key{{"Idempotency-Key", "secret"}};
  const auto login = credentials("patron1@example.org", TestApp::password);
  CHECK(app->anybody().post("/api/v1/auth/login", login, key).status == 200);
  const auto repeated = app->anybody().post("/api/v1/auth/login", login, key);
  CHECK(repeated.status == 200);
  CHECK(repeated.header("Idempotency-Replayed").empty());
  const auto made = reader.post("/api/v1/auth/api-keys", R"({"name":"a tool"})", key);
  REQUIRE(made.status == 201);
  CHECK(reader.post("/api/v1/auth/api-keys", R"({"name":"a tool"})", key).code() ==
        "idempotency_answer_not_kept");
  CHECK(reader.get("/api/v1/auth/api-keys").size() == 1);
  CHECK(app->number("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL") == 0);
  auto admin = app->admin();
  const auto webhook = R"({"url":"https://hooks.example.org/here","types":["book.*"]})";
  const auto hooked = admin.post("/api/v1/webhooks", webhook, {{"Idempotency-Key", "hook"}});
  REQUIRE(hooked.status == 201);
  CHECK(!text(hooked["secret"]).empty());
  CHECK(admin.post("/api/v1/webhooks", webhook, {{"Idempotency-Key", "hook"}}).code() ==
        "idempotency_answer_not_kept");
  CHECK(app->number("SELECT count(*) FROM webhooks") == 1);
  CHECK(app->number("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL") == 0);
  CHECK(app->number("SELECT count(*) FROM idempotency_keys WHERE body LIKE '%quiet reading%'") == 0);
}

TEST_CASE("fields chooses the members of an answer", "[A45]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen");
  app->book("Persuasion", "Jane Austen");
  const auto path = fmt::format("/api/v1/books/{}", book);
  const auto whole = app->anybody().get(path);
  const auto some = app->anybody().get(path + "?fields=title,id");
  CHECK(some.body == fmt::format(R"({{"id":{},"title":"Emma"}})", book));
  CHECK(some.header("ETag") != whole.header("ETag"));
  CHECK(app->anybody()
            .get(path + "?fields=id",
                 {{"If-None-Match", app->anybody().get(path + "?fields=id").header("ETag")}})
            .status == 304);
  const auto list = app->anybody().get("/api/v1/books?fields=title&sort=title&limit=1");
  CHECK(list.body == R"([{"title":"Emma"}])");
  CHECK(list.header("Link").find("fields=title") != std::string::npos);
  CHECK(app->anybody()
            .get("/api/v1/books?fields=title&sort=title&page=1&size=1")["items"]
            .as_array()[0]
            .as_object()
            .size() == 1);
  const auto unknown = app->anybody().get(path + "?fields=id,password,titel");
  CHECK(unknown.status == 422);
  CHECK(unknown["errors"].as_array().size() == 2);
  CHECK(app->anybody().get(path + "?fields=").status == 422);
  CHECK(app->anybody().get(path + "?fields=id&fields=title").status == 422);
  CHECK(app->patron().get("/api/v1/users/me?fields=full_name").body == R"({"full_name":"Patron 1"})");
  CHECK(app->librarian().patch(path + "?fields=id", R"({"genre":"X"})").status == 422);
}

TEST_CASE("a book page is one request with a fixed number of queries", "[A45][B10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":20)");
  const auto path = fmt::format("/api/v1/books/{}?expand=availability,analysis,reviews", book);
  const auto reads_of = [&](const Answer& answer) { return answer.status; };
  const auto before = app->app().database().statistics().reads;
  const auto quiet = app->anybody().get(path);
  REQUIRE(reads_of(quiet) == 200);
  const auto few = app->app().database().statistics().reads - before;
  CHECK(quiet["title"] == "Emma");
  CHECK(quiet["availability"].at("copies_available") == 20);
  CHECK(quiet["reviews"].as_array().empty());
  CHECK(quiet["analysis"].at("total_reviews") == 0);

  for (int i = 1; i <= 12; ++i) {
    auto reader = app->patron(i);
    REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
    REQUIRE(
        reader
            .post("/api/v1/reviews",
                  fmt::format(R"({{"book_id":{},"review_text":"A wonderful book, number {}","rating":5}})",
                              book, i))
            .status == 201);
  }
  const auto then = app->app().database().statistics().reads;
  const auto busy = app->anybody().get(path);
  // The server reads for itself meanwhile (events, jobs); a read for every review would be ten more.
  CHECK(app->app().database().statistics().reads - then <= few + 4);
  CHECK(busy["availability"].at("copies_available") == 8);
  CHECK(busy["reviews"].as_array().size() == 10);
  CHECK(busy["analysis"].at("total_reviews") == 12);
  // From memory: of so many requests most are between two reads of the server itself.
  int without_reads = 0;
  for (int i = 0; i < 20; ++i) {
    const auto last = app->app().database().statistics().reads;
    CHECK(app->anybody().get(path).body == busy.body);
    without_reads += app->app().database().statistics().reads == last;
  }
  CHECK(without_reads >= 10);

  const auto some = app->anybody().get(path + "&fields=id");
  CHECK(some["title"].is_null());
  CHECK(some["reviews"].as_array().size() == 10);
  const auto etag = busy.header("ETag");
  CHECK(app->librarian()
            .patch(fmt::format("/api/v1/books/{}", book), R"({"genre":"Novel"})", {{"If-Match", etag}})
            .status == 200);
  const auto wrong = app->anybody().get(fmt::format("/api/v1/books/{}?expand=availability,author", book));
  CHECK(wrong.status == 422);
  CHECK(app->anybody().get("/api/v1/books/4242?expand=reviews").status == 404);
}

TEST_CASE("a refused login says which ways there are, and is counted by its reason", "[A20][J4]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.basic_auth = true; });
  const auto refused = app->anybody().get("/api/v1/users/me");
  std::string ways;
  for (const auto& [name, value] : refused.headers)
    if (name == "WWW-Authenticate") ways += value + "\n";
  CHECK(ways.find("Bearer realm=") != std::string::npos);
  CHECK(ways.find("Basic realm=") != std::string::npos);
  auto off = TestApp::on(Database::sqlite, [](config::Config& c) { c.basic_auth = false; });
  for (const auto& [name, value] : off->anybody().get("/api/v1/users/me").headers)
    if (name == "WWW-Authenticate") CHECK(value.find("Basic") == std::string::npos);

  app->anybody().get("/api/v1/users/me", {{"Authorization", "Bearer nonsense"}});
  app->anybody().post("/api/v1/auth/login", credentials("nobody@example.org", "wrong password"));
  const auto metrics = app->anybody().get("/metrics").body;
  for (const auto* reason : {"not_authenticated", "invalid_token", "invalid_credentials"})
    CHECK(metrics.find(fmt::format("luminalib_auth_failures_total{{reason=\"{}\"}} 1", reason)) !=
          std::string::npos);
}

TEST_CASE("origins and trusted proxies are taken over while the server runs", "[A29][J10]") {
  auto app =
      TestApp::on(Database::sqlite, [](config::Config& c) { c.allowed_origins = {"https://old.example"}; });
  const auto allowed = [&](std::string origin) {
    return app->anybody()
        .get("/api/v1/books", {{"Origin", std::move(origin)}})
        .header("Access-Control-Allow-Origin");
  };
  CHECK(allowed("https://old.example") == "https://old.example");
  auto fresh = app->app().config();
  fresh.allowed_origins = {"https://new.example"};
  fresh.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  fresh.rate_limit = 2;
  fresh.cors_credentials = false;
  app->app().reload(fresh);
  CHECK(app->anybody()
            .get("/api/v1/books", {{"Origin", "https://new.example"}})
            .header("Access-Control-Allow-Credentials")
            .empty());
  CHECK(allowed("https://old.example").empty());
  CHECK(allowed("https://new.example") == "https://new.example");
  for (int i = 0; i < 5; ++i)
    CHECK(app->anybody()
              .from("10.0.0.1")
              .get("/api/v1/books", {{"X-Forwarded-For", fmt::format("198.51.100.{}", i)}})
              .status == 200);
}

TEST_CASE("a spelling that is on its way out says so and still answers", "[A41][A51]") {
  auto app = TestApp::on(Database::sqlite);
  app->patron();
  const auto old =
      app->anybody().post("/api/v1/users/login", credentials("patron1@example.org", TestApp::password));
  CHECK(old.status == 200);
  CHECK(old.header("Deprecation") == "@1795305600");
  CHECK(old.header("Sunset") == "Mon, 22 Nov 2027 00:00:00 GMT");
  CHECK(old.header("Link") == "</api/v1/auth/login>; rel=\"successor-version\"");
  CHECK(app->anybody()
            .post("/api/v1/auth/login", credentials("patron1@example.org", TestApp::password))
            .header("Deprecation")
            .empty());
}

namespace {

struct Hello {
  std::string text;
  static constexpr std::string_view type_name = "Hello";
  static std::vector<schema::Field> fields() { return {{"text", &Hello::text, "Words"}}; }
};

class Strangers final : public http::Authenticator {
 public:
  Eventual<Result<Caller>> authenticate(const http::Request&, Caller known) override {
    return Result<Caller>(std::move(known));
  }
};

http::Response ask(http::Pipeline& pipeline, std::string target) {
  http::Request request;
  request.head.target = std::move(target);
  boost::asio::io_context io;
  auto exchange = pipeline.begin();
  auto admitted = exchange->admit(request);
  if (admitted.value().refusal) return std::move(*admitted.value().refusal);
  return std::move(exchange->handle(request).value());
}

}  // namespace

TEST_CASE("two versions answer side by side, and a retired route says where it went and how long it stays",
          "[A41]") {
  using namespace http;
  std::vector<Route> routes;
  routes.push_back(get("/api/v1/greetings", "Greetings", Access::anyone(), {},
                       [] { return Result<Hello>(Hello{"old"}); }));
  routes.push_back(
      get("/api/v1/greetings/{id}", "A greeting", Access::anyone(), {},
          [](Path<std::int64_t> id) { return Result<Hello>(Hello{fmt::format("number {}", *id)}); }));
  auto v2 = mounted_at(routes, "/api/v1", "/api/v2", [](Route route) {
    if (route.path == "/api/v2/greetings")
      return get(route.path, "Greetings", Access::anyone(), {}, [] { return Result<Hello>(Hello{"new"}); });
    return route;
  });
  REQUIRE(v2.size() == 2);
  routes.push_back(get("/api/v1/greeting/{id}", "A greeting", Access::anyone(), {}, [](Path<std::int64_t>) {
                     return Result<Hello>(Hello{"spelled otherwise"});
                   }).retired("2026-11-22", "2027-11-22", "/api/v1/greetings/{id}"));
  std::ranges::move(v2, std::back_inserter(routes));
  const Router router(std::move(routes));
  Strangers strangers;
  Pipeline pipeline(router, strangers, {});
  CHECK(ask(pipeline, "/api/v1/greetings").body == R"({"text":"old"})");
  CHECK(ask(pipeline, "/api/v2/greetings").body == R"({"text":"new"})");
  CHECK(ask(pipeline, "/api/v1/greetings/5").body == R"({"text":"number 5"})");
  CHECK(ask(pipeline, "/api/v2/greetings/5").body == R"({"text":"number 5"})");
  const auto retired = ask(pipeline, "/api/v1/greeting/5").header_block;
  CHECK(retired.find("Deprecation: @1795305600\r\n") != std::string::npos);
  CHECK(retired.find("Sunset: Mon, 22 Nov 2027 00:00:00 GMT\r\n") != std::string::npos);
  CHECK(retired.find("Link: </api/v1/greetings/5>; rel=\"successor-version\"\r\n") != std::string::npos);
  CHECK(ask(pipeline, "/api/v2/greetings/5").header_block.find("Deprecation") == std::string::npos);
  CHECK_THROWS(get("/x", "X", Access::anyone(), {}, [] {
                 return Result<Hello>(Hello{});
               }).retired("soon", "later", ""));
}
