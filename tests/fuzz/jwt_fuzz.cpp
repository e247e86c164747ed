// libFuzzer target: no input is a token unless it was issued here. Input that starts with a byte below 128 is
// a whole token; otherwise it is split at its first NUL into a header and a payload that are then rightly
// signed.
#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/security/token.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace lumina;
using namespace lumina::security;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string secret = "k3Vn0qTz8sYw2LrPf6JhGx9BdMuC5aEi";
  static const TokenVerifier verifier({TokenKey(secret)}, {});
  constexpr Timestamp now{1'790'000'000'000};
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  if (size == 0 || data[0] < 128) {
    if (verifier.verify(input, now) || verifier.check(input, now)) std::abort();
    return 0;
  }
  const std::string_view rest = input.substr(1);
  const std::size_t cut = rest.find('\0');
  const std::string_view header = rest.substr(0, cut);
  const std::string_view payload = cut == std::string_view::npos ? std::string_view() : rest.substr(cut + 1);
  const std::string text = base64url_encode(header) + "." + base64url_encode(payload);
  const std::string token = text + "." + base64url_encode(hmac_sha256(secret, text));
  const Result<Claims> claims = verifier.verify(token, now);
  const auto cached = verifier.check(token, now);
  if (claims.has_value() != cached.has_value()) std::abort();
  if (!claims) return 0;
  // Whatever was accepted holds what the header of token.hpp promises, and can be issued again.
  if (claims->subject.empty() || claims->id.empty() || claims->user.value < 1 || claims->session.value < 0 ||
      claims->epoch < 0 || claims->expires_at <= now) {
    std::abort();
  }
  const TokenIssuer issuer(TokenKey(secret), {});
  const Result<Claims> again = verifier.verify(issuer.issue(*claims), now);
  if (!again || again->subject != claims->subject || again->user != claims->user ||
      again->role != claims->role) {
    std::abort();
  }
  return 0;
}
