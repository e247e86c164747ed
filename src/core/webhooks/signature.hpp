// Signatures of Standard Webhooks 1.0.0: HMAC-SHA-256 over "id.timestamp.body", secrets as "whsec_" and
// base64.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lumina::webhooks {

// 32 random bytes: "whsec_...".
std::string make_secret();
// "v1,<base64>". Empty for a secret that is none.
std::string sign(std::string_view secret, std::string_view id, std::int64_t seconds, std::string_view body);

}  // namespace lumina::webhooks
