// Hashing of passwords away from the io threads, on a bounded pool of its own.
//
// A hash takes 0.3 s of a core at cost 12, so the pool should have about half as many threads as there are
// cores and a queue of a few hundred; a full one is Error{unavailable} at once (503 with Retry-After). The
// threads that hash run at a lower priority (nice +10, batch scheduling) from their first hash on, so that 20
// logins in flight do not slow down everybody's reading. Give the pool to nothing else.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/runtime/pool.hpp"
#include "core/security/password.hpp"

#include <optional>
#include <string>

namespace lumina::auth {

// What a check of a password found.
struct PasswordCheck {
  bool right = false;
  std::string stronger_hash;  // of the right password, when the stored hash should be replaced; else empty
};

class PasswordWork {
 public:
  PasswordWork(runtime::Pool& pool, const security::PasswordHasher& hasher) : pool_(pool), hasher_(hasher) {}

  Task<Result<std::string>> hash(std::string password);
  // Takes the same time without a stored hash (nobody has that address) and is false then.
  Task<Result<PasswordCheck>> check(std::string password, std::optional<std::string> stored);

  // For the command line and start-up, on the calling thread.
  const security::PasswordHasher& hasher() const { return hasher_; }

 private:
  runtime::Pool& pool_;
  const security::PasswordHasher& hasher_;
};

}  // namespace lumina::auth
