// What the tests of tokens share: a moment, two secrets, a person's claims, and a forger's pen that signs any
// header and payload rightly.
#pragma once
#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/security/token.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lumina::security::test {

using namespace std::chrono_literals;

constexpr std::int64_t now_s = 1'790'000'000;
constexpr Timestamp now{now_s * 1000};
inline const std::string secret = "k3Vn0qTz8sYw2LrPf6JhGx9BdMuC5aEi";
inline const std::string old_secret = "Zp4Wm7Xc1Qv9Rt2Ny6Lk3Hg8Fd5Sb0Ja";

inline Claims ann() {
  Claims claims;
  claims.subject = "ann@example.org";
  claims.user = {17};
  claims.role = Role::librarian;
  claims.session = {4};
  claims.epoch = 3;
  claims.id = "d9f2";
  claims.issued_at = now - 60s;
  claims.expires_at = now + 1800s;
  return claims;
}

inline TokenVerifier verifier() { return TokenVerifier({TokenKey(secret)}, {}); }
inline std::string issue(const Claims& claims, const std::string& with = secret) {
  return TokenIssuer(TokenKey(with), {}).issue(claims);
}

// A token of any header and payload, rightly signed.
inline std::string sign(const std::string& header, const std::string& payload,
                        const std::string& with = secret) {
  const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
  return text + "." + base64url_encode(hmac_sha256(with, text));
}

inline const std::string plain_header = R"({"alg":"HS256","typ":"JWT"})";

// The payload of ann() with one member's text replaced; an empty text leaves the member out.
inline std::string payload_with(const std::string& name, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> members = {{"sub", R"("ann@example.org")"},
                                                              {"uid", "17"},
                                                              {"role", R"("librarian")"},
                                                              {"is_admin", "false"},
                                                              {"iat", std::to_string(now_s - 60)},
                                                              {"exp", std::to_string(now_s + 1800)},
                                                              {"jti", R"("d9f2")"},
                                                              {"sid", "4"},
                                                              {"ep", "3"},
                                                              {"iss", R"("luminalib")"},
                                                              {"aud", R"("luminalib")"}};
  bool known = false;
  for (auto& [key, text] : members) {
    if (key == name) {
      text = value;
      known = true;
    }
  }
  if (!known && !name.empty()) members.emplace_back(name, value);
  std::string out;
  for (const auto& [key, text] : members) {
    if (!text.empty()) out += fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", key, text);
  }
  return out + "}";
}

inline std::string payload_with() { return payload_with("", ""); }

}  // namespace lumina::security::test
