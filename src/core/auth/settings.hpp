// What the library decides about accounts; app.cpp fills it from the configuration, and again on a reload.
#pragma once
#include "core/security/password.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

namespace lumina::auth {

struct AuthSettings {
  std::chrono::minutes access_life{30};     // of an access token
  std::chrono::hours refresh_life{24 * 7};  // of a refresh token, which is used once
  std::chrono::hours session_idle{24};      // a session that is not used for so long ends
  int most_sessions = 50;                   // of one person; the longest unused ends
  int most_api_keys = 50;                   // of one person
  std::chrono::minutes reset_life{30};      // of a password reset token
  std::chrono::minutes bootstrap_life{30};  // of the token for the first administrator
  security::PasswordPolicy policy;
  bool basic_auth = false;  // accept HTTP Basic: over TLS, or from this machine
};

// Thread-safe; a reader keeps what it got.
class LiveAuthSettings {
 public:
  explicit LiveAuthSettings(AuthSettings settings) { set(std::move(settings)); }
  std::shared_ptr<const AuthSettings> get() const {
    std::lock_guard lock(mutex_);
    return settings_;
  }
  void set(AuthSettings settings) {
    auto fresh = std::make_shared<const AuthSettings>(std::move(settings));
    std::lock_guard lock(mutex_);
    settings_ = std::move(fresh);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const AuthSettings> settings_;
};

}  // namespace lumina::auth
