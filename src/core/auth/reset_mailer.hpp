// Sends the token that resets a forgotten password to its owner.
#pragma once
#include "core/auth/model.hpp"
#include "core/base/caller.hpp"
#include "core/db/transaction.hpp"

#include <string>

namespace lumina::auth {

class ResetMailer {
 public:
  virtual ~ResetMailer() = default;
  // In the transaction of the request: writes down, with the same work for every address, that somebody
  // asked, and has AuthService::begin_reset() called later. False when no mail can be sent. Must not keep the
  // address readable. Any database thread.
  virtual bool take_request(db::Transaction& tx, const std::string& email, const Caller& by) = 0;
};

// For a server that cannot send mail: the request is written to the audit log, and a line of the log tells
// the administrator.
class NoMail final : public ResetMailer {
 public:
  bool take_request(db::Transaction& tx, const std::string& email, const Caller& by) override;
};

}  // namespace lumina::auth
