// Deadlines, caps and stopping, with deadlines shortened to what a test can wait for.
#include "wire/client.hpp"
#include "wire/toy.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

namespace lumina::wire {
namespace {

const std::string get = "GET /bytes/3 HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string gated = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE("a head that does not arrive in time is answered 408 and closed", "[A32]") {
  auto limits = quick_limits();
  limits.head_time = 60ms;
  ToyServer server(limits);
  SECTION("stalled") {
    Client client(server.port());
    client.send("GET / HTTP/1.1\r\nHos");
    CHECK(client.read().status == 408);
    CHECK(client.closed());
  }
  SECTION("dripping") {
    Client client(server.port());
    const std::string head = "GET /bytes/3 HTTP/1.1\r\nHost: " + std::string(400, 'a');
    std::size_t sent = 0;
    while (sent < head.size() && client.silent(2ms) && client.send(head.substr(sent, 1))) ++sent;
    CHECK(sent < head.size());
    CHECK(client.read().status == 408);
  }
  SECTION("on a connection that was served before") {
    Client client(server.port());
    client.ask(get);
    client.send("GET /");
    CHECK(client.read().status == 408);
  }
  SECTION("nothing sent at all: closed without an answer") {
    Client client(server.port());
    CHECK(client.read_all().empty());
  }
  CHECK(ToyServer::eventually([&] { return server.server.stats().open == 0; }));
}

TEST_CASE("a body that stalls or takes too long is answered 408 and closed", "[A32]") {
  auto limits = quick_limits();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
  SECTION("stalled") {
    limits.body_stall_time = 60ms;
    ToyServer server(limits);
    Client client(server.port());
    client.send(head + "abc");
    CHECK(client.read().status == 408);
    CHECK(client.closed());
    CHECK(server.toy.last_status() == 408);
    CHECK(server.server.stats().timeouts == 1);
  }
  SECTION("dripping") {
    limits.body_time = 100ms;
    ToyServer server(limits);
    Client client(server.port());
    client.send(head);
    int sent = 0;
    while (sent < 100'000 && client.silent(2ms) && client.send("x")) ++sent;
    CHECK(sent < 100'000);
    CHECK(client.read().status == 408);
  }
}

TEST_CASE("an idle connection is closed after its time, without an answer", "[A32]") {
  auto limits = quick_limits();
  limits.idle_time = 60ms;
  ToyServer server(limits);
  Client client(server.port());
  CHECK(client.ask(get).status == 200);
  CHECK(client.read_all().empty());
  CHECK(server.server.stats().timeouts == 0);
}

TEST_CASE("a client that does not read its answer is cut off", "[A32]") {
  auto limits = quick_limits();
  limits.write_time = 100ms;
  ToyServer server(limits);
  Client client(server.port());
  client.send("GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(server.toy.last_status() == 499);
  CHECK(server.server.stats().timeouts == 1);
}

TEST_CASE("a slow but steady reader gets its whole answer") {
  auto limits = quick_limits();
  limits.write_time = 500ms;
  ToyServer server(limits);
  Client client(server.port());
  client.send("GET /bytes/20000000 HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  CHECK(client.read().body.size() == 20'000'000);
}

TEST_CASE("a refused client that goes on sending is cut off", "[A32]") {
  auto limits = quick_limits();
  limits.linger_time = 100ms;
  ToyServer server(limits);
  Client client(server.port());
  client.send("BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read().status == 501);
  CHECK(ToyServer::eventually([&] { return !client.send("x"); }));
}

TEST_CASE("one address has a bounded number of connections", "[A32]") {
  auto limits = quick_limits();
  limits.connections_per_address = 3;
  limits.linger_stall_time = 50ms;
  ToyServer server(limits);
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(server.port());
    CHECK(clients.back().ask(get).status == 200);
  }
  Client one_more(server.port());
  const auto refused = one_more.read();
  CHECK(refused.status == 503);
  CHECK(refused.field("Retry-After") == "1");
  CHECK(one_more.closed());
  Client elsewhere(server.port(), "127.0.0.2");
  CHECK(elsewhere.ask(get).status == 200);
  clients.pop_back();
  CHECK(ToyServer::eventually([&] { return Client(server.port()).ask(get).status == 200; }));
}

TEST_CASE("at the cap of the server idle connections are let go first", "[A32]") {
  auto limits = quick_limits();
  limits.connections = 4;
  ToyServer server(limits);
  SECTION("idle ones make room") {
    std::vector<Client> idle;
    for (int i = 0; i < 4; ++i) {
      idle.emplace_back(server.port());
      CHECK(idle.back().ask(get).status == 200);
    }
    for (int i = 0; i < 2; ++i) CHECK(Client(server.port()).ask(get).status == 200);
  }
  SECTION("busy ones do not") {
    std::vector<Client> busy;
    for (int i = 0; i < 4; ++i) {
      busy.emplace_back(server.port());
      busy.back().send(gated);
    }
    CHECK(ToyServer::eventually([&] { return server.toy.waiting == 4; }));
    CHECK(Client(server.port()).read().status == 503);
    server.toy.gate_open = true;
    for (auto& client : busy) CHECK(client.read().status == 200);
  }
}

TEST_CASE("a flood of connections leaves no descriptor and no count behind") {
  ToyServer server;
  for (int round = 0; round < 5; ++round) {
    std::vector<Client> flood;
    for (int i = 0; i < 200; ++i) flood.emplace_back(server.port(), "127.0.0.9");
    CHECK(Client(server.port()).ask(get).status == 200);
  }
  CHECK(ToyServer::eventually([&] { return server.server.stats().open == 0; }));
}

TEST_CASE("stopping finishes 32 requests in flight and accepts no more", "[A35]") {
  ToyServer server;
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back(server.port());
    clients.back().send(gated);
  }
  CHECK(ToyServer::eventually([&] { return server.toy.waiting == 32; }));
  Client idle(server.port());
  idle.ask(get);
  Client half(server.port());
  half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");

  bool stopped = false;
  std::thread stopping([&] { stopped = server.server.stop(10s); });
  CHECK(ToyServer::eventually([&] { return server.server.draining(); }));
  CHECK(idle.closed());
  CHECK(ToyServer::eventually([&] { return !Client(server.port()).connected(); }));
  half.send("llo");
  const auto last = half.read();
  CHECK(last.body == "hello");
  CHECK(last.says_close());
  server.toy.gate_open = true;
  for (auto& client : clients) {
    const auto answer = client.read();
    CHECK(answer.status == 200);
    CHECK(answer.body.size() == 5000);
    CHECK(answer.says_close());
    CHECK(client.closed());
  }
  stopping.join();
  CHECK(stopped);
  CHECK(server.server.stats().open == 0);
}

TEST_CASE("after the grace time what is left is cut, coroutines included") {
  ToyServer server;
  Client waiting(server.port());
  waiting.send(gated);
  Client sending(server.port());
  sending.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  CHECK(
      ToyServer::eventually([&] { return server.toy.waiting == 1 && server.server.stats().requests == 2; }));
  CHECK(server.server.stop(20ms));
  CHECK(waiting.closed());
  CHECK(sending.closed());
  CHECK(server.server.stats().open == 0);
}

TEST_CASE("a server ends with connections open and in every state") {
  std::optional<ToyServer> server(std::in_place);
  std::vector<Client> clients;
  for (int i = 0; i < 30; ++i) {
    clients.emplace_back(server->port());
    if (i % 3 == 0) clients.back().ask(get);
    if (i % 3 == 1) clients.back().send(gated);
    if (i % 3 == 2) clients.back().send("GET / HT");
  }
  CHECK(ToyServer::eventually([&] { return server->server.stats().open == 30; }));
  server.reset();
  for (auto& client : clients) CHECK(client.closed());
}

TEST_CASE("a port that is taken is named", "[A35]") {
  ToyServer first;
  http::ServerOptions options;
  options.listen = {{"127.0.0.1", first.port()}};
  http::Server second(first.io, options, first.toy);
  CHECK_THROWS_WITH(second.start(), Catch::Contains("127.0.0.1:" + std::to_string(first.port())) &&
                                        Catch::Contains("in use"));
}

TEST_CASE("a server listens on several addresses, IPv6 among them") {
  Toy toy;
  http::IoThreads io(1);
  http::ServerOptions options;
  options.listen = {{"127.0.0.1", 0}, {"::1", 0}};
  http::Server server(io, options, toy);
  server.start();
  io.start();
  REQUIRE(server.ports().size() == 2);
  CHECK(Client(server.ports()[0]).ask(get).status == 200);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(server.ports()[1]);
  to.sin6_addr = in6addr_loopback;
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  CHECK(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  ::close(fd);
}

}  // namespace lumina::wire
