#include "core/http/compress.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("the server says that it is alive, ready and what it is", "[J7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (const auto* path : {"/health", "/livez", "/healthz"}) {
    const auto alive = app->anybody().get(path);
    CHECK(alive.status == 200);
    CHECK(alive.body == R"({"status":"healthy"})");
  }
  for (const auto* path : {"/ready", "/readyz"}) CHECK(app->anybody().get(path).status == 200);
  CHECK(app->anybody().get("/")["docs"] == "/docs");
  CHECK(app->anybody().get("/redoc").status == 302);
  CHECK(app->anybody().get("/redoc").header("Location") == "/docs");
  app->app().drain();
  const auto draining = app->anybody().get("/ready");
  CHECK(draining.status == 503);
  CHECK(!draining.header("Retry-After").empty());
  CHECK(app->anybody().get("/health").status == 200);
}

TEST_CASE("a database that is gone is said by ready and answered with 503", "[J7][K4]") {
  auto app = TestApp::on(Database::sqlite);
  auto reader = app->patron();
  app->app().database().stop();
  CHECK(app->anybody().get("/ready").status == 503);
  const auto answer = app->anybody().get("/api/v1/books/1");
  CHECK(answer.status == 503);
  CHECK(!answer.header("Retry-After").empty());
  CHECK(app->anybody().get("/health").status == 200);
}

TEST_CASE("metrics count requests by route template", "[J4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  app->anybody().get(fmt::format("/api/v1/books/{}", book));
  app->anybody().get("/api/v1/books/424242");
  const auto metrics = app->anybody().get("/metrics");
  REQUIRE(metrics.status == 200);
  CHECK(metrics.header("Content-Type").starts_with("text/plain; version=0.0.4"));
  CHECK(metrics.body.find(
            R"(luminalib_http_requests_total{method="GET",route="/api/v1/books/{id}",code="200"} 1)") !=
        std::string::npos);
  CHECK(metrics.body.find(
            R"(luminalib_http_requests_total{method="GET",route="/api/v1/books/{id}",code="404"} 1)") !=
        std::string::npos);
  CHECK(metrics.body.find("424242") == std::string::npos);
  for (const auto* name : {"luminalib_build_info", "luminalib_db_pool_waiting", "luminalib_cache_hits_total",
                           "process_resident_memory_bytes", "luminalib_pool_depth"})
    CHECK(metrics.body.find(name) != std::string::npos);
}

TEST_CASE("the reviewed document is the one that is served", "[A42]") {
  auto app = TestApp::on(Database::sqlite);
  const auto served = app->anybody().get("/openapi.json");
  REQUIRE(served.status == 200);
  CHECK(served["openapi"] == "3.1.0");
  std::ifstream file(std::string(LUMINA_SOURCE_DIR) + "/docs/openapi.json");
  std::stringstream golden;
  golden << file.rdbuf();
  INFO("after a wanted change: build/release/luminalib openapi > docs/openapi.json");
  CHECK(served.body == golden.str());
  for (const auto& route : app->app().router().routes()) {
    if (route.hidden) continue;
    CAPTURE(route.path);
    CHECK(served["paths"].as_object().contains(route.path));
  }
}

TEST_CASE("the documentation page needs nothing from elsewhere", "[A42]") {
  auto app = TestApp::on(Database::sqlite);
  const auto page = app->anybody().get("/docs");
  REQUIRE(page.status == 200);
  CHECK(page.header("Content-Type").starts_with("text/html"));
  CHECK(page.header("Content-Security-Policy").find("default-src 'none'") != std::string::npos);
  CHECK(page.body.find("https://") == std::string::npos);
  const auto packed = app->anybody().get("/docs", {{"Accept-Encoding", "gzip"}});
  CHECK(packed.header("Content-Encoding") == "gzip");
}

TEST_CASE("every answer can be found again and is not sniffed, framed or cached by others", "[A30][J8]") {
  auto app = TestApp::on(Database::sqlite);
  for (const auto* path : {"/health", "/api/v1/books", "/nowhere", "/api/v1/users/me"}) {
    CAPTURE(path);
    const auto answer = app->anybody().get(path);
    CHECK(answer.header("X-Request-Id").size() >= 16);
    CHECK(answer.header("X-Content-Type-Options") == "nosniff");
    CHECK(answer.header("Content-Security-Policy").starts_with("default-src 'none'"));
    CHECK(answer.header("Referrer-Policy") == "no-referrer");
    CHECK(!answer.header("Cache-Control").empty());
  }
  CHECK(app->anybody().get("/health", {{"X-Request-Id", "abc-123"}}).header("X-Request-Id") == "abc-123");
  CHECK(app->anybody().get("/health", {{"X-Request-Id", "a b"}}).header("X-Request-Id") != "a b");
  CHECK(app->anybody().get("/nowhere", {{"X-Request-Id", "abc-123"}})["request_id"] == "abc-123");
}

TEST_CASE("unknown paths, other methods and errors are problem documents", "[A39][A40]") {
  auto app = TestApp::on(Database::sqlite);
  const auto unknown = app->anybody().get("/api/v1/nothing");
  CHECK(unknown.status == 404);
  CHECK(unknown.header("Content-Type") == "application/problem+json");
  for (const auto* member : {"type", "title", "status", "detail", "instance", "code", "request_id"})
    CHECK(!unknown[member].is_null());
  const auto wrong = app->anybody().del("/api/v1/books");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(app->anybody().get("/api/v1/users/me").header("WWW-Authenticate").starts_with("Bearer"));
}

TEST_CASE("HEAD, OPTIONS and a trailing slash work everywhere", "[A50]") {
  auto app = TestApp::on(Database::sqlite);
  app->book();
  const auto get = app->anybody().get("/api/v1/books");
  const auto head = app->anybody().send(http::Method::head, "/api/v1/books", "", {});
  CHECK(head.status == 200);
  CHECK(head.header("X-Total-Count") == get.header("X-Total-Count"));
  CHECK(app->anybody().get("/api/v1/books/").body == get.body);
  const auto options = app->anybody().send(http::Method::options, "/api/v1/books", "", {});
  CHECK(options.status == 204);
}

TEST_CASE("answers over a kilobyte are compressed when asked, by gzip or brotli", "[A49]") {
  auto app = TestApp::on(Database::sqlite);
  for (int i = 0; i < 12; ++i) app->book(fmt::format("A rather long title number {}", i));
  const auto plain = app->anybody().get("/api/v1/books");
  CHECK(plain.header("Content-Encoding").empty());
  CHECK(plain.header("Vary").find("Accept-Encoding") != std::string::npos);
  const auto gzip = app->anybody().get("/api/v1/books", {{"Accept-Encoding", "gzip"}});
  CHECK(gzip.header("Content-Encoding") == "gzip");
  CHECK(gzip.body == http::gzip(plain.body));
  const auto brotli = app->anybody().get("/api/v1/books", {{"Accept-Encoding", "gzip, br"}});
  CHECK(brotli.header("Content-Encoding") == "br");
  CHECK(brotli.body == http::brotli(plain.body));
  CHECK(app->anybody()
            .get("/api/v1/books", {{"Accept-Encoding", "gzip;q=0, br;q=0"}})
            .header("Content-Encoding")
            .empty());
  CHECK(app->anybody().get("/health", {{"Accept-Encoding", "gzip"}}).header("Content-Encoding").empty());
}

TEST_CASE("listed origins may read answers, others get no permission", "[A29]") {
  auto app = TestApp::on(Database::sqlite,
                         [](config::Config& c) { c.allowed_origins = {"https://library.example"}; });
  const auto listed = app->anybody().get("/api/v1/books", {{"Origin", "https://library.example"}});
  CHECK(listed.header("Access-Control-Allow-Origin") == "https://library.example");
  CHECK(listed.header("Access-Control-Allow-Credentials") == "true");
  CHECK(listed.header("Vary").find("Origin") != std::string::npos);
  CHECK(app->anybody()
            .get("/api/v1/books", {{"Origin", "https://evil.example"}})
            .header("Access-Control-Allow-Origin")
            .empty());
  const auto preflight =
      app->anybody().send(http::Method::options, "/api/v1/books", "",
                          {{"Origin", "https://library.example"}, {"Access-Control-Request-Method", "POST"}});
  CHECK(preflight.status == 204);
  CHECK(preflight.header("Access-Control-Allow-Methods").find("POST") != std::string::npos);
  CHECK(preflight.header("Access-Control-Max-Age") == "7200");
}

TEST_CASE("the thousand-and-first request of a minute waits", "[A28]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.rate_limit = 1000; });
  Answer last;
  for (int i = 0; i < 1000; ++i) last = app->anybody().get("/api/v1/books");
  CHECK(last.status == 200);
  CHECK(last.header("RateLimit").starts_with("\"default\";r=0;t="));
  CHECK(last.header("RateLimit-Policy") == "\"default\";q=1000;w=60");
  const auto refused = app->anybody().get("/api/v1/books");
  CHECK(refused.status == 429);
  CHECK(!refused.header("Retry-After").empty());
  CHECK(refused["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded");
  CHECK(app->anybody().from("192.0.2.2").get("/api/v1/books").status == 200);
  CHECK(app->anybody().get("/health").status == 200);
}

TEST_CASE("a client address comes from a proxy only when the proxy is trusted", "[A28][A38]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) {
    c.rate_limit = 2;
    c.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  });
  const auto via = [&](std::string proxy, std::string client) {
    return app->anybody()
        .from(std::move(proxy))
        .get("/api/v1/books", {{"X-Forwarded-For", std::move(client)}})
        .status;
  };
  for (int i = 0; i < 5; ++i) CHECK(via("10.0.0.1", fmt::format("198.51.100.{}", i)) == 200);
  CHECK(via("192.0.2.9", "198.51.100.50") == 200);
  CHECK(via("192.0.2.9", "198.51.100.51") == 200);
  CHECK(via("192.0.2.9", "198.51.100.52") == 429);
}

TEST_CASE("what every route answers to every role is what its row declares", "[A18][A19]") {
  auto app = TestApp::on(Database::sqlite);
  app->admin();
  app->librarian();
  app->patron();
  struct Somebody {
    std::optional<Role> role;
    std::function<Client()> client;
  };
  const std::vector<Somebody> people = {{std::nullopt, [&] { return app->anybody(); }},
                                        {Role::patron, [&] { return app->patron(); }},
                                        {Role::librarian, [&] { return app->librarian(); }},
                                        {Role::admin, [&] { return app->admin(); }}};
  int cells = 0;
  for (const auto& route : app->app().router().routes()) {
    if (route.method == http::Method::del && route.path == "/api/v1/users/me")
      continue;  // would end the people
    std::string target = route.path;
    for (auto at = target.find('{'); at != std::string::npos; at = target.find('{'))
      target.replace(at, target.find('}') - at + 1, "424242");
    for (const auto& who : people) {
      CAPTURE(http::to_string(route.method), route.path, who.role.has_value());
      const auto answer = who.client().send(route.method, target, "", {});
      ++cells;
      CHECK(answer.status != 500);
      if (route.access.kind == http::Access::Kind::anyone) {
        if (route.rate != http::RateClass::login) CHECK(answer.status != 401);
        CHECK(answer.code() != "forbidden");
      } else if (!who.role) {
        CHECK(answer.status == 401);
      } else if (!route.access.allows_role(*who.role)) {
        CHECK(answer.status == 403);
        CHECK(answer.code() == "forbidden");
      } else {
        CHECK(answer.status != 401);
        CHECK(answer.code() != "forbidden");
      }
    }
  }
  CHECK(cells > 150);
}

TEST_CASE("every route has a scenario", "[A42]") {
  std::string scenarios;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(LUMINA_SOURCE_DIR) + "/tests/api")) {
    std::ifstream file(entry.path());
    scenarios.append(std::istreambuf_iterator<char>(file), {});
  }
  auto app = TestApp::on(Database::sqlite);
  for (const auto& route : app->app().router().routes()) {
    if (route.hidden || !route.path.starts_with("/api/")) continue;
    // The fixed parts of the path, in order, in one string literal or one call.
    std::vector<std::string> parts;
    std::string_view rest = route.path;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      parts.emplace_back(rest.substr(0, open));
      if (open == std::string_view::npos) break;
      rest.remove_prefix(rest.find('}') + 1);
    }
    const auto named_from = [&](const std::string& first) {
      bool found = false;
      for (auto at = scenarios.find(first); at != std::string::npos && !found;
           at = scenarios.find(first, at + 1)) {
        std::size_t end = at + first.size();
        found = true;
        for (std::size_t i = first == parts[0] ? 1 : 2; i < parts.size() && found; ++i) {
          if (parts[i].empty()) continue;
          const auto next = scenarios.find(parts[i], end);
          found = next != std::string::npos && next - end < 40;
          end = next + parts[i].size();
        }
      }
      return found;
    };
    // Or a helper of the tests makes the path of a resource and takes what follows: at(id, "/grants").
    const auto by_helper = [&] {
      return parts.size() > 1 && !parts[1].empty() && scenarios.contains(parts[0] + "{}{}\"") &&
             named_from(", \"" + parts[1]);
    };
    const bool found = named_from(parts[0]) || by_helper();
    CAPTURE(http::to_string(route.method), route.path);
    CHECK(found);
  }
}

TEST_CASE("each change leaves one audit row, and the log cannot be changed", "[J1][J2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  const auto before = app->number("SELECT count(*) FROM audit_log");
  const auto changed = librarian.patch(fmt::format("/api/v1/books/{}", book), R"({"genre":"X"})",
                                       {{"X-Request-Id", "edit-1"}});
  REQUIRE(changed.status == 200);
  CHECK(app->number("SELECT count(*) FROM audit_log") == before + 1);
  CHECK(app->number("SELECT count(*) FROM outbox WHERE type = 'book.updated'") == 1);
  CHECK(librarian.patch(fmt::format("/api/v1/books/{}", book), R"({"title":null})").status == 422);
  CHECK(app->number("SELECT count(*) FROM audit_log") == before + 1);

  auto admin = app->admin();
  const auto rows = admin.get("/api/v1/audit?action=book.updated");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].at("user_id") == librarian.user_id());
  CHECK(rows[0].at("resource_id") == book);
  CHECK(rows[0].at("request_id") == "edit-1");
  CHECK(rows[0].at("address") == "192.0.2.1");
  CHECK(admin
            .get(fmt::format("/api/v1/audit?user_id={}&resource=book&from=2026-11-22T00:00:00Z",
                             librarian.user_id()))
            .size() >= 2);
  CHECK(admin.get("/api/v1/audit?from=yesterday").status == 422);
  CHECK(librarian.get("/api/v1/audit").status == 403);
  CHECK(librarian.post("/api/v1/logs", R"({"action":"opened the reading room"})").status == 201);

  for (const auto* sql : {"UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"}) {
    auto work = [sql](db::Transaction& tx) -> Status {
      tx.execute(sql);
      return {};
    };
    CHECK_THROWS(app->app().database().write_now(std::move(work)));
  }
}
