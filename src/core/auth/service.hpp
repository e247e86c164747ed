// Signing up, in and out: accounts, sessions, refresh tokens, passwords.
//
// Public functions are awaited on an io thread. What changes the standing of somebody is journalled in the
// same transaction, and the event drops the person's state (account_states.hpp) before the answer goes out: a
// token is refused from that moment on. Passwords and tokens appear in no event, audit row or log line.
#pragma once
#include "core/auth/bootstrap.hpp"
#include "core/auth/model.hpp"
#include "core/auth/password_gate.hpp"
#include "core/auth/password_work.hpp"
#include "core/auth/reset_mailer.hpp"
#include "core/auth/settings.hpp"
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/security/token.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace lumina::auth {

class AuthService {
 public:
  AuthService(db::Database& database, const Clock& clock, events::Journal& journal, PasswordWork& work,
              PasswordGate& gate, const security::TokenIssuer& issuer, ResetMailer& mailer,
              const LiveAuthSettings& settings);

  Task<Result<User>> sign_up(NewUser user, Caller by);
  // `agent` is what the client calls itself.
  Task<Result<SignedIn>> sign_in(std::string email, std::string password, std::string agent, Caller by);
  // Uses the token up. One that was used before ends its session and every token of it.
  Task<Result<SignedIn>> refresh(std::string refresh_token, std::string agent, Caller by);
  // Ends the caller's session, and that of the refresh token if it is the caller's too.
  Task<Status> sign_out(std::optional<std::string> refresh_token, Caller by);

  Task<Result<std::vector<Session>>> sessions(Caller by);
  Task<Status> end_session(SessionId session, Caller by);
  Task<Status> end_all_sessions(Caller by);

  // Ends every other session of the caller.
  Task<Status> change_password(PasswordChange change, Caller by);
  // Answers alike whether the address is known or not; at most one message a minute goes to an account.
  Task<Status> request_reset(std::string email, Caller by);
  // Inside somebody's unit of work: the account of that address gets the token. Nothing when nobody has the
  // address, or got one in the last minute. `life` is the configured one when empty.
  struct Reset {
    User user;
    Timestamp expires_at;
  };
  std::optional<Reset> begin_reset(db::Transaction& tx, const std::string& email_key,
                                   const std::string& token, const Caller& by,
                                   std::optional<std::chrono::minutes> life = {});
  // Ends every session of the account.
  Task<Status> confirm_reset(ResetConfirmation confirmation, Caller by);

  // The token for make_first_admin(): to be printed at start when there is no administrator. See
  // BootstrapToken.
  std::string offer_bootstrap();
  Task<Result<User>> make_first_admin(FirstAdmin first, Caller by);

  // Deletes sessions and tokens that expired 30 days ago or earlier; for a daily job.
  Task<Status> purge();

 private:
  // A refresh token that was made and the session that it continues.
  struct Opened {
    Account account;
    SessionId session;
    bool reused = false;  // the token had been used before: the session is ended instead
  };
  SignedIn issue(Opened opened, std::string refresh_token) const;

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  PasswordWork& work_;
  PasswordGate& gate_;
  const security::TokenIssuer& issuer_;
  ResetMailer& mailer_;
  const LiveAuthSettings& settings_;
  BootstrapToken bootstrap_;
};

}  // namespace lumina::auth
