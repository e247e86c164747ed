#include "core/security/token.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "unit/core/security/signed_tokens.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace lumina;
using namespace lumina::security;
using namespace lumina::security::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("a token says what was put in", "[A4]") {
  const std::string token = issue(ann());
  const Result<Claims> claims = verifier().verify(token, now);
  REQUIRE(claims.has_value());
  CHECK(claims->subject == "ann@example.org");
  CHECK(claims->user == UserId{17});
  CHECK(claims->role == Role::librarian);
  CHECK(claims->session == SessionId{4});
  CHECK(claims->epoch == 3);
  CHECK(claims->id == "d9f2");
  CHECK(claims->issued_at == now - 60s);
  CHECK(claims->expires_at == now + 1800s);
  CHECK(token.size() < 500);
}

TEST_CASE("the payload has the claims of the contract", "[A4]") {
  Claims claims = ann();
  claims.role = Role::admin;
  const std::string token = issue(claims);
  const std::size_t first = token.find('.');
  const std::string payload = base64url_decode(token.substr(first + 1, token.rfind('.') - first - 1)).value();
  CHECK(
      payload ==
      R"({"sub":"ann@example.org","uid":17,"role":"admin","is_admin":true,"iat":1789999940,"exp":1790001800,)"
      R"("jti":"d9f2","sid":4,"ep":3,"iss":"luminalib","aud":"luminalib"})");
  const std::string header = base64url_decode(token.substr(0, first)).value();
  CHECK(header == R"({"alg":"HS256","typ":"JWT","kid":")" + TokenKey(secret).name() + R"("})");
}

TEST_CASE("the forger's tools make good tokens when nothing is forged", "[A4]") {
  CHECK(verifier().verify(sign(plain_header, payload_with()), now));
  CHECK(verifier().verify(sign(R"({"alg":"HS256"})", payload_with("custom", R"({"a":[1,2]})")), now));
  CHECK(verifier().verify(sign(R"({ "alg" : "HS256" , "typ" : "JWT" })", payload_with()), now));
  for (std::int64_t ahead : {std::int64_t{0}, std::int64_t{60}}) {
    CHECK(verifier().verify(sign(plain_header, payload_with("iat", std::to_string(now_s + ahead))), now));
    CHECK(verifier().verify(sign(plain_header, payload_with("nbf", std::to_string(now_s + ahead))), now));
  }
  CHECK(verifier().verify(sign(plain_header, payload_with("exp", std::to_string(now_s + 1))), now));
  CHECK(verifier().verify(sign(plain_header, payload_with("sid", "0")), now));
}

TEST_CASE("the MAC agrees with RFC 7515 appendix A.1", "[A4]") {
  const std::string key =
      base64url_decode(
          "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
          .value();
  const std::string signed_part =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const TokenKey token_key(key);
  for (int i = 0; i < 3; ++i) {
    CHECK(base64url_encode(token_key.mac(signed_part)) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  }
}

TEST_CASE("the kept MAC agrees with the one-shot HMAC for any message, keys mixed", "[A4]") {
  std::mt19937 random(2104);
  std::vector<std::pair<std::string, TokenKey>> keys;
  for (int i = 0; i < 12; ++i) {
    const std::string bytes = random_bytes(static_cast<std::size_t>(32 + i * 11));
    keys.emplace_back(bytes, TokenKey(bytes));
  }
  for (int i = 0; i < 3000; ++i) {
    const auto& [bytes, key] = keys[std::uniform_int_distribution<std::size_t>(0, keys.size() - 1)(random)];
    const std::string message(std::uniform_int_distribution<std::size_t>(0, 300)(random),
                              static_cast<char>(i));
    if (key.mac(message) != hmac_sha256(bytes, message)) FAIL(i);
  }
}

TEST_CASE("a token is dead from the moment it expires, also when it was cached", "[A4][A5]") {
  const TokenVerifier strict = verifier();
  const std::string token = issue(ann());
  REQUIRE(strict.check(token, now));
  CHECK(strict.check(token, now + 1800s - 1ms));
  for (const Timestamp late : {now + 1800s, now + 1801s, now + 240h}) {
    REQUIRE_FALSE(strict.check(token, late));
    CHECK(strict.check(token, late).error().code == "token_expired");
    CHECK(strict.verify(token, late).error().code == "token_expired");
  }
}

TEST_CASE("a cached token gives the same claims without another verification", "[A4]") {
  const TokenVerifier strict = verifier();
  const std::string token = issue(ann());
  const auto once = strict.check(token, now);
  const auto again = strict.check(std::string(token), now);
  REQUIRE(once.has_value());
  REQUIRE(again.has_value());
  CHECK(once->get() == again->get());
  CHECK((*again)->subject == "ann@example.org");
}

TEST_CASE("what one verifier cached another does not accept", "[A4]") {
  const TokenVerifier ours = verifier();
  const std::string token = issue(ann());
  REQUIRE(ours.check(token, now));
  const TokenVerifier other_key({TokenKey(old_secret)}, {});
  CHECK_FALSE(other_key.check(token, now));
  const TokenVerifier other_issuer({TokenKey(secret)}, {"elsewhere", "luminalib"});
  CHECK_FALSE(other_issuer.check(token, now));
  const TokenVerifier other_audience({TokenKey(secret)}, {"luminalib", "elsewhere"});
  CHECK_FALSE(other_audience.check(token, now));
  CHECK(ours.check(token, now));
}

TEST_CASE("more tokens than the cache holds are all still answered rightly", "[A4]") {
  const TokenVerifier strict = verifier();
  const TokenIssuer issuer(TokenKey(secret), {});
  std::vector<std::string> tokens;
  for (int i = 1; i <= 5000; ++i) {
    Claims claims = ann();
    claims.user = {i};
    tokens.push_back(issuer.issue(claims));
  }
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto claims = strict.check(tokens[i], now);
      if (!claims || (*claims)->user.value != static_cast<std::int64_t>(i + 1)) FAIL(i);
    }
  }
}

TEST_CASE("the secret can be changed while tokens of the one before still count", "[A4]") {
  const TokenKey current(secret);
  const TokenKey previous(old_secret);
  const std::string old_token = issue(ann(), old_secret);
  const std::string new_token = issue(ann(), secret);
  const TokenVerifier during({current, previous}, {});
  CHECK(during.check(old_token, now));
  CHECK(during.check(new_token, now));
  CHECK(during.verify(sign(plain_header, payload_with(), old_secret), now));
  const TokenVerifier after({current}, {});
  CHECK_FALSE(after.check(old_token, now));
  CHECK(after.check(new_token, now));
  // A name chooses among our keys and does not replace the signature.
  const std::string named = R"({"alg":"HS256","kid":")" + previous.name() + R"("})";
  CHECK_FALSE(during.verify(sign(named, payload_with(), secret), now));
  CHECK(during.verify(sign(named, payload_with(), old_secret), now));
  CHECK_THROWS_AS(TokenVerifier({}, {}), std::invalid_argument);
}

TEST_CASE("threads may issue and verify with the same keys", "[A4]") {
  const TokenVerifier shared = verifier();
  const TokenIssuer issuer(TokenKey(secret), {});
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Claims claims = ann();
        claims.user = {t * 1000 + i % 50 + 1};
        const auto checked = shared.check(issuer.issue(claims), now);
        if (checked && (*checked)->user == claims.user) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 2000);
}

TEST_CASE("any subject survives the way through a token", "[A4]") {
  const TokenVerifier strict = verifier();
  for (const std::string& subject : {"a\"b\\c@example.org"s, "zoë@exämple.org"s, "😀@example.org"s,
                                     "a\nb@example.org"s, std::string(255, 'a')}) {
    Claims claims = ann();
    claims.subject = subject;
    const Result<Claims> back = strict.verify(issue(claims), now);
    REQUIRE(back.has_value());
    CHECK(back->subject == subject);
  }
}

TEST_CASE("secrets that can be guessed are refused", "[A37]") {
  const std::vector<std::string> weak = {
      "",
      "secret",
      "k3Vn0qTz8sYw2LrPf6JhGx9BdMuC5aE",  // 31 bytes
      "secretsecretsecretsecretsecretsecret",
      "changemechangemechangemechangeme",
      "change-me-in-production-please-change-me",
      "your-secret-key-change-this-in-production",
      "your-256-bit-secret-your-256-bit-secret",
      "super_secret_jwt_signing_key_change_me",
      "this-is-a-very-long-secret-key-with-at-least-32-bytes",
      "insecure-development-secret-key-example",
      "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
      "0123456789abcdef0123456789abcdef",
      "0123456789abcdef0123456789abcdef0123",
      "abcdefghijklmnopqrstuvwxyz012345",
      "zyxwvutsrqponmlkjihgfedcba987654",
      "qwertyuiopasdfghjklzxcvbnm123456",
      std::string(64, 'a'),
      std::string(64, '\0'),
      "ababababababababababababababababab",
      "aabbccddaabbccddaabbccdd11112222",
      "passwordpasswordpasswordpassword1",
  };
  for (const std::string& text : weak) {
    INFO(text);
    const Status status = check_secret(text);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == "weak_secret");
    CHECK_THROWS_AS(TokenKey(text), std::invalid_argument);
    if (text.size() > 6) CHECK_FALSE(status.error().detail.contains(text));
  }
}

TEST_CASE("secrets from random bytes are accepted, however they are written", "[A37]") {
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random_bytes(32);
    if (!check_secret(bytes) || !check_secret(hex_encode(bytes)) || !check_secret(base64_encode(bytes)) ||
        !check_secret(base64url_encode(bytes))) {
      FAIL(hex_encode(bytes));
    }
  }
  CHECK(check_secret(secret));
  CHECK_FALSE(check_secret(secret, 64));
  CHECK(check_secret(secret + old_secret, 64));
}
