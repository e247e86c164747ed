#include "core/security/token.hpp"

#include "core/base/text.hpp"
#include "core/json/parse.hpp"
#include "core/security/random.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

namespace lumina::security {
namespace {

constexpr std::size_t mac_bytes = 32;
constexpr std::size_t mac_characters = 43;
constexpr std::int64_t last_second = 253'402'300'799;  // 9999-12-31T23:59:59Z

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

struct MacDeleter {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacDeleter>;

// Prepared with the key; starting anew from it costs a tenth of preparing it.
MacContext prepare_mac(std::string_view key) {
  const std::unique_ptr<EVP_MAC, MacDeleter> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  if (!algorithm) throw std::runtime_error("HMAC is not available");
  MacContext context(EVP_MAC_CTX_new(algorithm.get()));
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                               parameters.data()) != 1) {
    throw std::runtime_error("HMAC-SHA-256 is not available");
  }
  return context;
}

// The prepared contexts of this thread, by serial of the key; few, because few keys are in use at a time.
EVP_MAC_CTX* context_of_thread(std::uint64_t serial, std::string_view key) {
  struct Kept {
    std::uint64_t serial;
    MacContext context;
  };
  constexpr std::size_t most = 8;
  thread_local std::vector<Kept> kept;
  for (const Kept& entry : kept) {
    if (entry.serial == serial) return entry.context.get();
  }
  if (kept.size() >= most) kept.erase(kept.begin());
  return kept.emplace_back(serial, prepare_mac(key)).context.get();
}

Failure refuse(const char* detail) { return fail(ErrorKind::unauthenticated, "invalid_token", detail); }
Failure expired() { return fail(ErrorKind::unauthenticated, "token_expired", "The token has expired"); }

std::optional<std::int64_t> seconds_claim(const boost::json::object& claims, std::string_view name) {
  const boost::json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  const std::int64_t seconds = value->get_int64();
  if (seconds < 0 || seconds > last_second) return std::nullopt;
  return seconds;
}

std::optional<std::int64_t> integer_claim(const boost::json::object& claims, std::string_view name,
                                          std::int64_t lowest) {
  const boost::json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < lowest) return std::nullopt;
  return value->get_int64();
}

std::optional<std::string_view> text_claim(const boost::json::object& claims, std::string_view name) {
  const boost::json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return std::string_view(value->get_string());
}

std::optional<Role> role_named(std::string_view name) {
  const auto found = std::ranges::find(role_names, name);
  if (found == role_names.end()) return std::nullopt;
  return static_cast<Role>(found - role_names.begin());
}

// A JSON object without duplicate members, from one part of a token.
std::optional<boost::json::object> decode_object(std::string_view part) {
  const std::optional<std::string> text = base64url_decode(part);
  if (!text || text->empty() || text->front() != '{' || text->back() != '}') return std::nullopt;
  Result<json::Parsed> parsed = json::parse(*text);
  if (!parsed || !parsed->duplicates.empty() || !parsed->value.is_object()) return std::nullopt;
  return std::move(parsed->value.get_object());
}

// Whether the header is one that we write; `kid` is set when it names a key.
bool acceptable_header(const boost::json::object& header, std::optional<std::string_view>& kid) {
  bool algorithm_named = false;
  for (const auto& [name, value] : header) {
    if (!value.is_string()) return false;
    const std::string_view text = value.get_string();
    if (name == "alg") {
      if (text != "HS256") return false;
      algorithm_named = true;
    } else if (name == "typ") {
      if (text != "JWT") return false;
    } else if (name == "kid") {
      kid = text;
    } else {
      return false;  // crit, jwk, jku, x5u, x5c, b64, zip, ...
    }
  }
  return algorithm_named;
}

Result<Claims> read_claims(const boost::json::object& object, const TokenSettings& settings, Timestamp now) {
  const auto expires = seconds_claim(object, "exp");
  const auto issued = seconds_claim(object, "iat");
  if (!expires || !issued) return refuse("The token's times are missing or not whole seconds");
  if (Timestamp{*expires * 1000} <= now) return expired();
  if (Timestamp{*issued * 1000} > now + std::chrono::milliseconds(TokenVerifier::leeway_ms)) {
    return refuse("The token was issued in the future");
  }
  if (object.contains("nbf")) {
    const auto not_before = seconds_claim(object, "nbf");
    if (!not_before ||
        Timestamp{*not_before * 1000} > now + std::chrono::milliseconds(TokenVerifier::leeway_ms)) {
      return refuse("The token is not valid yet");
    }
  }
  if (text_claim(object, "iss") != settings.issuer || text_claim(object, "aud") != settings.audience) {
    return refuse("The token was issued by or for somebody else");
  }
  const auto subject = text_claim(object, "sub");
  const auto user = integer_claim(object, "uid", 1);
  const auto role = role_named(text_claim(object, "role").value_or(""));
  const boost::json::value* is_admin = object.if_contains("is_admin");
  const auto id = text_claim(object, "jti");
  const auto session = integer_claim(object, "sid", 0);
  const auto epoch = integer_claim(object, "ep", 0);
  const bool agreed =
      is_admin != nullptr && is_admin->is_bool() && role && is_admin->get_bool() == (*role == Role::admin);
  if (!subject || !user || !agreed || !id || !session || !epoch) {
    return refuse("The token lacks a claim or has one of a wrong kind");
  }
  Claims claims;
  claims.subject = *subject;
  claims.user = {*user};
  claims.role = *role;
  claims.session = {*session};
  claims.epoch = *epoch;
  claims.id = *id;
  claims.issued_at = {*issued * 1000};
  claims.expires_at = {*expires * 1000};
  return claims;
}

// The verified tokens of one thread, in sets of four found by the last 16 characters of the signature; a new
// token takes the place that was filled longest ago. Those characters are compared as two words before the
// rest, so that the time of comparing tells a guesser nothing: whoever knows 96 bits of the signature needs
// no guess.
class TokenCache {
 public:
  using Tail = std::array<std::uint64_t, 2>;
  struct Entry {
    std::uint64_t verifier = 0;
    Tail tail{};
    std::string token;
    std::shared_ptr<const Claims> claims;
  };

  static Tail tail_of(std::string_view token) {
    Tail tail{};
    std::memcpy(tail.data(), token.data() + (token.size() - sizeof tail), sizeof tail);
    return tail;
  }

  const Entry* find(std::uint64_t verifier, Tail tail, std::string_view token) const {
    if (sets_.empty()) return nullptr;
    for (const Entry& entry : sets_[set_of(tail)].entries) {
      if (entry.tail == tail && entry.verifier == verifier && entry.token == token) return &entry;
    }
    return nullptr;
  }

  void add(Entry entry) {
    if (sets_.empty()) sets_.resize(set_count);
    Set& set = sets_[set_of(entry.tail)];
    set.entries[set.next] = std::move(entry);
    set.next = (set.next + 1) % set.entries.size();
  }

 private:
  struct Set {
    std::array<Entry, 4> entries;
    std::size_t next = 0;
  };
  static constexpr std::size_t set_count = TokenVerifier::cached_tokens_per_thread / 4;

  static std::size_t set_of(Tail tail) {
    return ((tail[0] ^ tail[1]) * 0x9E3779B97F4A7C15U >> 32) % set_count;
  }

  std::vector<Set> sets_;
};

// What is left of a secret when the words and separators of "your-secret-key-change-this-in-production" are
// gone.
std::string without_sample_words(std::string_view secret) {
  constexpr std::array<std::string_view, 40> words = {
      "changeme", "change",   "characters", "production", "development", "placeholder", "luminalib",
      "insecure", "password", "example",    "default",    "replace",     "generate",    "secret",
      "sample",   "random",   "string",     "please",     "signing",     "access",      "secure",
      "token",    "value",    "least",      "bytes",      "super",       "token",       "local",
      "this",     "your",     "with",       "long",       "very",        "here",        "must",
      "test",     "key",      "jwt",        "bit",        "not"};
  std::string left = ascii_lower(secret);
  std::erase_if(left, [](char c) { return c == '-' || c == '_' || c == ' ' || c == '.' || c == '!'; });
  for (std::string_view word : words) {
    for (std::size_t at = left.find(word); at != std::string::npos; at = left.find(word, at)) {
      left.erase(at, word.size());
    }
  }
  return left;
}

}  // namespace

Status check_secret(std::string_view secret, std::size_t min_bytes) {
  const auto weak = [](std::string detail) {
    return fail(ErrorKind::refused, "weak_secret", std::move(detail));
  };
  if (secret.size() < min_bytes) {
    return weak("The secret key must have at least " + std::to_string(min_bytes) + " bytes");
  }
  if (without_sample_words(secret).size() < 16) {
    return weak("The secret key is a sample value; make one of your own");
  }
  // The keys that tutorials print.
  constexpr std::array<std::string_view, 3> published = {
      "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      "qwertyuiopasdfghjklzxcvbnm123456"};
  if (std::ranges::find(published, secret) != published.end()) {
    return weak("The secret key is a published one; make one of your own");
  }
  std::bitset<256> seen;
  std::size_t steps = 0;  // neighbours that are equal or follow each other
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const int here = static_cast<unsigned char>(secret[i]);
    seen.set(static_cast<std::size_t>(here));
    if (i == 0) continue;
    const int step = here - static_cast<unsigned char>(secret[i - 1]);
    if (step >= -1 && step <= 1) ++steps;
  }
  bool repeats = false;
  for (std::size_t period = 1; period <= std::min<std::size_t>(secret.size() / 2, 24); ++period) {
    if (secret.substr(period) == secret.substr(0, secret.size() - period)) repeats = true;
  }
  if (seen.count() < 8 || steps * 2 > secret.size() || repeats) {
    return weak("The secret key follows a pattern; make one from random bytes");
  }
  return {};
}

struct TokenKey::Material {
  std::string secret;
  std::string name;
  std::string header;
  std::uint64_t serial = next_serial();
  ~Material() { OPENSSL_cleanse(secret.data(), secret.size()); }
};

TokenKey::TokenKey(std::string_view secret) {
  if (const Status status = check_secret(secret); !status) throw std::invalid_argument(status.error().detail);
  auto material = std::make_shared<Material>();
  material->secret = secret;
  material->name = hex_encode(hmac_sha256(secret, "luminalib token key name")).substr(0, 16);
  material->header = base64url_encode(R"({"alg":"HS256","typ":"JWT","kid":")" + material->name + R"("})");
  material_ = std::move(material);
}

const std::string& TokenKey::name() const { return material_->name; }
const std::string& TokenKey::header() const { return material_->header; }

std::string TokenKey::mac(std::string_view message) const {
  EVP_MAC_CTX* context = context_of_thread(material_->serial, material_->secret);
  std::string out(mac_bytes, '\0');
  std::size_t written = 0;
  const bool done =
      EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
      EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1 &&
      EVP_MAC_final(context, reinterpret_cast<unsigned char*>(out.data()), &written, out.size()) == 1;
  if (!done || written != mac_bytes) throw std::runtime_error("HMAC-SHA-256 failed");
  return out;
}

TokenIssuer::TokenIssuer(TokenKey key, TokenSettings settings)
    : key_(std::move(key)), settings_(std::move(settings)) {}

std::string TokenIssuer::issue(const Claims& claims) const {
  boost::json::object payload;
  payload["sub"] = claims.subject;
  payload["uid"] = claims.user.value;
  payload["role"] = role_names[static_cast<std::size_t>(claims.role)];
  payload["is_admin"] = claims.role == Role::admin;
  payload["iat"] = claims.issued_at.ms / 1000;
  payload["exp"] = claims.expires_at.ms / 1000;
  payload["jti"] = claims.id;
  payload["sid"] = claims.session.value;
  payload["ep"] = claims.epoch;
  payload["iss"] = settings_.issuer;
  payload["aud"] = settings_.audience;
  std::string token = key_.header() + "." + base64url_encode(boost::json::serialize(payload));
  const std::string signature = base64url_encode(key_.mac(token));
  token += '.';
  token += signature;
  return token;
}

TokenVerifier::TokenVerifier(std::vector<TokenKey> keys, TokenSettings settings)
    : keys_(std::move(keys)), settings_(std::move(settings)), serial_(next_serial()) {
  if (keys_.empty()) throw std::invalid_argument("a token verifier needs a key");
}

Result<Claims> TokenVerifier::verify(std::string_view token, Timestamp now) const {
  if (token.size() > longest_token) return refuse("The token is too long");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last || token.find('.', first + 1) != last) {
    return refuse("A token has three parts");
  }
  const std::optional<std::string> signature = base64url_decode(token.substr(last + 1));
  if (!signature || signature->size() != mac_bytes) return refuse("The token's signature is malformed");

  const std::string_view encoded_header = token.substr(0, first);
  const auto issued_by = [&](const TokenKey& key) { return encoded_header == key.header(); };
  const auto key = std::ranges::find_if(keys_, issued_by);
  const std::string_view signed_part = token.substr(0, last);
  if (key != keys_.end()) {
    if (!constant_time_equal(key->mac(signed_part), *signature))
      return refuse("The token's signature is wrong");
  } else {
    const std::optional<boost::json::object> header = decode_object(encoded_header);
    std::optional<std::string_view> kid;
    if (!header || !acceptable_header(*header, kid)) return refuse("The token's header is not one of ours");
    const bool genuine = std::ranges::any_of(keys_, [&](const TokenKey& candidate) {
      return (!kid || *kid == candidate.name()) &&
             constant_time_equal(candidate.mac(signed_part), *signature);
    });
    if (!genuine) return refuse("The token's signature is wrong");
  }

  const std::optional<boost::json::object> payload = decode_object(token.substr(first + 1, last - first - 1));
  if (!payload) return refuse("The token's payload is not a JSON object");
  return read_claims(*payload, settings_, now);
}

Result<std::shared_ptr<const Claims>> TokenVerifier::check(std::string_view token, Timestamp now) const {
  if (token.size() > longest_token || token.size() < mac_characters) return refuse("A token has three parts");
  thread_local TokenCache cache;
  const TokenCache::Tail tail = TokenCache::tail_of(token);
  if (const TokenCache::Entry* known = cache.find(serial_, tail, token)) {
    if (known->claims->expires_at <= now) return expired();
    return known->claims;
  }
  Result<Claims> claims = verify(token, now);
  if (!claims) return Failure(std::move(claims).error());
  auto shared = std::make_shared<const Claims>(*std::move(claims));
  cache.add({serial_, tail, std::string(token), shared});
  return shared;
}

}  // namespace lumina::security
