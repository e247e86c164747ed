// Access tokens: JSON Web Tokens signed with HMAC-SHA-256, and nothing else.
//
// Sources: RFC 7519 (JWT), RFC 7515 (JWS compact form), RFC 8725 (what goes wrong with them). A token is
// accepted only in the form in which TokenIssuer writes it: three parts of strict base64url; a header with
// `alg` exactly "HS256", `typ` "JWT" or absent, `kid` one of ours or absent, and no other member; a payload
// that is a JSON object without duplicate members, with every claim of the right type, and `iss` and `aud`
// ours. Nothing in a token chooses a key or an algorithm. The signature is checked, in constant time, before
// the payload is read.
//
// Issuing and verifying are thread-safe and take about a microsecond; check() answers a token it verified
// before from a cache of the thread in well under a tenth of that. What a token says about a person may be
// out of date: compare `epoch` (and the session) with what is stored.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::security {

struct Claims {
  std::string subject;       // `sub`: the e-mail address
  UserId user;               // `uid`
  Role role = Role::patron;  // `role`; `is_admin` is derived and must agree
  SessionId session;         // `sid`; 0 when the token belongs to no session
  std::int64_t epoch = 0;    // `ep`: the user's token epoch when it was issued
  std::string id;            // `jti`
  Timestamp issued_at;       // `iat`, whole seconds
  Timestamp expires_at;      // `exp`, whole seconds; the token is dead from that moment on
};

// Refuses secrets that are shorter than `min_bytes`, sample values, or made of so few patterns that they can
// be guessed ("secret", "changeme" over and over, "0123456789..."). Error kind: refused, code "weak_secret".
Status check_secret(std::string_view secret, std::size_t min_bytes = 32);

struct TokenSettings {
  std::string issuer = "luminalib";
  std::string audience = "luminalib";
};

// One signing key with its public name (`kid`), which is derived from it. Copies are cheap and share the
// secret, which is wiped when the last one ends.
class TokenKey {
 public:
  // Throws std::invalid_argument for a secret that check_secret(secret) refuses.
  explicit TokenKey(std::string_view secret);

  const std::string& name() const;
  // The encoded header of the tokens that it signs.
  const std::string& header() const;
  // The HMAC-SHA-256 of the message, 32 bytes.
  std::string mac(std::string_view message) const;

 private:
  struct Material;
  std::shared_ptr<const Material> material_;
};

class TokenIssuer {
 public:
  TokenIssuer(TokenKey key, TokenSettings settings);
  // The compact form, about 400 characters. Times are cut to whole seconds.
  std::string issue(const Claims& claims) const;

 private:
  TokenKey key_;
  TokenSettings settings_;
};

class TokenVerifier {
 public:
  static constexpr std::size_t longest_token = 4096;             // bytes
  static constexpr std::int64_t leeway_ms = 60'000;              // for `iat` and `nbf` ahead of our clock
  static constexpr std::size_t cached_tokens_per_thread = 4096;  // about 2.5 MB when full

  // The keys that are accepted: the one in use first, then those before it until their last tokens expire. At
  // least one; throws std::invalid_argument otherwise.
  TokenVerifier(std::vector<TokenKey> keys, TokenSettings settings);

  // Error kind: unauthenticated, with code "token_expired" or, for every other reason, "invalid_token".
  Result<Claims> verify(std::string_view token, Timestamp now) const;

  // The same answers. Remembers verified tokens per thread, bounded, and checks only their expiry again.
  Result<std::shared_ptr<const Claims>> check(std::string_view token, Timestamp now) const;

 private:
  std::vector<TokenKey> keys_;
  TokenSettings settings_;
  std::uint64_t serial_;  // tells the cached tokens of verifiers apart
};

}  // namespace lumina::security
