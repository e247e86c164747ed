// The token with which whoever can read the server's output makes its first administrator, once, for a
// limited time.
#pragma once
#include "core/base/clock.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace lumina::auth {

// In memory of this process only. Thread-safe.
class BootstrapToken {
 public:
  // A new token, 43 characters; replaces the one before.
  std::string offer(Timestamp now, std::chrono::milliseconds life);
  // Whether this is the token and nobody else is using it. Then spend() or give_back() must follow.
  bool claim(std::string_view token, Timestamp now);
  void spend();
  void give_back();

 private:
  std::mutex mutex_;
  std::string digest_;  // of the token; empty: none is offered
  Timestamp expires_at_;
  bool claimed_ = false;
};

}  // namespace lumina::auth
