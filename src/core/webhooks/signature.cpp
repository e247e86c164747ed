#include "core/webhooks/signature.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <fmt/format.h>

namespace lumina::webhooks {
namespace {

constexpr std::string_view prefix = "whsec_";

}  // namespace

std::string make_secret() { return std::string(prefix) + base64_encode(security::random_bytes(32)); }

std::string sign(std::string_view secret, std::string_view id, std::int64_t seconds, std::string_view body) {
  if (!secret.starts_with(prefix)) return {};
  const auto key = base64_decode(secret.substr(prefix.size()));
  if (!key) return {};
  return "v1," + base64_encode(security::hmac_sha256(*key, fmt::format("{}.{}.{}", id, seconds, body)));
}

}  // namespace lumina::webhooks
