#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/security/token.hpp"
#include "unit/core/security/signed_tokens.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace lumina;
using namespace lumina::security;
using namespace lumina::security::test;
using namespace std::string_literals;

namespace {

struct Forgery {
  std::string name;
  std::string token;
};

std::vector<Forgery> forged_headers() {
  std::vector<Forgery> list;
  const std::vector<std::string> headers = {
      R"({"alg":"none"})",
      R"({"alg":"none","typ":"JWT"})",
      R"({"alg":"None","typ":"JWT"})",
      R"({"alg":"NONE","typ":"JWT"})",
      R"({"alg":"nOnE","typ":"JWT"})",
      R"({"alg":"","typ":"JWT"})",
      R"({"alg":null,"typ":"JWT"})",
      R"({"alg":256,"typ":"JWT"})",
      R"({"alg":["HS256"],"typ":"JWT"})",
      R"({"alg":{"name":"HS256"},"typ":"JWT"})",
      R"({"alg":true})",
      R"({"typ":"JWT"})",
      R"({})",
      R"({"alg":"hs256","typ":"JWT"})",
      R"({"alg":"Hs256"})",
      R"({"alg":"HS256 "})",
      R"({"alg":" HS256"})",
      R"({"alg":"HS256\u0000"})",
      R"({"alg":"HS256\n"})",
      R"({"alg":"ＨＳ２５６"})",
      R"({"alg":"НS256"})",
      R"({"alg":"HS384"})",
      R"({"alg":"HS512"})",
      R"({"alg":"HS1"})",
      R"({"alg":"RS256"})",
      R"({"alg":"RS384"})",
      R"({"alg":"RS512"})",
      R"({"alg":"PS256"})",
      R"({"alg":"ES256"})",
      R"({"alg":"ES256K"})",
      R"({"alg":"EdDSA"})",
      R"({"alg":"dir","enc":"A256GCM"})",
      R"({"alg":"HS256","alg":"none"})",
      R"({"alg":"none","alg":"HS256"})",
      R"({"alg":"HS256","alg":"HS256"})",
      R"({"alg":"HS256","\u0061lg":"none"})",
      R"({"Alg":"HS256"})",
      R"({"ALG":"HS256"})",
      R"({"alg":"HS256","typ":"jwt"})",
      R"({"alg":"HS256","typ":"JWE"})",
      R"({"alg":"HS256","typ":"at+jwt"})",
      R"({"alg":"HS256","typ":null})",
      R"({"alg":"HS256","typ":["JWT"]})",
      R"({"alg":"HS256","crit":["exp"]})",
      R"({"alg":"HS256","crit":[]})",
      R"({"alg":"HS256","crit":["b64"],"b64":false})",
      R"({"alg":"HS256","crit":"exp"})",
      R"({"alg":"HS256","b64":false})",
      R"({"alg":"HS256","zip":"DEF"})",
      R"({"alg":"HS256","cty":"JWT"})",
      R"({"alg":"HS256","jku":"https://attacker.example/keys.json"})",
      R"({"alg":"HS256","x5u":"https://attacker.example/cert.pem"})",
      R"({"alg":"HS256","x5c":["MIIB"]})",
      R"({"alg":"HS256","x5t":"abc"})",
      R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})",
      R"({"alg":"HS256","jwk":"{}"})",
      R"({"alg":"HS256","kid":""})",
      R"({"alg":"HS256","kid":null})",
      R"({"alg":"HS256","kid":0})",
      R"({"alg":"HS256","kid":["a"]})",
      R"({"alg":"HS256","kid":"../../../../dev/null"})",
      R"({"alg":"HS256","kid":"/proc/sys/kernel/randomize_va_space"})",
      R"({"alg":"HS256","kid":"x' UNION SELECT 'key'--"})",
      R"({"alg":"HS256","kid":"key; sleep 5"})",
      R"({"alg":"HS256","kid":"http://attacker.example/k"})",
      R"({"alg":"HS256","kid":"0000000000000000"})",
      "",
      "null",
      "[]",
      R"(["HS256"])",
      R"("HS256")",
      "42",
      "{",
      R"({"alg":"HS256")",
      R"({"alg":"HS256"}})",
      R"({"alg":"HS256"}{"alg":"HS256"})",
      R"( {"alg":"HS256"})",
      "{\"alg\":\"HS256\"}\n",
      "\xEF\xBB\xBF{\"alg\":\"HS256\"}",
      R"({"alg":"HS256",})",
      R"({alg:"HS256"})",
      R"({'alg':'HS256'})",
      R"({"alg":"HS256"/**/})",
      "{\"alg\":\"HS256\xFF\"}",
      "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x\":\"\\ud800\"}",
      "{\"alg\":\"HS256\"}\0"s,
      R"({"alg":"HS256","a":)" + std::string(500, '[') + std::string(500, ']') + "}",
      std::string(1500, '{'),
  };
  const std::string genuine = sign(plain_header, payload_with());
  const std::string signature = genuine.substr(genuine.rfind('.') + 1);
  for (const std::string& header : headers) {
    const std::string text = base64url_encode(header) + "." + base64url_encode(payload_with());
    list.push_back(
        {"rightly signed, header " + header, text + "." + base64url_encode(hmac_sha256(secret, text))});
    list.push_back({"unsigned, header " + header, text + "."});
    list.push_back({"signature of another token, header " + header, text + "." + signature});
    list.push_back(
        {"signed with nothing, header " + header, text + "." + base64url_encode(hmac_sha256("", text))});
    list.push_back({"two parts, header " + header, text});
    list.push_back({"signed by another, header " + header,
                    text + "." + base64url_encode(hmac_sha256(old_secret, text))});
  }
  return list;
}

std::vector<Forgery> forged_claims() {
  std::vector<Forgery> list;
  const std::vector<std::string> not_times = {"",
                                              "null",
                                              "true",
                                              "{}",
                                              "[]",
                                              "[1790001800]",
                                              R"("1790001800")",
                                              R"("")",
                                              "1790001800.0",
                                              "1790001800.5",
                                              "1.7900018e9",
                                              "1e400",
                                              "-1",
                                              "-1790001800",
                                              "253402300800",
                                              "9223372036854775807",
                                              "9223372036854775808",
                                              "18446744073709551615",
                                              "18446744073709551616",
                                              "99999999999999999999999",
                                              "NaN",
                                              "Infinity",
                                              "0x6AB0D8C8",
                                              "01790001800",
                                              "+1790001800"};
  std::vector<std::pair<std::string, std::string>> wrong;
  for (const char* name : {"exp", "iat"}) {
    for (const std::string& value : not_times) wrong.emplace_back(name, value);
  }
  for (const std::string& value : not_times) {
    if (!value.empty()) wrong.emplace_back("nbf", value);
  }
  for (std::int64_t s : {std::int64_t{0}, std::int64_t{1}, now_s - 86'400, now_s - 1, now_s}) {
    wrong.emplace_back("exp", std::to_string(s));
  }
  for (std::int64_t s : {now_s + 61, now_s + 3600, now_s * 1000}) {
    wrong.emplace_back("iat", std::to_string(s));
    wrong.emplace_back("nbf", std::to_string(s));
  }
  const std::vector<std::string> not_ours = {"",
                                             "null",
                                             "1",
                                             R"("")",
                                             R"("other")",
                                             R"("Luminalib")",
                                             R"("luminalib ")",
                                             R"(["luminalib"])",
                                             R"({"luminalib":1})",
                                             R"("luminalib\u0000")"};
  for (const char* name : {"iss", "aud"}) {
    for (const std::string& value : not_ours) wrong.emplace_back(name, value);
  }
  const std::vector<std::string> not_text = {"", "null", "1", "true", "[]", "{}", R"("")", R"(["a"])"};
  for (const char* name : {"sub", "jti"}) {
    for (const std::string& value : not_text) wrong.emplace_back(name, value);
  }
  const std::vector<std::string> not_ids = {
      "", "null", R"("17")", "17.0", "1.7e1", "-1", "true", "[17]", "{}", "9223372036854775808", "1e400"};
  for (const char* name : {"uid", "sid", "ep"}) {
    for (const std::string& value : not_ids) wrong.emplace_back(name, value);
  }
  wrong.emplace_back("uid", "0");
  for (const char* value : {"", "null", "1", R"("")", R"("root")", R"("Admin")", R"("admin ")",
                            R"(["admin"])", R"("librarian\u0000")", R"("admin")"}) {
    wrong.emplace_back("role", value);
  }
  for (const char* value : {"", "null", "0", "1", R"("false")", R"("true")", "true", "[]"}) {
    wrong.emplace_back("is_admin", value);
  }
  for (const auto& [name, value] : wrong) {
    list.push_back(
        {name + " is " + (value.empty() ? "missing" : value), sign(plain_header, payload_with(name, value))});
  }

  std::string twice = payload_with();
  for (const char* member :
       {R"("exp":9999999999)", R"("sub":"root@example.org")", R"("role":"admin")", R"("is_admin":false)",
        R"("uid":1)", R"("iss":"luminalib")", R"("\u0065xp":9999999999)"}) {
    std::string behind = twice;
    behind.insert(behind.size() - 1, ","s + member);
    list.push_back({"duplicate behind: "s + member, sign(plain_header, behind)});
    std::string before = twice;
    before.insert(1, member + ","s);
    list.push_back({"duplicate before: "s + member, sign(plain_header, before)});
  }
  for (const std::string& payload :
       {""s, "null"s, "[]"s, "\"ann\""s, "1"s, "[" + payload_with() + "]", payload_with() + payload_with(),
        " " + payload_with(), payload_with() + " ", payload_with() + "\n", payload_with().substr(1),
        payload_with().substr(0, payload_with().size() - 1), "\xEF\xBB\xBF" + payload_with(),
        payload_with() + "\0"s, payload_with("x", "\"\xC0\xAF\""),
        payload_with("x", std::string(64, '[') + std::string(64, ']')), payload_with("x", R"("\ud83d")"),
        payload_with("x", "\"a\nb\"")}) {
    list.push_back({"payload " + payload, sign(plain_header, payload)});
  }
  return list;
}

std::vector<Forgery> forged_forms() {
  std::vector<Forgery> list;
  const std::string token = issue(ann());
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const std::string h = token.substr(0, first);
  const std::string p = token.substr(first + 1, last - first - 1);
  const std::string s = token.substr(last + 1);
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"empty", ""},
      {"one dot", "."},
      {"two dots", ".."},
      {"three dots", "..."},
      {"no signature", h + "." + p + "."},
      {"two parts", h + "." + p},
      {"one part", h},
      {"no header", "." + p + "." + s},
      {"no payload", h + ".." + s},
      {"payload first", p + "." + h + "." + s},
      {"signature first", s + "." + h + "." + p},
      {"signature in the middle", h + "." + s + "." + p},
      {"four parts", token + "." + s},
      {"five parts (JWE)", h + "." + p + "." + s + "." + s + "." + s},
      {"trailing dot", token + "."},
      {"leading dot", "." + token},
      {"two dots inside", h + ".." + p + "." + s},
      {"comma for dot", h + "," + p + "," + s},
      {"leading space", " " + token},
      {"trailing space", token + " "},
      {"trailing newline", token + "\n"},
      {"trailing CRLF", token + "\r\n"},
      {"tab inside", h + "." + p + ".\t" + s},
      {"space before a dot", h + " ." + p + "." + s},
      {"newline in the signature", h + "." + p + "." + s.substr(0, 20) + "\n" + s.substr(20)},
      {"trailing NUL", token + "\0"s},
      {"NUL inside", h + "." + p + "\0."s + s},
      {"padding on the signature", token + "="},
      {"much padding on the signature", token + "=="},
      {"padding on the header", h + "=." + p + "." + s},
      {"padding on the payload", h + "." + p + "==." + s},
      {"standard base64 digit", h + "." + p + "." + "+" + s.substr(1)},
      {"slash digit", h + "." + p + "." + "/" + s.substr(1)},
      {"percent-encoded dot", h + "%2e" + p + "%2e" + s},
      {"Bearer in front", "Bearer " + token},
      {"in quotes", "\"" + token + "\""},
      {"full stop of Unicode", h + "\u3002" + p + "\u3002" + s},
      {"zero width space", h + "." + p + "." + s + "\u200B"},
      {"token twice", token + token},
      {"signature twice", h + "." + p + "." + s + s},
      {"half a signature", h + "." + p + "." + s.substr(0, 21)},
      {"signature of 31 bytes", h + "." + p + "." + base64url_encode(std::string(31, '\0'))},
      {"signature of 33 bytes", h + "." + p + "." + base64url_encode(std::string(33, '\0'))},
      {"signature of zeros", h + "." + p + "." + base64url_encode(std::string(32, '\0'))},
      {"signature in hex", h + "." + p + "." + hex_encode(base64url_decode(s).value())},
      {"signature over the payload alone", h + "." + p + "." + base64url_encode(hmac_sha256(secret, p))},
      {"signature over the JSON", h + "." + p + "." +
                                      base64url_encode(hmac_sha256(secret, base64url_decode(h).value() + "." +
                                                                               base64url_decode(p).value()))},
      {"plain SHA-256", h + "." + p + "." + base64url_encode(sha256(h + "." + p))},
      {"SHA-256 of key and text", h + "." + p + "." + base64url_encode(sha256(secret + h + "." + p))},
      {"JSON serialization of JWS",
       R"({"protected":")" + h + R"(","payload":")" + p + R"(","signature":")" + s + R"("})"},
  };
  for (const auto& [name, text] : forms) list.push_back({name, text});

  for (std::string key :
       {""s, "secret"s, "changeme"s, "password"s, "your-256-bit-secret"s, "luminalib"s, secret.substr(0, 31),
        secret + "x", old_secret, ascii_lower(secret), base64_encode(secret), hex_encode(secret),
        std::string(32, '\0'), "HS256"s, h, TokenKey(secret).name()}) {
    list.push_back({"signed with " + key, sign(plain_header, payload_with(), key)});
    list.push_back({"signed with " + key + " under our key's name",
                    sign(base64url_decode(h).value(), payload_with(), key)});
  }
  // Claims of one token under the signature of another.
  Claims admin = ann();
  admin.role = Role::admin;
  const std::string other = issue(admin);
  list.push_back(
      {"claims swapped", h + other.substr(other.find('.'), other.rfind('.') - other.find('.')) + "." + s});
  list.push_back(
      {"5 KB of subject", sign(plain_header, payload_with("sub", "\"" + std::string(5000, 'a') + "\""))});
  for (std::size_t length = 0; length < token.size(); length += 7) {
    list.push_back({"cut to " + std::to_string(length), token.substr(0, length)});
  }
  return list;
}

std::vector<Forgery> flipped_bits() {
  std::vector<Forgery> list;
  const std::string token = issue(ann());
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = token;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ 1U << bit);
      list.push_back({fmt::format("bit {} of character {}", bit, i), changed});
    }
  }
  return list;
}

}  // namespace

TEST_CASE("no forged token is accepted, cached or not", "[A4]") {
  const TokenVerifier strict = verifier();
  REQUIRE(strict.check(issue(ann()), now));
  std::set<std::string> seen;
  std::size_t by_rule = 0;
  const auto refuse_all = [&](const std::vector<Forgery>& forgeries) {
    for (const Forgery& forgery : forgeries) {
      seen.insert(forgery.token);
      const Result<Claims> claims = strict.verify(forgery.token, now);
      const auto cached = strict.check(forgery.token, now);
      if (claims || cached) FAIL(forgery.name << ": " << forgery.token);
      if (claims.error().kind != ErrorKind::unauthenticated || claims.error().code != cached.error().code) {
        FAIL(forgery.name << ": " << claims.error().code);
      }
    }
  };
  refuse_all(forged_headers());
  refuse_all(forged_claims());
  refuse_all(forged_forms());
  by_rule = seen.size();
  refuse_all(flipped_bits());
  CHECK(by_rule > 826);
  CHECK(seen.size() > 3500);
}

TEST_CASE("random bytes are no token", "[A4]") {
  const TokenVerifier strict = verifier();
  std::mt19937 random(8725);
  constexpr std::string_view alphabet = "eyJhbGciOiJIUzI1NiJ9.._-=ABCabc0123\0\xFF {}\"";
  for (int i = 0; i < 20'000; ++i) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, 200)(random), ' ');
    for (char& c : text)
      c = alphabet[std::uniform_int_distribution<std::size_t>(0, alphabet.size() - 1)(random)];
    if (strict.check(text, now)) FAIL(hex_encode(text));
  }
}
