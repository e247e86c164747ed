// Text that only this library can read again: what waits in the database and must not be read there.
//
//   const std::string stored = seal(key, letter);
//   auto letter = unseal(key, stored);  // nothing when it was changed, or sealed with another key
//
// AES-256-GCM (NIST SP 800-38D) with a random nonce, written as base64url. The key is 32 bytes, such as
// TokenKey::mac gives; with random nonces one key is good for 2^32 texts. Any bytes; thread-safe; throws
// std::runtime_error when the cryptographic library fails.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace lumina::security {

std::string seal(std::string_view key, std::string_view text);
std::optional<std::string> unseal(std::string_view key, std::string_view sealed);

}  // namespace lumina::security
