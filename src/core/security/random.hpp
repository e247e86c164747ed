// Secrets from the kernel, the opaque keys made of them, digests for storing them, and cheap request ids.
//
// Thread-safe. Randomness comes from getrandom(2), which never fails once the system is up; a failure throws
// std::system_error. What is secret is compared with constant_time_equal only.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::security {

// That many unpredictable bytes.
std::string random_bytes(std::size_t count);

// 32 random bytes as 43 characters of base64url: refresh tokens, reset tokens, claim tokens.
std::string opaque_token();

// An API key as its owner sees it: "lum_<prefix>_<secret>", 8 hex digits to find the row by and 43 characters
// of base64url that are the secret. Only the prefix and sha256_hex of the whole are stored.
struct ApiKeyText {
  std::string prefix;
  std::string text;
};
ApiKeyText make_api_key();
// The prefix of a well-formed key; nothing for any other text.
std::optional<std::string_view> api_key_prefix(std::string_view text);

// SHA-256 (FIPS 180-4): 32 bytes, or 64 lower-case hex digits. Enough for what random_bytes made; never for
// passwords.
std::string sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104), 32 bytes, with a key prepared on each call: see token.hpp for the fast way.
std::string hmac_sha256(std::string_view key, std::string_view message);

// Takes a time that depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

// 16 hex digits, different for every call in this process and very likely across processes. Not a secret.
std::string fast_request_id();

// The release of the cryptographic library in use: "OpenSSL 3.0.15 3 Sep 2024".
std::string library_version();

}  // namespace lumina::security
