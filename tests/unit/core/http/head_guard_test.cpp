#include "core/http/head_guard.hpp"

#include "core/http/request_parser.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

namespace lumina::http {
namespace {

using namespace std::string_literals;

// "\n" in the table stands for CR LF; what must be sent otherwise is spelled with octets: \1 is a bare LF, \2
// a bare CR.
std::string octets(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\r\n";
    else if (c == '\1')
      out += '\n';
    else if (c == '\2')
      out += '\r';
    else
      out += c;
  }
  return out;
}

// The status with which a whole head is refused, 0 when it is accepted, -1 when it is not complete.
int verdict(std::string_view input, const HeadLimits& limits = {}) {
  HeadScanner scanner;
  switch (scanner.scan(input, limits)) {
    case HeadScanner::State::need_more:
      return -1;
    case HeadScanner::State::refused:
      return scanner.refusal().status;
    case HeadScanner::State::complete:
      break;
  }
  const auto head = input.substr(scanner.skipped(), scanner.length());
  const auto guarded = guard_head(head, limits);
  if (!guarded) return guarded.error().status;
  Head parsed;
  return parse_head(head, *guarded, parsed) ? 0 : 1000;
}

struct Row {
  std::string text;
  int status;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(verdict(octets(row.text)) == row.status);
  }
}

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\nHost: a\n\n"; }
std::string post(std::string_view fields) {
  return "POST / HTTP/1.1\nHost: a\n" + std::string(fields) + "\n\n";
}
std::string hosted(std::string_view host) { return "GET / HTTP/1.1\nHost:" + std::string(host) + "\n\n"; }
std::string field(std::string_view line) { return "GET / HTTP/1.1\nHost: a\n" + std::string(line) + "\n\n"; }

}  // namespace

TEST_CASE("request lines with one meaning are accepted, all others refused with the status that fits",
          "[A32][A50]") {
  check({
      {get("/"), 0},
      {"HEAD / HTTP/1.1\nHost: a\n\n", 0},
      {"PUT /a HTTP/1.1\nHost: a\n\n", 0},
      {"PATCH /a HTTP/1.1\nHost: a\n\n", 0},
      {"DELETE /a HTTP/1.1\nHost: a\n\n", 0},
      {"OPTIONS /a HTTP/1.1\nHost: a\n\n", 0},
      {"OPTIONS * HTTP/1.1\nHost: a\n\n", 0},
      {"GET / HTTP/1.0\n\n", 0},
      {"\nGET / HTTP/1.1\nHost: a\n\n", 0},
      {"\n\n\n\nGET / HTTP/1.1\nHost: a\n\n", 0},

      {"\n\n\n\n\nGET / HTTP/1.1\nHost: a\n\n", 400},
      {"\1GET / HTTP/1.1\nHost: a\n\n", 400},
      {"\2GET / HTTP/1.1\nHost: a\n\n", 400},
      {" GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / \n\n", 400},
      {"GET /\n\n", 400},
      {"GET\n\n", 400},
      {"GET  / HTTP/1.1\nHost: a\n\n", 400},
      {"GET /  HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1 \nHost: a\n\n", 400},
      {"GET\t/ HTTP/1.1\nHost: a\n\n", 400},
      {"GET /\tHTTP/1.1\nHost: a\n\n", 400},
      {"GET /a b HTTP/1.1\nHost: a\n\n", 400},
      {"Extra lineGET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1 HTTP/1.1\nHost: a\n\n", 400},
      {"GET / http/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1\nHost: a\n\n", 400},
      {"GET / HTTP/1.\nHost: a\n\n", 400},
      {"GET / HTTP/1.10\nHost: a\n\n", 400},
      {"GET / HTTP/01.1\nHost: a\n\n", 400},
      {"GET / HTTP/1,1\nHost: a\n\n", 400},
      {"GET / HTTP/+1.1\nHost: a\n\n", 400},
      {"GET / HTTPS/1.1\nHost: a\n\n", 400},
      {"GET / ICE/1.0\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\2\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\1Host: a\n\n", 400},
      {"GET / HTTP/1.1\nHost: a\1\1", 400},
      {"GET / HTTP/1.1\nHost: a\1\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\1", 400},
      {"GET / HTTP/0.9\nHost: a\n\n", 505},
      {"GET / HTTP/1.2\nHost: a\n\n", 505},
      {"GET / HTTP/2.0\nHost: a\n\n", 505},
      {"GET / HTTP/9.9\nHost: a\n\n", 505},
      {"PRI * HTTP/2.0\n\n", 505},
      {"G@T / HTTP/1.1\nHost: a\n\n", 400},
      {"GET\x80 / HTTP/1.1\nHost: a\n\n", 400},
      {"get / HTTP/1.1\nHost: a\n\n", 501},
      {"Get / HTTP/1.1\nHost: a\n\n", 501},
      {"GETX / HTTP/1.1\nHost: a\n\n", 501},
      {"TRACE / HTTP/1.1\nHost: a\n\n", 501},
      {"CONNECT a:443 HTTP/1.1\nHost: a\n\n", 501},
      {"PROPFIND / HTTP/1.1\nHost: a\n\n", 501},
      {std::string(40, 'A') + " / HTTP/1.1\nHost: a\n\n", 501},
      {"GET / HTTP/1.1\n\2Some: x\nHost: a\n\n", 400},
  });
  CHECK(verdict("\x16\x03\x01\x02") == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"s) == 400);
  CHECK(verdict("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s) == 400);
}

TEST_CASE("a target is origin form, absolute form, or * for OPTIONS, in the characters of RFC 3986") {
  check({
      {get("/a/b;c=1/d,e?x=1&y=2&z=%C3%A9"), 0},
      {get("/a:b@c!$&'()*+,-._~"), 0},
      {get("/?"), 0},
      {get("/?a=?/:@"), 0},
      {get("//double"), 0},
      {get("/%00"), 0},
      {get("/../../etc/passwd"), 0},
      {get("http://a/x?y"), 0},
      {get("HTTP://a/x"), 0},
      {get("https://a:8443/x"), 0},
      {get("http://a"), 0},
      {get("http://a?x=1"), 0},
      {get("http://[::1]:80/"), 0},

      {get("*"), 400},
      {get("a"), 400},
      {get("?x"), 400},
      {get("a:443"), 400},
      {get("ftp://a/x"), 400},
      {get("http:///x"), 400},
      {get("http://"), 400},
      {get("http:/a"), 400},
      {get("http://user@a/"), 400},
      {get("http://a b/"), 400},
      {get("http://a:99999/"), 400},
      {get("http://a:x/"), 400},
      {get("http://a#f"), 400},
      {get("/#fragment"), 400},
      {get("/a#"), 400},
      {get("/%"), 400},
      {get("/%4"), 400},
      {get("/%zz"), 400},
      {get("/?q=%G0"), 400},
      {get("/\xc3\xa9"), 400},
      {get("/a\\b"), 400},
      {get("/a\"b"), 400},
      {get("/<script>"), 400},
      {get("/a^b"), 400},
      {get("/a`b"), 400},
      {get("/{id}"), 400},
      {get("/a|b"), 400},
      {get("/?a[0]=1"), 400},
      {get("/a\x7f"), 400},
      {get("/a\x01x"), 400},
      {get("/a\2b"), 400},
      {"OPTIONS ** HTTP/1.1\nHost: a\n\n", 400},
  });
}

TEST_CASE("a request has exactly one valid Host, but for HTTP/1.0 which may leave it out") {
  check({
      {hosted(" example.org"), 0},
      {hosted("example.org"), 0},
      {hosted("\texample.org\t "), 0},
      {hosted(" EXAMPLE.org:8000"), 0},
      {hosted(" example.org:"), 0},
      {hosted(" 127.0.0.1:65535"), 0},
      {hosted(" a_b~c-d"), 0},
      {hosted(" [::1]"), 0},
      {hosted(" [2001:db8::1]:8000"), 0},
      {"GET / HTTP/1.1\nhOST: a\n\n", 0},
      {"GET / HTTP/1.0\nHost: a\n\n", 0},
      {"GET http://b/ HTTP/1.1\nHost: a\n\n", 0},

      {"GET / HTTP/1.1\n\n", 400},
      {"GET / HTTP/1.1\nAccept: */*\n\n", 400},
      {"GET http://b/ HTTP/1.1\n\n", 400},
      {hosted(""), 400},
      {hosted(" "), 400},
      {"GET / HTTP/1.0\nHost: \n\n", 400},
      {"GET / HTTP/1.0\nHost: a\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\nHost: a\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\nHost: a\nX: y\nhost: b\n\n", 400},
      {hosted(" a, b"), 400},
      {hosted(" a,b"), 400},
      {hosted(" a b"), 400},
      {hosted(" a/b"), 400},
      {hosted(" a@b"), 400},
      {hosted(" user:pw@b"), 400},
      {hosted(" http://a"), 400},
      {hosted(" a?b"), 400},
      {hosted(" a#b"), 400},
      {hosted(" a%41"), 400},
      {hosted(" a\\b"), 400},
      {hosted(" \"a\""), 400},
      {hosted(" <a>"), 400},
      {hosted(" \xc3\xa9.org"), 400},
      {hosted(" :80"), 400},
      {hosted(" a:b"), 400},
      {hosted(" a:-1"), 400},
      {hosted(" a:+1"), 400},
      {hosted(" a:65536"), 400},
      {hosted(" a:99999999999999999999"), 400},
      {hosted(" a:80:80"), 400},
      {hosted(" ::1"), 400},
      {hosted(" [::1"), 400},
      {hosted(" ::1]"), 400},
      {hosted(" []"), 400},
      {hosted(" [::g]"), 400},
      {hosted(" [::1]x"), 400},
      {hosted(" [::1]:x"), 400},
      {hosted(" [fe80::1%25eth0]"), 400},
      {hosted(" [v1.a]"), 400},
      {hosted(" [127.0.0.1]"), 400},
      {hosted(" " + std::string(256, 'a')), 400},
  });
}

TEST_CASE("a body has exactly one framing", "[A32]") {
  check({
      {post("Content-Length: 0"), 0},
      {post("Content-Length: 5"), 0},
      {post("Content-Length:\t5 "), 0},
      {post("content-LENGTH: 0005"), 0},
      {post("Content-Length: 18446744073709551615"), 0},
      {post("Transfer-Encoding: chunked"), 0},
      {post("transfer-encoding:CHUNKED"), 0},
      {post("Transfer-Encoding: \tchunked\t "), 0},
      {post("Content_Length: x"), 0},
      {"POST / HTTP/1.0\nContent-Length: 5\n\n", 0},

      {post("Content-Length:"), 400},
      {post("Content-Length: "), 400},
      {post("Content-Length: -1"), 400},
      {post("Content-Length: +5"), 400},
      {post("Content-Length: 5.0"), 400},
      {post("Content-Length: 0x5"), 400},
      {post("Content-Length: 5e0"), 400},
      {post("Content-Length: abc"), 400},
      {post("Content-Length: 5 5"), 400},
      {post("Content-Length: 5,5"), 400},
      {post("Content-Length: 5, 6"), 400},
      {post("Content-Length: \"5\""), 400},
      {post("Content-Length: 5;"), 400},
      {post("Content-Length: 18446744073709551616"), 400},
      {post("Content-Length: 99999999999999999999999999"), 400},
      {post("Content-Length: -123456789123456789123456789"), 400},
      {post("Content-Length: 5\nContent-Length: 5"), 400},
      {post("Content-Length: 5\ncontent-length: 6"), 400},
      {post("Content-Length: \xd9\xa5"), 400},
      {post("Transfer-Encoding: chunked\nContent-Length: 5"), 400},
      {post("Content-Length: 5\nTransfer-Encoding: chunked"), 400},
      {post("Content-Length: 0\nTransfer-Encoding: chunked"), 400},
      {post("Transfer-Encoding: chunked\nTransfer-Encoding: chunked"), 400},
      {post("Transfer-Encoding: chunked\nTransfer-Encoding: identity"), 400},
      {post("Transfer-Encoding:"), 400},
      {post("Transfer-Encoding: "), 400},
      {post("Transfer-Encoding: ,chunked"), 400},
      {post("Transfer-Encoding: chunked,"), 400},
      {post("Transfer-Encoding: chunked, chunked"), 400},
      {post("Transfer-Encoding: chunked, gzip"), 400},
      {post("Transfer-Encoding: chunked, identity"), 400},
      {post("Transfer-Encoding: \"chunked\""), 400},
      {post("Transfer-Encoding: 'chunked'"), 400},
      {post("Transfer-Encoding: chunked;q=1"), 400},
      {post("Transfer-Encoding: xchunked"), 400},
      {post("Transfer-Encoding: chunkedx"), 400},
      {post("Transfer-Encoding: chunke"), 400},
      {post("Transfer-Encoding: identity"), 400},
      {post("Transfer-Encoding: gzip"), 400},
      {post("Transfer-Encoding: \x0b"
            "chunked"),
       400},
      {post("Transfer-Encoding: \xc2\xa0"
            "chunked"),
       400},
      {post("Transfer-Encoding: gzip, chunked"), 501},
      {post("Transfer-Encoding: identity, chunked"), 501},
      {post("Transfer-Encoding : chunked"), 400},
      {post("Transfer-Encoding\t: chunked"), 400},
      {post(" Transfer-Encoding: chunked"), 400},
      {post("X: y\n Transfer-Encoding: chunked"), 400},
      {post("Transfer-Encoding:\n chunked"), 400},
      {post("Content-Length:\n\t5"), 400},
      {"POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n", 400},
      {"POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 5\n\n", 400},
  });
}

TEST_CASE("fields are a token, a colon and visible text") {
  check({
      {field("X: y"), 0},
      {field("X:y"), 0},
      {field("X:"), 0},
      {field("X: \t "), 0},
      {field("X: a\tb c"), 0},
      {field("X: caf\xc3\xa9 \xff"), 0},
      {field("!#$%&'*+-.^_`|~09azAZ: y"), 0},
      {field("X: a: b: c"), 0},
      {field("Connection: keep-alive, Upgrade\nUpgrade: h2c"), 0},
      {field("Connection:"), 0},
      {field("Connection: , close,"), 0},
      {field("Expect: 100-continue"), 0},
      {field("Expect: 100-Continue"), 0},

      {field("X y: z"), 400},
      {field("X : z"), 400},
      {field(": z"), 400},
      {field("X"), 400},
      {field("X-Invalid[]: test"), 400},
      {field("X(: z"), 400},
      {field("X\"Y: z"), 400},
      {field("X\xc3\xa9: z"), 400},
      {field("X/Y: z"), 400},
      {field("X: a\x07"
             "b"),
       400},
      {field("X: a\x7f"), 400},
      {field("X: a\x0b"
             "b"),
       400},
      {field("X: a\x0c"
             "b"),
       400},
      {field("X: a\x1b[31m"), 400},
      {field("X: a\2b"), 400},
      {field("X: a\2"), 400},
      {field("X: a\1Y: b"), 400},
      {field("X: a\2\2"), 400},
      {field("X: a\n b"), 400},
      {field("X: a\n\tb"), 400},
      {field("X: a\n : b"), 400},
      {"GET / HTTP/1.1\n Host: a\n\n", 400},
      {"GET / HTTP/1.1\n\tX: y\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\n :\nHost: a\n\n", 400},
      {field("Connection: a/b"), 400},
      {field("Connection: close; x"), 400},
      {field("Expect: 200-ok"), 417},
      {field("Expect: 100-continue, x"), 417},
  });
}

TEST_CASE("budgets: 414 for the target, 431 for fields and the whole head", "[A32]") {
  const auto with_fields = [](std::size_t count) {
    std::string text = "GET / HTTP/1.1\nHost: a\n";
    for (std::size_t i = 1; i < count; ++i) text += "X: y\n";
    return octets(text + "\n");
  };
  CHECK(verdict(with_fields(100)) == 0);
  CHECK(verdict(with_fields(101)) == 431);

  const auto with_target = [](std::size_t size) { return octets(get("/" + std::string(size - 1, 'a'))); };
  CHECK(verdict(with_target(8000)) == 0);
  CHECK(verdict(with_target(8192)) == 0);
  CHECK(verdict(with_target(8193)) == 414);
  CHECK(verdict(with_target(100'000)) == 414);

  const auto with_size = [](std::size_t size) {
    const std::string before = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return before + std::string(size - before.size() - 4, 'y') + "\r\n\r\n";
  };
  CHECK(verdict(with_size(16 * 1024)) == 0);
  CHECK(verdict(with_size(16 * 1024 + 1)) == 431);
  CHECK(verdict(with_size(1 << 20)) == 431);
  // What comes after a complete head does not count.
  CHECK(verdict(octets(get("/")) + std::string(100'000, 'x')) == 0);
}

TEST_CASE("what can no longer become a head is refused before its end arrives") {
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n") == -1);
  CHECK(verdict("GET / HTTP/1.1\r") == -1);
  CHECK(verdict("\r") == -1);
  CHECK(verdict("\r\n") == -1);
  CHECK(verdict("") == -1);
  CHECK(verdict("GET /\r\n") == 400);
  CHECK(verdict("BREW / HTTP/1.1\r\n") == 501);
  CHECK(verdict("GET / HTTP/3.0\r\n") == 505);
  CHECK(verdict("GET / HTTP/1.1\n") == 400);
  CHECK(verdict("GET /" + std::string(9000, 'a')) == 414);
  CHECK(verdict(std::string(9000, 'A')) == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'a')) == 431);
}

TEST_CASE("the guard reports what the connection needs to know", "[A50]") {
  std::string kept;
  const auto guarded = [&kept](std::string_view text) {
    kept = octets(text);
    const auto result = guard_head(kept, {});
    REQUIRE(result);
    return *result;
  };
  SECTION("connections stay open in HTTP/1.1 and end in HTTP/1.0 unless told otherwise") {
    CHECK(guarded("GET / HTTP/1.1\nHost: a\n\n").keep_alive);
    CHECK_FALSE(guarded("GET / HTTP/1.1\nHost: a\nConnection: close\n\n").keep_alive);
    CHECK_FALSE(guarded("GET / HTTP/1.1\nHost: a\nConnection: x, CLOSE\n\n").keep_alive);
    CHECK_FALSE(guarded("GET / HTTP/1.1\nHost: a\nConnection: keep-alive\nConnection: close\n\n").keep_alive);
    CHECK(guarded("GET / HTTP/1.1\nHost: a\nConnection: closed\n\n").keep_alive);
    CHECK_FALSE(guarded("GET / HTTP/1.0\n\n").keep_alive);
    CHECK(guarded("GET / HTTP/1.0\nConnection: Keep-Alive\n\n").keep_alive);
  }
  SECTION("framing") {
    CHECK(guarded(post("Content-Length: 17")).content_length == 17u);
    CHECK_FALSE(guarded(post("Content-Length: 17")).chunked);
    CHECK(guarded(post("Transfer-Encoding: chunked")).chunked);
    CHECK_FALSE(guarded(post("X: y")).content_length);
  }
  SECTION("an HTTP/1.0 client does not know 100 Continue") {
    CHECK(guarded(field("Expect: 100-continue")).expectation == Expectation::continue_);
    CHECK(guarded("POST / HTTP/1.0\nExpect: 100-continue\n\n").expectation == Expectation::none);
  }
  SECTION("the authority of an absolute form wins over Host") {
    const std::string text = octets("GET http://real.org:81?x=1 HTTP/1.1\nHost: other\n\n");
    const auto head = guard_head(text, {});
    REQUIRE(head);
    Head parsed;
    REQUIRE(parse_head(text, *head, parsed));
    CHECK(parsed.target == "/?x=1");
    CHECK(parsed.header("host") == "real.org:81");
  }
}

TEST_CASE("a head gets the same verdict however it is cut into pieces") {
  std::mt19937 random(7);
  const std::vector<std::string> heads = {
      octets(get("/a?b=c")),
      octets("\n\n" + post("Content-Length: 5")),
      octets(post("Transfer-Encoding: gzip, chunked")),
      octets(field("X: a\n b")),
      octets("GET / HTTP/1.1\nHost: a\1\1"),
      octets("PRI * HTTP/2.0\n\n"),
      octets(get("/" + std::string(9000, 'a'))),
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'a') + "\r\n\r\n",
  };
  for (const auto& head : heads) {
    const int expected = verdict(head);
    for (int round = 0; round < 50; ++round) {
      HeadScanner scanner;
      auto state = HeadScanner::State::need_more;
      std::size_t seen = 0;
      while (state == HeadScanner::State::need_more && seen < head.size()) {
        seen = std::min(head.size(), seen + 1 + random() % (round % 2 ? 3 : 2000));
        state = scanner.scan(std::string_view(head).substr(0, seen), {});
      }
      int actual = scanner.refusal().status;
      if (state == HeadScanner::State::complete) {
        const auto guarded =
            guard_head(std::string_view(head).substr(scanner.skipped(), scanner.length()), {});
        actual = guarded ? 0 : guarded.error().status;
      }
      INFO(head.substr(0, 60));
      REQUIRE(actual == expected);
    }
  }
}

TEST_CASE("random damage to a head never crashes the guard, and what it accepts Beast reads alike") {
  std::mt19937 random(11);
  const std::string seed = octets(
      "POST /api/v1/books?x=%20 HTTP/1.1\nHost: a.org:80\nContent-Length: 12\nConnection: keep-alive\nX-A: b "
      "c\n\n");
  const std::string alphabet = " \t\r\n\0:;,/?%#@[]{}\"\\azAZ09\x7f\x80\xff-_"s;
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = seed;
    for (unsigned damage = 1 + random() % 3; damage > 0; --damage) {
      const auto at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), c);
          break;
        default:
          text.erase(at, 1);
          break;
      }
    }
    const int status = verdict(text);
    if (status == 1000) FAIL("guard and parser disagree on: " << text);
    accepted += status == 0;
  }
  CHECK(accepted > 1000);
}

}  // namespace lumina::http
