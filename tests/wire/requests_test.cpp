// Requests and answers over a real socket: framing, order, refusals.
#include "wire/client.hpp"
#include "wire/toy.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <regex>
#include <string>
#include <vector>

namespace lumina::wire {
namespace {

using namespace std::string_literals;

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string chunked(const std::string& path, const std::string& chunks) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
}

}  // namespace

TEST_CASE("a connection serves request after request", "[A50]") {
  ToyServer server;
  Client client(server.port());
  for (int i = 0; i < 100; ++i) {
    const auto body = std::string(static_cast<std::size_t>(i), 'b');
    const auto answer =
        client.ask(i % 2 ? post("/echo", body) : chunked("/echo", "3;a=b\r\nabc\r\n0\r\n\r\n"));
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == (i % 2 ? body : "abc"));
    REQUIRE_FALSE(answer.says_close());
  }
  CHECK(server.server.stats().accepted == 1);
  CHECK(server.server.stats().requests == 100);
  CHECK(ToyServer::eventually([&] { return server.toy.finished().size() == 100; }));
}

TEST_CASE("pipelined requests are answered in order, coroutines or not", "[A50]") {
  ToyServer server;
  Client client(server.port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += post("/echo", std::to_string(i));
    all += get("/later");
    all += chunked("/echo", "1\r\nc\r\n0\r\n\r\n");
  }
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(client.read().body == std::to_string(i));
    REQUIRE(client.read().body == "later");
    REQUIRE(client.read().body == "c");
  }
}

TEST_CASE("hundreds of pipelined requests that all need a coroutine do not exhaust the stack") {
  ToyServer server;
  Client client(server.port());
  std::string all;
  for (int i = 0; i < 300; ++i) all += get("/later");
  client.send(all);
  for (int i = 0; i < 300; ++i) REQUIRE(client.read().body == "later");
}

TEST_CASE("answers do not depend on how requests are cut into packets", "[A50]") {
  ToyServer server;
  const std::string all = post("/echo", "hello") + "\r\n" + get("/bytes/3000") +
                          chunked("/echo", "5;x=\"y\"\r\nfirst\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n") +
                          get("/none") + get("/refused") + post("/refused", "dropped") + get("/later") +
                          get("/echo", "Connection: close\r\n");
  const auto run = [&](auto cut) {
    Client client(server.port());
    std::string_view rest = all;
    while (!rest.empty()) {
      const auto piece = rest.substr(0, cut());
      REQUIRE(client.send(piece));
      rest.remove_prefix(piece.size());
    }
    return std::regex_replace(client.read_all(), std::regex("Date: [^\r]*"), "Date: -");
  };
  const auto whole = run([&] { return all.size(); });
  CHECK(std::count(whole.begin(), whole.end(), 'x') >= 3000);
  CHECK(whole.find("first0123456789") != std::string::npos);
  CHECK(run([] { return std::size_t{1}; }) == whole);
  std::mt19937 random(5);
  for (int round = 0; round < 30; ++round)
    CHECK(run([&] { return 1 + random() % (round % 2 ? 10 : 200); }) == whole);
}

TEST_CASE("HEAD has the head of GET and no body", "[A50]") {
  ToyServer server;
  Client client(server.port());
  client.send("HEAD /bytes/1234 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/bytes/3"));
  const auto head = client.read(true);
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == "1234");
  CHECK(client.read().body == "xxx");
}

TEST_CASE("204 has neither body nor length", "[A50]") {
  ToyServer server;
  Client client(server.port());
  const auto answer = client.ask(get("/none"));
  CHECK(answer.status == 204);
  CHECK(answer.field("Content-Length").empty());
  CHECK(client.ask(get("/bytes/2")).body == "xx");
}

TEST_CASE("HTTP/1.0 closes unless asked to stay", "[A50]") {
  ToyServer server;
  Client once(server.port());
  const auto answer = once.ask("GET /bytes/5 HTTP/1.0\r\n\r\n");
  CHECK(answer.body == "xxxxx");
  CHECK(answer.says_close());
  CHECK(once.closed());
  Client stays(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto kept = stays.ask("GET /bytes/5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(kept.field("Connection") == "keep-alive");
  }
  CHECK(stays.ask(get("/echo", "Connection: close\r\n")).says_close());
  CHECK(stays.closed());
}

TEST_CASE("every answer carries Server and Date") {
  ToyServer server;
  Client client(server.port());
  const auto answer = client.ask(get("/echo"));
  CHECK(answer.field("Server") == "luminalib");
  CHECK(std::regex_match(answer.field("Date"),
                         std::regex("\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT")));
}

TEST_CASE("absolute form, OPTIONS * and leading line ends are understood", "[A50]") {
  ToyServer server;
  Client client(server.port());
  CHECK(client.ask("GET http://real.org/target?x HTTP/1.1\r\nHost: other\r\n\r\n").body ==
        "/target?x real.org");
  CHECK(client.ask("\r\n\r\n" + get("/bytes/1")).body == "x");
  CHECK(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
}

TEST_CASE("a malformed head is answered with its status and a problem document, then closed", "[A32]") {
  ToyServer server;
  const std::vector<std::pair<std::string, int>> rows = {
      {"GET / \r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rSome: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX[]: y\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: tea\r\n\r\nx", 417},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET /" + std::string(200'000, 'a'), 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(200'000, 'a'), 431},
      {chunked("/echo", "5\nhello\r\n0\r\n\r\n"), 400},
      {chunked("/echo", "5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n"), 400},
      {chunked("/echo", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), 400},
      {"\x16\x03\x01\x02", 400},
  };
  for (const auto& [text, status] : rows) {
    INFO(text.substr(0, 100));
    Client client(server.port());
    client.send(text);
    const auto answer = client.read();
    CHECK(answer.status == status);
    CHECK(answer.field("Content-Type") == "application/problem+json");
    CHECK(answer.says_close());
    client.finish_sending();
    CHECK(client.closed());
  }
  CHECK(server.server.stats().exceptions == 0);
}

TEST_CASE("a refusal says which path it is about, as far as that was readable", "[A39]") {
  ToyServer server;
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"GET /a/b?c=1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "/a/b"},
      {"GET /a\"b HTTP/1.1\r\nHost: a\r\n\r\n", "/a\"b"},
      {"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "/pot"},
      {"GET /long HTTP/1.1\r\nHost: a\r\nX: " + std::string(200'000, 'a'), "/long"},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "/" + std::string(1023, 'a')},
      {"POST /ten?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", "/ten"},
      {"GET /a\x01z HTTP/1.1\r\nHost: a\r\n\r\n", "/a"},
      {"\x16\x03\x01\x02", ""},
  };
  for (const auto& [text, path] : rows) {
    INFO(text.substr(0, 100));
    Client client(server.port());
    client.send(text);
    const auto answer = client.read();
    CHECK(answer.status >= 400);
    CHECK(answer.body.find(R"("instance":")" + path + R"(")") != std::string::npos);
    CHECK(answer.body.find(R"("peer":"127.0.0.1")") != std::string::npos);
  }
}

TEST_CASE("nothing that follows a refused head is taken for a request", "[A32]") {
  ToyServer server;
  Client client(server.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" +
      get("/bytes/1"));
  client.finish_sending();
  const auto all = client.read_all();
  CHECK(all.find("HTTP/1.1 400") == 0);
  CHECK(all.find("HTTP/1.1 200") == std::string::npos);
  CHECK(server.server.stats().requests == 0);
}

TEST_CASE("a target of 8,000 octets is served", "[A32]") {
  ToyServer server;
  Client client(server.port());
  CHECK(client.ask(get("/" + std::string(7999, 'a'))).status == 200);
}

TEST_CASE("a body over the route's limit is refused before it is read", "[A32]") {
  ToyServer server;
  Client client(server.port());
  CHECK(client.ask(post("/ten", "0123456789")).body == "0123456789");
  client.send("POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  const auto answer = client.read();
  CHECK(answer.status == 413);
  CHECK(answer.says_close());
}

TEST_CASE("a chunked body is refused in the middle when it passes the limit", "[A32]") {
  ToyServer server;
  Client client(server.port());
  client.send(chunked("/ten", "8\r\n01234567\r\n"));
  CHECK(client.silent(20ms));
  client.send("3\r\n");
  const auto answer = client.read();
  CHECK(answer.status == 413);
  CHECK(answer.says_close());
  CHECK(server.toy.last_status() == 413);
}

TEST_CASE("a client that sends its whole oversized body first still sees the 413", "[A32]") {
  ToyServer server;
  Client client(server.port());
  CHECK(client.send(post("/ten", std::string(4 << 20, 'x'))));
  CHECK(client.read().status == 413);
}

TEST_CASE("100 Continue is sent when the request was admitted and the body is awaited", "[A32]") {
  ToyServer server;
  const std::string expects = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ";
  SECTION("admitted") {
    Client client(server.port());
    client.send("POST /echo" + expects + "5\r\n\r\n");
    CHECK(client.read(true).status == 100);
    CHECK(client.ask("hello").body == "hello");
    client.send("POST /echo" + expects + "5\r\n\r\nhello");
    CHECK(client.read().body == "hello");
  }
  SECTION("too large") {
    Client client(server.port());
    CHECK(client.ask("POST /ten" + expects + "11\r\n\r\n").status == 413);
  }
  SECTION("refused") {
    Client client(server.port());
    const auto answer = client.ask("POST /refused" + expects + "5\r\n\r\n");
    CHECK(answer.status == 401);
    CHECK(answer.says_close());
  }
  SECTION("no body") {
    Client client(server.port());
    CHECK(client.ask(get("/bytes/1", "Expect: 100-continue\r\n")).status == 200);
  }
}

TEST_CASE("a refusal keeps the connection when the unread body is small", "[A32]") {
  ToyServer server;
  Client client(server.port());
  CHECK_FALSE(client.ask(post("/refused", "small")).says_close());
  CHECK_FALSE(client.ask(post("/refused", std::string(64 * 1024, 'x'))).says_close());
  CHECK(client.ask(post("/echo", "next")).body == "next");
  CHECK(client.ask(post("/refused", std::string(64 * 1024 + 1, 'x'))).says_close());
  Client unframed(server.port());
  CHECK(unframed.ask(chunked("/refused", "1\r\nx\r\n")).says_close());
}

TEST_CASE("what the application throws becomes 500 and the connection lives on") {
  ToyServer server;
  Client client(server.port());
  for (const auto* path : {"/throw/admit", "/throw/handle", "/throw/later"}) {
    const auto answer = client.ask(get(path));
    CHECK(answer.status == 500);
    CHECK(answer.body.find("internal_error") != std::string::npos);
  }
  CHECK(client.ask(post("/throw/admit", "body")).status == 500);
  CHECK(client.ask(get("/bytes/1")).body == "x");
  CHECK(server.server.stats().exceptions == 4);
}

TEST_CASE("header injection by the application's own values is not possible") {
  ToyServer server;
  Client client(server.port());
  const auto answer = client.ask(get("/injection"));
  CHECK(answer.status == 200);
  CHECK(answer.head.find("X-Injected") == std::string::npos);
  CHECK(server.server.stats().dropped_fields == 2);
}

TEST_CASE("large bodies and answers pass whole") {
  ToyServer server;
  Client client(server.port());
  std::mt19937 random(1);
  std::string body(1 << 20, '\0');
  for (auto& c : body) c = static_cast<char>(random());
  CHECK(client.ask(post("/echo", body)).body == body);
  CHECK(client.ask(get("/bytes/5000000")).body.size() == 5'000'000);
  CHECK(ToyServer::eventually([&] { return server.toy.finished().size() == 2; }));
  CHECK(server.toy.finished().back().bytes > 5'000'000);
}

TEST_CASE("an exchange is told when its client vanishes") {
  ToyServer server;
  {
    Client(server.port()).send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  }
  CHECK(server.toy.last_status() == 499);
  CHECK(ToyServer::eventually([&] { return server.server.stats().open == 0; }));
}

}  // namespace lumina::wire
