#include "core/auth/bootstrap.hpp"

#include "core/security/random.hpp"

namespace lumina::auth {

std::string BootstrapToken::offer(Timestamp now, std::chrono::milliseconds life) {
  std::string token = security::opaque_token();
  std::lock_guard lock(mutex_);
  digest_ = security::sha256(token);
  expires_at_ = now + life;
  claimed_ = false;
  return token;
}

bool BootstrapToken::claim(std::string_view token, Timestamp now) {
  const std::string digest = security::sha256(token);
  std::lock_guard lock(mutex_);
  if (digest_.empty() || claimed_ || expires_at_ <= now) return false;
  claimed_ = security::constant_time_equal(digest, digest_);
  return claimed_;
}

void BootstrapToken::spend() {
  std::lock_guard lock(mutex_);
  digest_.clear();
  claimed_ = false;
}

void BootstrapToken::give_back() {
  std::lock_guard lock(mutex_);
  claimed_ = false;
}

}  // namespace lumina::auth
