#include "core/security/random.hpp"

#include "core/base/text.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace lumina;
using namespace lumina::security;

TEST_CASE("random bytes come in the asked number and do not repeat") {
  CHECK(random_bytes(0).empty());
  CHECK(random_bytes(1000).size() == 1000);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_bytes(16));
  CHECK(seen.size() == 1000);
}

TEST_CASE("opaque tokens are 32 random bytes in base64url") {
  const std::string token = opaque_token();
  CHECK(token.size() == 43);
  CHECK(base64url_decode(token).value().size() == 32);
  CHECK(opaque_token() != token);
}

TEST_CASE("an API key shows its prefix and nothing but its exact form is one", "[A22]") {
  for (int i = 0; i < 100; ++i) {
    const ApiKeyText key = make_api_key();
    CHECK(key.text.size() == 56);
    CHECK(key.text.starts_with("lum_" + key.prefix + "_"));
    CHECK(api_key_prefix(key.text) == key.prefix);
  }
  const std::string good = "lum_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  REQUIRE(api_key_prefix(good) == "0123abcd");
  const std::vector<std::string> bad = {
      "",
      "lum_",
      good + "A",
      good.substr(0, good.size() - 1),
      " " + good.substr(1),
      "LUM" + good.substr(3),
      "lum_0123ABCD_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "lum_0123abcdAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "lum_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
      "lum_0123abcd_AAAAAAAAAAAAAAAAAAAAA'AAAAAAAAAAAAAAAAAAAAA",
  };
  for (const std::string& text : bad) {
    INFO(text);
    CHECK_FALSE(api_key_prefix(text).has_value());
  }
}

TEST_CASE("SHA-256 agrees with FIPS 180-4 and HMAC with RFC 4231") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abc").size() == 32);
  CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_encode(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_encode(hmac_sha256("", "")) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("secrets are equal when all their bytes are") {
  CHECK(constant_time_equal("", ""));
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "abcd"));
}

TEST_CASE("request ids are 16 hex digits and never the same, on one thread or many") {
  std::vector<std::vector<std::string>> lists(4);
  std::vector<std::thread> threads;
  for (std::vector<std::string>& list : lists) {
    threads.emplace_back([&list] {
      for (int i = 0; i < 10'000; ++i) list.push_back(fast_request_id());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> seen;
  for (const std::vector<std::string>& list : lists) seen.insert(list.begin(), list.end());
  CHECK(seen.size() == 40'000);
  CHECK(seen.begin()->size() == 16);
  CHECK(hex_decode(*seen.rbegin()).has_value());
}
