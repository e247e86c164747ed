// Sends the token that resets a forgotten password to its owner.
#pragma once
#include "core/auth/model.hpp"

#include <string>

namespace lumina::auth {

class ResetMailer {
 public:
  virtual ~ResetMailer() = default;
  // Called on an io thread once the token is stored: hands the message over and returns at once. Must not
  // throw, and must not write the token anywhere but into the message. Thread-safe.
  virtual void send_reset(const User& to, const std::string& token) = 0;
};

// For a server that cannot send mail: says so in the log, without the token, which then reaches nobody.
class NoMail final : public ResetMailer {
 public:
  void send_reset(const User& to, const std::string& token) override;
};

}  // namespace lumina::auth
