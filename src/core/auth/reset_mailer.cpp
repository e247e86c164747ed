#include "core/auth/reset_mailer.hpp"

#include "core/telemetry/log.hpp"

namespace lumina::auth {

bool NoMail::take_request(db::Transaction&, const std::string&, const Caller& by) {
  log::warn(
      "somebody asked to reset a password, but mail is not configured; an administrator can set a new one "
      "with 'luminalib admin reset-password'",
      {{"request_id", by.request_id}});
  return false;
}

}  // namespace lumina::auth
