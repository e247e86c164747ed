// Passwords: bcrypt hashes, and which passwords are good enough to be accepted.
//
// Hashes are `$2b$` of libcrypt, so what other systems hashed with bcrypt ($2a$, $2b$, $2y$) verifies here.
// bcrypt reads 72 bytes and stops at a NUL. A password that it would cut (longer than 72 bytes, or with a NUL
// inside) is therefore first turned into the byte 0xFF followed by base64(HMAC-SHA-256(fixed label,
// password)), and that is what bcrypt hashes. Verifying decides by the same rule, from the password alone:
// every hash of a password of up to 72 bytes stays as any bcrypt wrote it, and two long passwords with a
// common start differ. The leading 0xFF is never part of UTF-8 text, so no other password equals a prehashed
// one (a password that starts with it is prehashed too). A hash that another system made by cutting a longer
// password does not verify: that person resets the password.
//
// A hash costs about 0.3 s at cost 12: run it on the cpu pool. Everything here is thread-safe.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace lumina::security {

class PasswordHasher {
 public:
  static constexpr int lowest_cost = 4;  // for tests; production wants 10 at least
  static constexpr int highest_cost = 16;
  static constexpr int default_cost = 12;

  // Throws std::invalid_argument when the cost (log2 of the rounds) is outside the range above.
  explicit PasswordHasher(int cost = default_cost);

  // A new salted hash, 60 characters. Throws std::runtime_error when libcrypt cannot.
  std::string hash(std::string_view password) const;

  // Whether the password made this hash. False for anything that is not a well-formed bcrypt hash of a cost
  // up to highest_cost; such a stored value still costs one hash of time.
  bool verify(std::string_view password, std::string_view stored) const;

  // Spends the time of verify() and is always false: for accounts that do not exist, or have no password.
  bool verify_nobody(std::string_view password) const;

  // Whether a hash that verified should be replaced: another kind, or a lower cost than ours.
  bool needs_rehash(std::string_view stored) const;

  int cost() const { return cost_; }

 private:
  const int cost_;
  std::string nobody_;  // a well-formed hash of the same cost whose password nobody knows
};

// A reason to refuse a password, for the field that held it. Types: "length", "weak_password".
struct PasswordFault {
  std::string message;
  std::string type;
};

struct PasswordPolicy {
  std::size_t min_length = 8;  // code points
  std::size_t max_length = 100;
  bool refuse_common = true;  // the list of common_passwords.txt, and the person's own e-mail address

  // Every fault at once; empty when the password may be used. The e-mail may be empty when it is not known.
  std::vector<PasswordFault> check(std::string_view password, std::string_view email) const;
};

// Whether the password, ASCII case aside, is on the embedded list of several thousand that people use most.
bool is_common_password(std::string_view password);

}  // namespace lumina::security
