#include "core/security/password.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <crypt.h>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace lumina::security {
namespace {

constexpr std::size_t bcrypt_limit = 72;  // bytes
constexpr std::size_t hash_length = 60;
constexpr std::size_t salt_bytes = 16;
constexpr char prehash_mark = '\xFF';

// Sorted by byte. Ranked by how often people used them (the frequency list of zxcvbn, MIT, after Mark
// Burnett's public-domain collection), with keyboard walks and the usual endings on the usual words added.
constexpr char common_passwords[] = {
#embed "common_passwords.txt"
    , '\0'};

// libcrypt wants 32 KB of scratch space; it held a password, so it is wiped.
struct Scratch {
  crypt_data data{};
  ~Scratch() { OPENSSL_cleanse(&data, sizeof data); }
};

// What bcrypt gets to read: see the header.
std::string bcrypt_input(std::string_view password) {
  const bool cut =
      password.size() > bcrypt_limit || password.contains('\0') || password.starts_with(prehash_mark);
  if (!cut) return std::string(password);
  return prehash_mark + base64_encode(hmac_sha256("luminalib password longer than bcrypt reads", password));
}

// Empty when libcrypt refuses the setting.
std::string bcrypt(std::string_view password, const std::string& setting) {
  std::string input = bcrypt_input(password);
  const auto scratch = std::make_unique<Scratch>();
  const char* hash = crypt_r(input.c_str(), setting.c_str(), &scratch->data);
  OPENSSL_cleanse(input.data(), input.size());
  return hash != nullptr && std::strlen(hash) == hash_length ? std::string(hash) : std::string();
}

// The cost of a well-formed bcrypt hash; nothing for any other text. crypt_r alone would take "garbage" for a
// DES salt.
std::optional<int> cost_of(std::string_view stored) {
  if (stored.size() != hash_length || stored[6] != '$') return std::nullopt;
  const std::string_view kind = stored.substr(0, 4);
  if (kind != "$2b$" && kind != "$2a$" && kind != "$2y$") return std::nullopt;
  int cost = 0;
  const auto [end, fault] = std::from_chars(stored.data() + 4, stored.data() + 6, cost);
  if (fault != std::errc{} || end != stored.data() + 6) return std::nullopt;
  if (cost < PasswordHasher::lowest_cost || cost > PasswordHasher::highest_cost) return std::nullopt;
  constexpr std::string_view alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  if (stored.substr(7).find_first_not_of(alphabet) != std::string_view::npos) return std::nullopt;
  return cost;
}

const std::vector<std::string_view>& common_list() {
  static const std::vector<std::string_view> lines = [] {
    std::vector<std::string_view> list;
    std::string_view rest(common_passwords, sizeof common_passwords - 1);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      list.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return list;
  }();
  return lines;
}

}  // namespace

PasswordHasher::PasswordHasher(int cost) : cost_(cost) {
  if (cost < lowest_cost || cost > highest_cost) {
    throw std::invalid_argument("the bcrypt cost must be between 4 and 16");
  }
  nobody_ = std::string(cost < 10 ? "$2b$0" : "$2b$") + std::to_string(cost) +
            "$LuminaLibNobodyHasThi.sPasswordAtAllBecauseItIsADummy";
  nobody_.resize(hash_length, '.');
}

std::string PasswordHasher::hash(std::string_view password) const {
  const std::string salt = random_bytes(salt_bytes);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost_), salt.data(), static_cast<int>(salt.size()),
                       setting, sizeof setting) == nullptr) {
    throw std::runtime_error("libcrypt offers no bcrypt");
  }
  std::string hash = bcrypt(password, setting);
  if (!cost_of(hash)) throw std::runtime_error("libcrypt failed to hash a password");
  return hash;
}

bool PasswordHasher::verify(std::string_view password, std::string_view stored) const {
  if (!cost_of(stored)) return verify_nobody(password);
  const std::string expected(stored);
  return constant_time_equal(bcrypt(password, expected), expected);
}

bool PasswordHasher::verify_nobody(std::string_view password) const {
  // Only the time matters; the comparison keeps the work from being optimised away and costs what verify()
  // pays.
  volatile bool unused = constant_time_equal(bcrypt(password, nobody_), nobody_);
  (void)unused;
  return false;
}

bool PasswordHasher::needs_rehash(std::string_view stored) const {
  const std::optional<int> cost = cost_of(stored);
  return !cost || *cost < cost_ || !stored.starts_with("$2b$");
}

bool is_common_password(std::string_view password) {
  return std::ranges::binary_search(common_list(), std::string_view(ascii_lower(password)));
}

std::vector<PasswordFault> PasswordPolicy::check(std::string_view password, std::string_view email) const {
  std::vector<PasswordFault> faults;
  const std::size_t length = utf8_length(password);
  if (length < min_length || length > max_length) {
    faults.push_back({"must have between " + std::to_string(min_length) + " and " +
                          std::to_string(max_length) + " characters",
                      "length"});
  }
  if (!refuse_common) return faults;
  if (is_common_password(password)) {
    faults.push_back({"is one of the passwords that are guessed first", "weak_password"});
  }
  const std::string_view local_part = email.substr(0, email.rfind('@'));
  if (!email.empty() && (iequals(password, email) || iequals(password, local_part))) {
    faults.push_back({"must not be your own e-mail address", "weak_password"});
  }
  return faults;
}

}  // namespace lumina::security
