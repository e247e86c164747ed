#include "core/base/text.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace lumina;
using namespace std::string_literals;

namespace {

std::string random_bytes(std::mt19937& random, std::size_t longest) {
  std::string bytes(std::uniform_int_distribution<std::size_t>(0, longest)(random), '\0');
  for (char& c : bytes) c = static_cast<char>(std::uniform_int_distribution<int>(0, 255)(random));
  return bytes;
}

std::string utf8(char32_t c) {
  const auto byte = [](char32_t v) { return static_cast<char>(v); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 63))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
          byte(0x80 | (c & 63))};
}

}  // namespace

TEST_CASE("every code point but the surrogates is well-formed UTF-8 of length one") {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string text = utf8(c);
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (is_valid_utf8(text) == surrogate || (!surrogate && utf8_length(text) != 1))
      FAIL("U+" << std::hex << static_cast<unsigned>(c));
  }
}

TEST_CASE("malformed UTF-8 is refused") {
  const std::vector<std::string> bad = {
      "\x80"s,                      // a continuation byte alone
      "\xBF"s,                      //
      "\xC0\x80"s,                  // overlong NUL
      "\xC1\xBF"s,                  // overlong two bytes
      "\xE0\x80\x80"s,              // overlong three bytes
      "\xE0\x9F\xBF"s,              //
      "\xF0\x80\x80\x80"s,          // overlong four bytes
      "\xF0\x8F\xBF\xBF"s,          //
      "\xED\xA0\x80"s,              // surrogates
      "\xED\xBF\xBF"s,              //
      "\xED\xA0\xBD\xED\xB8\x80"s,  // a pair of them (CESU-8)
      "\xF4\x90\x80\x80"s,          // above U+10FFFF
      "\xF5\x80\x80\x80"s,          //
      "\xF8\x88\x80\x80\x80"s,      // five bytes
      "\xFE"s,
      "\xFF"s,
      "\xC3"s,  // cut short
      "\xE2\x82"s,
      "\xF0\x9F\x98"s,
      "\xC3("s,  // second byte is not a continuation
      "\xE2\x82("s,
      "\xE2(\xA1"s,
      "\xF0\x9F\x98("s,
      "ok \xC3\xA9 \xE9"s,  // Latin-1 after good text
  };
  for (const std::string& text : bad) {
    INFO(hex_encode(text));
    CHECK_FALSE(is_valid_utf8(text));
    CHECK_FALSE(is_valid_utf8("before" + text + "after"));
  }
}

TEST_CASE("lengths are counted in code points") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("Zoë") == 3);
  CHECK(utf8_length("日本語") == 3);
  CHECK(utf8_length("😀😀") == 2);
  CHECK(utf8_length("a\0b"s) == 3);
  CHECK(utf8_length("\xFF\xFE") == 2);
  CHECK(utf8_length("a\xE2\x82") == 3);
}

TEST_CASE("a prefix never cuts a character") {
  CHECK(utf8_prefix("Zoë!", 3) == "Zoë");
  CHECK(utf8_prefix("😀x", 1) == "😀");
  CHECK(utf8_prefix("ab", 9) == "ab");
  CHECK(utf8_prefix("ab", 0).empty());
}

TEST_CASE("trimming removes white space at the ends only") {
  CHECK(trim_ascii(" \t\r\n\v\fa b \n") == "a b");
  CHECK(trim_ascii("   ").empty());
  CHECK(trim_ascii("\u00A0a") == "\u00A0a");
  CHECK(trim("\u3000\u00A0 a\u2003b \u2029\u0085") == "a\u2003b");
  CHECK(trim("\u200Bzero width space is not white space\u200B") ==
        "\u200Bzero width space is not white space\u200B");
  CHECK(trim("\u1680 \u202F\u205F").empty());
  CHECK(trim("é") == "é");
  CHECK(trim("\x80 \xA0") == "\x80 \xA0");
}

TEST_CASE("ASCII case folding leaves other letters alone") {
  CHECK(ascii_lower("Content-TYPE ÄÖ") == "content-type ÄÖ");
  CHECK(iequals("Bearer", "bEARER"));
  CHECK_FALSE(iequals("Bearer", "Bearer "));
  CHECK_FALSE(iequals("[", "{"));
  CHECK_FALSE(iequals("K", "\u212A"));  // the Kelvin sign
}

TEST_CASE("base64 agrees with the vectors of RFC 4648") {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {"\xFB\xFF\xFE", "+//+"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base64_encode(plain) == encoded);
    CHECK(base64_decode(encoded) == plain);
  }
  CHECK(base64url_encode("\xFB\xFF\xFE") == "-__-");
  CHECK(base64url_encode("f") == "Zg");
  CHECK(base64url_decode("Zm8") == "fo");
}

TEST_CASE("base64 that its encoder would not write is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zm9", "Zm8==", "Zh==", "Zm9=", "Zm9v=", "====", "=",
                           "Z===", "Zm 9v", "Zm9v\n", "-__-", "Zm9vZg==Zm9v", "Zm=v"}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
  for (const char* text :
       {"Z", "Zg==", "Zg=", "Zh", "Zm9", "Zm8=", "+//+", "Zm9v ", "Zm9v\n", "Zm9vZ", "Zm9é"}) {
    INFO(text);
    CHECK_FALSE(base64url_decode(text).has_value());
  }
  CHECK_FALSE(base64url_decode("Zm9v\0"s).has_value());
}

TEST_CASE("what base64, base64url, hex and percent-encoding write, they read back") {
  std::mt19937 random(4648);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random_bytes(random, 70);
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
    CHECK(hex_decode(hex_encode(bytes)) == bytes);
    CHECK(percent_decode(percent_encode(bytes)) == bytes);
    CHECK(percent_decode(percent_encode(bytes), Plus::space) == bytes);
  }
}

TEST_CASE("every accepted base64url text is the one spelling of its bytes") {
  std::mt19937 random(7515);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, 6)(random), ' ');
    for (char& c : text)
      c = alphabet[std::uniform_int_distribution<std::size_t>(0, alphabet.size() - 1)(random)];
    if (const auto bytes = base64url_decode(text)) {
      ++accepted;
      if (base64url_encode(*bytes) != text) FAIL(text);
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("hex takes both cases and nothing else") {
  CHECK(hex_encode("\0\xAB\xFF"s) == "00abff");
  CHECK(hex_decode("00ABff") == "\0\xAB\xFF"s);
  for (const char* text : {"0", "0g", "g0", "0x", " 00", "00 "}) CHECK_FALSE(hex_decode(text).has_value());
}

TEST_CASE("percent-decoding refuses broken escapes and keeps plus as asked") {
  CHECK(percent_decode("a%20b%2Fc") == "a b/c");
  CHECK(percent_decode("%e6%97%A5") == "日");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("a+b%2B", Plus::space) == "a b+");
  CHECK(percent_decode("%00") == "\0"s);
  CHECK(percent_decode("%2541") == "%41");
  for (const char* text : {"%", "%4", "a%", "%zz", "%4g", "%%41", "% 41", "%+1"}) {
    INFO(text);
    CHECK_FALSE(percent_decode(text).has_value());
  }
  CHECK(percent_encode("a b/ü~") == "a%20b%2F%C3%BC~");
}
