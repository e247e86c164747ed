#include "core/auth/reset_mailer.hpp"

#include "core/telemetry/log.hpp"

namespace lumina::auth {

void NoMail::send_reset(const User& to, const std::string&) {
  log::warn(
      "somebody asked to reset a password, but mail is not configured; an administrator can set a new one "
      "with "
      "'luminalib admin reset-password'",
      {{"user_id", to.id.value}});
}

}  // namespace lumina::auth
