#include "core/auth/email.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

namespace lumina::auth {
namespace {

TEST_CASE("ordinary addresses, and those beyond ASCII, are e-mail addresses", "[A1]") {
  for (const char* good :
       {"a@b.c", "rosa@example.org", "Rosa.Reader+books@sub.example.co.uk", "o'neil@example.org",
        "x_y-z@exa-mple.org", "1234567890@example.org", "admin@localhost", "用户@例子.公司",
        "müller@bücher.example", "a@xn--bcher-kva.example"}) {
    CAPTURE(good);
    CHECK(is_email(good));
  }
  CHECK(is_email(std::string(64, 'a') + "@example.org"));
}

TEST_CASE("what mail could not reach, or what hides what it is, is no address", "[A1]") {
  for (const char* bad : {"",
                          "a",
                          "@",
                          "a@",
                          "@b.c",
                          "a@b",
                          "a b@c.de",
                          "a@b c.de",
                          " a@b.de",
                          "a@b.de ",
                          "a@@b.de",
                          "a@b@c.de",
                          "a@.de",
                          "a@b..de",
                          "a@b.de.",
                          ".a@b.de",
                          "a.@b.de",
                          "a..b@c.de",
                          "a@-b.de",
                          "a@b-.de",
                          "a@b_c.de",
                          "a@[127.0.0.1]",
                          "a@127.0.0.1",
                          "\"a b\"@c.de",
                          "a@b.de\n",
                          "a\r\nBcc: x@y.z@b.de",
                          "a,b@c.de",
                          "a;b@c.de",
                          "<a@b.de>",
                          "a@b.de\xC2\xA0",
                          "a\xE2\x80\x8B@b.de",
                          "a\xE2\x80\xAE@b.de",
                          "a\xC2\xAD@b.de",
                          "\xEF\xBB\xBF"
                          "a@b.de",
                          "a@b.de\xff",
                          "\xc3\x28@b.de",
                          "a@b.\xE3\x80\x80"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_email(bad));
  }
  CHECK_FALSE(is_email(std::string("a\0b@c.de", 8)));
  CHECK_FALSE(is_email(std::string(65, 'a') + "@example.org"));
  CHECK_FALSE(is_email("a@" + std::string(64, 'b') + ".org"));
  std::string long_domain;
  for (int i = 0; i < 130; ++i) long_domain += "b.";
  CHECK_FALSE(is_email("a@" + long_domain + "org"));
}

TEST_CASE("any bytes can be asked about", "[A1]") {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(0, 255), length(0, 300), choice(0, 3);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (int n = length(random); n > 0; --n)
      text += choice(random) == 0 ? static_cast<char>(byte(random))
                                  : "ab.@-"[static_cast<std::size_t>(byte(random) % 5)];
    if (!is_email(text)) continue;
    CHECK(text.size() <= 255);
    CHECK(text.find_first_of(std::string_view("\0\r\n \"<>,;", 9)) == std::string::npos);
    CHECK(text.find('@') == text.rfind('@'));
  }
}

TEST_CASE("the case of ASCII letters does not make another account", "[A1]") {
  CHECK(email_key("Rosa@Example.ORG") == "rosa@example.org");
  CHECK(email_key("MÜLLER@example.org") == "mÜller@example.org");
  CHECK(email_key(email_key("A@B.C")) == email_key("A@B.C"));
}

}  // namespace
}  // namespace lumina::auth
