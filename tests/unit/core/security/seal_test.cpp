#include "core/security/seal.hpp"

#include "core/base/text.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina;
using namespace lumina::security;

TEST_CASE("what is sealed is read again with the same key only, and only unchanged", "[I9]") {
  const std::string key(32, 'k'), other(32, 'o');
  for (const auto& text : {std::string(), std::string("a\0b", 3), std::string(100'000, 'x')}) {
    const auto sealed = seal(key, text);
    CHECK(unseal(key, sealed) == text);
    CHECK_FALSE(unseal(other, sealed));
    CHECK(seal(key, text) != sealed);
    auto bytes = *base64url_decode(sealed);
    for (const std::size_t at : {std::size_t{0}, std::size_t{13}, bytes.size() - 1}) {
      auto changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      CHECK_FALSE(unseal(key, base64url_encode(changed)));
    }
  }
  CHECK_FALSE(unseal(key, ""));
  CHECK_FALSE(unseal(key, "no base64!"));
  CHECK_THROWS(seal("short", "text"));
}
