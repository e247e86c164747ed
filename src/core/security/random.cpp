#include "core/security/random.hpp"

#include "core/base/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <sys/random.h>
#include <system_error>

namespace lumina::security {
namespace {

constexpr std::string_view key_start = "lum_";
constexpr std::size_t prefix_digits = 8;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_characters = 43;
constexpr std::size_t key_length = key_start.size() + prefix_digits + 1 + secret_characters;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// A bijection that scatters a counter over 64 bits (the finalizer of SplitMix64, Steele and others 2014).
std::uint64_t scatter(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
  x = (x ^ x >> 27) * 0x94D049BB133111EBU;
  return x ^ x >> 31;
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
  }
  return bytes;
}

std::string opaque_token() { return base64url_encode(random_bytes(secret_bytes)); }

ApiKeyText make_api_key() {
  ApiKeyText key;
  key.prefix = hex_encode(random_bytes(prefix_digits / 2));
  key.text.append(key_start).append(key.prefix).append("_").append(opaque_token());
  return key;
}

std::optional<std::string_view> api_key_prefix(std::string_view text) {
  if (text.size() != key_length || !text.starts_with(key_start)) return std::nullopt;
  const std::string_view prefix = text.substr(key_start.size(), prefix_digits);
  const std::string_view rest = text.substr(key_start.size() + prefix_digits);
  if (prefix.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  if (rest.front() != '_' || !base64url_decode(rest.substr(1))) return std::nullopt;
  return prefix;
}

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  return digest;
}

std::string sha256_hex(std::string_view bytes) { return hex_encode(sha256(bytes)); }

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  // A null key would mean "the key of before" to OpenSSL.
  const char* key_data = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()), bytes_of(message), message.size(),
           bytes_of(mac), nullptr) == nullptr) {
    throw std::runtime_error("HMAC-SHA-256 is not available");
  }
  return mac;
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string fast_request_id() {
  thread_local std::uint64_t counter = [] {
    std::uint64_t seed = 0;
    const std::string random = random_bytes(sizeof seed);
    std::memcpy(&seed, random.data(), sizeof seed);
    return seed;
  }();
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t id = scatter(counter++);
  std::string text(16, '0');
  for (char& c : text) {
    c = digits[id & 15];
    id >>= 4;
  }
  return text;
}

std::string library_version() { return OpenSSL_version(OPENSSL_VERSION); }

}  // namespace lumina::security
