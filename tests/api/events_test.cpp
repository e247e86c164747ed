#include "core/http/io_threads.hpp"
#include "core/http/server.hpp"
#include "support/test_app.hpp"
#include "wire/client.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <fstream>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

// The application behind real sockets.
class Served {
 public:
  explicit Served(TestApp& app) : io_(2, [](std::exception_ptr) {}) {
    http::ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.limits.connections_per_address = 0;
    options.limits.stream_idle_time = 200ms;
    server_ = std::make_unique<http::Server>(io_, options, app.app().application());
    server_->start();
    io_.start();
  }
  ~Served() {
    server_->stop(1s);
    server_.reset();
    io_.stop();
  }
  // Asks for the stream and reads the head.
  wire::Client stream(const Client& who, const std::string& query = "", const std::string& last_id = "") {
    wire::Client client(server_->ports().front());
    std::string request = "GET /api/v1/events/stream" + query + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!who.token().empty()) request += "Authorization: Bearer " + who.token() + "\r\n";
    if (!last_id.empty()) request += "Last-Event-ID: " + last_id + "\r\n";
    client.send(request + "\r\n");
    head = client.read(true);
    return client;
  }
  http::Server& server() { return *server_; }
  wire::Answer head;

 private:
  http::IoThreads io_;
  std::unique_ptr<http::Server> server_;
};

std::string id_of(const Answer& events, std::size_t index) {
  return std::string(events[index].at("id").as_string());
}

}  // namespace

TEST_CASE("administrators list what happened and go on where they were", "[I6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  const auto book = app->book();
  const auto other = app->book("Persuasion");
  const auto all = admin.get("/api/v1/events?limit=1000");
  REQUIRE(all.status == 200);
  const auto books = admin.get("/api/v1/events?types=book.created");
  REQUIRE(books.size() == 2);
  CHECK(books[0].at("resource_id") == book);
  CHECK(books[1].at("resource_id") == other);
  CHECK(books[0].at("at").as_string() == "2026-11-22T10:00:00Z");
  CHECK(admin.get("/api/v1/events?types=book.*").size() == 2);
  CHECK(admin.get("/api/v1/events?types=book.created,review.*&limit=1").size() == 1);
  CHECK(admin.get("/api/v1/events?types=boo.*").size() == 0);
  // Page by page gives the same as at once.
  std::vector<std::string> paged;
  std::string after;
  while (true) {
    const auto page = admin.get("/api/v1/events?limit=2" + (after.empty() ? "" : "&after=" + after));
    if (page.size() == 0) break;
    for (std::size_t i = 0; i < page.size(); ++i) paged.push_back(id_of(page, i));
    after = paged.back();
  }
  REQUIRE(paged.size() == all.size());
  for (std::size_t i = 0; i < paged.size(); ++i) CHECK(paged[i] == id_of(all, i));
  for (const auto* wrong : {"x", "1", "1-x", "-", "1--1", "99999999999999999999-1"})
    CHECK(admin.get(std::string("/api/v1/events?after=") + wrong).status == 422);
  CHECK(app->librarian().get("/api/v1/events").status == 403);
  CHECK(app->patron().get("/api/v1/events").status == 403);
}

TEST_CASE("a stream shows what happens, to patrons what concerns them", "[I8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian(), one = app->patron(1), two = app->patron(2);
  const auto book = app->book();
  {
    Served served(*app);
    auto all = served.stream(librarian);
    CHECK(served.head.status == 200);
    CHECK(served.head.field("Content-Type") == "text/event-stream");
    CHECK(served.head.field("Cache-Control") == "no-cache");
    CHECK(served.head.field("Transfer-Encoding") == "chunked");
    CHECK(served.head.field("X-Accel-Buffering") == "no");
    auto mine = served.stream(one);
    auto others = served.stream(two);
    auto returns = served.stream(librarian, "?types=borrow.returned");
    CHECK(all.reads("retry: 3000"));
    REQUIRE(one.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
    CHECK(all.reads("event: borrow.created"));
    CHECK(mine.reads("event: borrow.created"));
    CHECK(mine.unread().find(fmt::format("\"user_id\":{}", one.user_id())) != std::string::npos);
    // A comment says that they are alive, and that nothing else came before it.
    CHECK(others.reads(": ping"));
    CHECK(others.unread().find("event: borrow.") == std::string::npos);
    CHECK(returns.reads(": ping"));
    CHECK(returns.unread().find("event:") == std::string::npos);
    served.stream(app->anybody());
    CHECK(served.head.status == 401);
    served.stream(one, "", "nonsense");
    CHECK(served.head.status == 422);
  }
}

TEST_CASE("a stream goes on behind the last event that was seen", "[I8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian(), admin = app->admin();
  app->book("First");
  const auto events = admin.get("/api/v1/events?types=book.created");
  REQUIRE(events.size() == 1);
  app->book("Second");
  app->book("Third");
  Served served(*app);
  auto stream = served.stream(librarian, "?types=book.created", id_of(events, 0));
  app->book("Fourth");
  const auto expected = [&] { return admin.get("/api/v1/events?types=book.created"); };
  const auto all = expected();
  REQUIRE(all.size() == 4);
  REQUIRE(stream.reads("id: " + id_of(all, 3)));
  const auto text = stream.unread();
  std::size_t last = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    const auto line = "id: " + id_of(all, i) + "\n";
    const auto at = text.find(line);
    REQUIRE(at != std::string::npos);
    CHECK(at >= last);
    CHECK(text.find(line, at + 1) == std::string::npos);  // once
    last = at;
  }
  CHECK(text.find("id: " + id_of(all, 0) + "\n") == std::string::npos);
}

TEST_CASE("a stream ends when its reader signs out and when the server drains", "[I8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto one = app->patron(1), two = app->patron(2);
  Served served(*app);
  auto first = served.stream(one), second = served.stream(two);
  CHECK(first.reads("retry"));
  REQUIRE(one.post("/api/v1/auth/logout").status < 300);
  CHECK(first.reads("0\r\n\r\n"));
  served.stream(one);
  CHECK(served.head.status == 401);
  CHECK(second.reads(": ping"));
  CHECK(served.server().stop(5s));
  CHECK(second.read_all().ends_with("0\r\n\r\n"));
}

TEST_CASE("a connection serves the next request after a stream", "[I8]") {
  auto app = TestApp::on(Database::sqlite);
  auto one = app->patron();
  Served served(*app);
  auto client = served.stream(one);
  REQUIRE(one.post("/api/v1/auth/logout").status < 300);
  REQUIRE(client.reads("0\r\n\r\n"));
  client.forget();
  CHECK(client.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200);
  // HTTP/1.0 has no chunks; HEAD has no body.
  wire::Client old(served.server().ports().front());
  auto again = app->patron();
  old.send("GET /api/v1/events/stream HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer " + again.token() +
           "\r\n\r\n");
  CHECK(old.read(true).field("Transfer-Encoding").empty());
  CHECK(old.reads("retry: 3000\n\n"));
  wire::Client head(served.server().ports().front());
  head.send("HEAD /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
            again.token() + "\r\n\r\n");
  CHECK(head.read(true).status == 200);
  CHECK(head.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200);
}

TEST_CASE("a thousand streams hear of every event and cost little memory", "[I8]") {
  auto app = TestApp::on(Database::sqlite);
  auto librarian = app->librarian();
  const auto resident = [] {
    std::ifstream statm("/proc/self/statm");
    long total = 0, pages = 0;
    statm >> total >> pages;
    return pages * 4096;
  };
  Served served(*app);
  const auto before = resident();
  std::vector<wire::Client> streams;
  for (int i = 0; i < 1000; ++i) streams.push_back(served.stream(librarian, "?types=book.*"));
  constexpr int books = 20;
  for (int i = 0; i < books; ++i) app->book(fmt::format("Book {}", i));
  const auto last = app->admin().get("/api/v1/events?types=book.created&limit=1000");
  REQUIRE(last.size() == books);
  for (auto& stream : streams) {
    REQUIRE(stream.reads("id: " + id_of(last, books - 1)));
    int seen = 0;
    for (auto at = stream.unread().find("event: book.created"); at != std::string::npos;
         at = stream.unread().find("event: book.created", at + 1))
      ++seen;
    REQUIRE(seen == books);
  }
  CHECK(resident() - before < 100 * 1024 * 1024);
}
