// Our own requests to other servers, against a real one on this machine.
#include "core/http/address_rules.hpp"
#include "core/http/client.hpp"
#include "core/runtime/block_on.hpp"
#include "wire/certificate.hpp"
#include "wire/toy.hpp"

#include <catch2/catch.hpp>

namespace lumina::wire {
namespace {

std::string url(const ToyServer& server, const std::string& path, const std::string& scheme = "http") {
  return scheme + "://localhost:" + std::to_string(server.port()) + path;
}

Result<http::Incoming> send(http::ClientOptions options, http::Outgoing request) {
  const http::Client client(std::move(options));
  return runtime::block_on(client.send(std::move(request)));
}
std::string code(const Result<http::Incoming>& answer) { return answer ? "" : answer.error().code; }

TEST_CASE("a request of ours arrives and its answer comes back") {
  ToyServer server;
  const auto echo = send({}, {.url = url(server, "/echo"), .body = "hello"});
  REQUIRE(echo);
  CHECK(echo->status == 200);
  CHECK(echo->body == "hello");
  CHECK(echo->header("content-type") == "text/plain");
  const auto target = send({}, {.method = http::Method::get, .url = url(server, "/target?a=1&b=%20")});
  REQUIRE(target);
  CHECK(target->body == "/target?a=1&b=%20 localhost:" + std::to_string(server.port()));
  CHECK(send({}, {.method = http::Method::get, .url = url(server, "/refused")})->status == 401);
  CHECK(send({}, {.method = http::Method::head, .url = url(server, "/bytes/100")})->body.empty());
}

TEST_CASE("an answer may not be larger or later than allowed") {
  ToyServer server;
  CHECK(code(send({.most_bytes = 999}, {.method = http::Method::get, .url = url(server, "/bytes/1000")})) ==
        "answer_too_large");
  CHECK(send({.most_bytes = 1000}, {.method = http::Method::get, .url = url(server, "/bytes/1000")})
            ->body.size() == 1000);
  CHECK(code(send({.deadline = 50ms}, {.method = http::Method::get, .url = url(server, "/gate")})) ==
        "timeout");
  server.toy.gate_open = true;
  CHECK(code(send({}, {.url = "http://localhost:1/"})) == "unreachable");
}

TEST_CASE("a listener hears an answer piece by piece and may end it") {
  ToyServer server;
  std::size_t heard = 0;
  http::Outgoing all{.method = http::Method::get, .url = url(server, "/bytes/100000")};
  all.listener = [&](std::string_view piece) { return heard += piece.size(), true; };
  const auto whole = send({}, std::move(all));
  REQUIRE(whole);
  CHECK(whole->body.empty());
  CHECK(heard == 100'000);
  http::Outgoing some{.method = http::Method::get, .url = url(server, "/bytes/100000")};
  some.listener = [](std::string_view) { return false; };
  CHECK(code(send({}, std::move(some))) == "stopped");
}

TEST_CASE("a server is believed only with a certificate for its name") {
  const Certificate certificate;
  certificate.renew(1);
  ToyServer server(quick_limits(), certificate.options());
  CHECK(code(send({}, {.url = url(server, "/echo", "https"), .body = "x"})) == "tls_failed");
  const http::ClientOptions trusting{.ca_file = certificate.options().certificate_file};
  const auto answer = send(trusting, {.url = url(server, "/echo", "https"), .body = "x"});
  REQUIRE(answer);
  CHECK(answer->body == "x");
  const auto by_number = "https://127.0.0.1:" + std::to_string(server.port()) + "/echo";
  CHECK(code(send(trusting, {.url = by_number})) == "tls_failed");
}

TEST_CASE("an address that is not public is not connected to, however it is written", "[I7]") {
  ToyServer server;
  const auto port = ":" + std::to_string(server.port()) + "/echo";
  const http::ClientOptions careful{.allowed = http::is_public_address};
  for (const std::string host : {"127.0.0.1",
                                 "localhost",
                                 "2130706433",
                                 "0x7f000001",
                                 "0x7f.0.0.1",
                                 "0177.0.0.1",
                                 "127.1",
                                 "127.0.1",
                                 "0",
                                 "0.0.0.0",
                                 "[::1]",
                                 "[::]",
                                 "[::ffff:127.0.0.1]",
                                 "[::ffff:7f00:1]",
                                 "[0:0:0:0:0:ffff:127.0.0.1]",
                                 "[64:ff9b::7f00:1]",
                                 "[2002:7f00:1::]",
                                 "[fe80::1]",
                                 "[fc00::1]",
                                 "[fd12:3456::1]",
                                 "10.0.0.1",
                                 "172.16.0.1",
                                 "192.168.1.1",
                                 "100.64.0.1",
                                 "169.254.169.254",
                                 "0xa9fea9fe",
                                 "2852039166",
                                 "[::ffff:a9fe:a9fe]",
                                 "[fd00:ec2::254]",
                                 "198.18.0.1",
                                 "224.0.0.1",
                                 "255.255.255.255",
                                 "[ff02::1]",
                                 "192.0.2.1"}) {
    CAPTURE(host);
    const auto answer = code(send(careful, {.url = "http://" + host + port}));
    // Some spellings are no host of a URL, or this machine cannot resolve them: also no connection.
    CHECK((answer == "address_refused" || answer == "bad_url" || answer == "unreachable"));
    if (host.front() != '[') CHECK(answer == "address_refused");
  }
  CHECK(server.toy.finished().empty());
}

TEST_CASE("what is public and what is not", "[I7]") {
  for (const auto* open :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.3.1",
        "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(open);
    CHECK(http::is_public_address(open));
  }
  for (const auto* closed : {"",
                             "x",
                             "127.255.255.255",
                             "10.255.255.255",
                             "169.254.0.1",
                             "::",
                             "::1",
                             "::127.0.0.1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "fc00::",
                             "fdff::1",
                             "ff00::1",
                             "2001:db8::1",
                             "2001:0:7f00:1::",
                             "64:ff9b::a00:1",
                             "64:ff9b:1::1",
                             "2002:a9fe:a9fe::",
                             "100::1",
                             "168.63.129.16",
                             "240.0.0.1",
                             "2606:4700::5efe:127.0.0.1"}) {
    CAPTURE(closed);
    CHECK(!http::is_public_address(closed));
  }
}

TEST_CASE("only plain http and https URLs are sent to") {
  for (const auto* bad :
       {"", "x", "ftp://a/", "file:///etc/passwd", "gopher://a/", "http://", "http:///x", "//a/b", "/a",
        "http://u:p@a/", "http://a:99999/", "http://a b/", "http://a\r\nX: 1/", "javascript:alert(1)"}) {
    CAPTURE(bad);
    CHECK(!http::parse_url(bad));
  }
  const auto parts = http::parse_url("https://example.org:8443/a/b?c=d");
  REQUIRE(parts);
  CHECK(parts->tls);
  CHECK(parts->host == "example.org");
  CHECK(parts->port == "8443");
  CHECK(parts->target == "/a/b?c=d");
  CHECK(parts->authority == "example.org:8443");
  CHECK(http::parse_url("http://[::1]/")->host == "::1");
  CHECK(http::parse_url("http://example.org")->port == "80");
}

}  // namespace
}  // namespace lumina::wire
