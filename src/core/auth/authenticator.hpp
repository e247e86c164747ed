// Turns what a request carries into a Caller: a bearer token, an API key, or (when turned on) a name and
// password.
//
// The usual case, a token that was seen before and a person whose state is in memory, is answered at once,
// without a coroutine, a hop or the database. Role and standing always come from the state, never from the
// token: a token whose epoch is old, whose session ended, or whose owner is deactivated or gone is refused.
//
// Error kinds: unauthenticated, with code "token_expired" or "invalid_token" (which also stands for an
// Authorization header that cannot be read or has another scheme), "invalid_api_key", or those of
// PasswordGate; unavailable.
#pragma once
#include "core/auth/account_states.hpp"
#include "core/auth/password_gate.hpp"
#include "core/auth/settings.hpp"
#include "core/base/clock.hpp"
#include "core/db/database.hpp"
#include "core/http/pipeline.hpp"
#include "core/security/token.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lumina::auth {

class RequestAuthenticator final : public http::Authenticator {
 public:
  // Everything must outlive it.
  RequestAuthenticator(db::Database& database, const Clock& clock, const security::TokenVerifier& tokens,
                       AccountStates& states, PasswordGate& gate, const LiveAuthSettings& settings);

  Eventual<Result<Caller>> authenticate(const http::Request& request, Caller known) override;

 private:
  using ClaimsPtr = std::shared_ptr<const security::Claims>;

  Eventual<Result<Caller>> by_token(std::string_view token, Caller&& known);
  Task<Result<Caller>> by_token_later(ClaimsPtr claims, Caller known);
  Eventual<Result<Caller>> by_key(std::string_view key, Caller&& known);
  Task<Result<Caller>> by_key_later(std::string key, std::string prefix, std::optional<UserId> owner,
                                    Caller known);
  Eventual<Result<Caller>> by_password(const http::Request& request, std::string_view encoded,
                                       Caller&& known);
  Task<Result<Caller>> by_password_later(std::string email, std::string password, std::string pair,
                                         Caller known);

  // Reads the state and keeps it.
  Task<Result<AccountStatePtr>> read_state(UserId user);
  Task<void> touch_session(SessionId session);
  Task<void> touch_key(ApiKeyId key);

  // Name and password that were right a moment ago, by their digest under a key of this process.
  struct KnownPair {
    UserId user;
    std::string password_mark;
    std::chrono::steady_clock::time_point until;
  };
  std::optional<KnownPair> find_pair(const std::string& pair);
  void keep_pair(const std::string& pair, KnownPair known);

  db::Database& database_;
  const Clock& clock_;
  const security::TokenVerifier& tokens_;
  AccountStates& states_;
  PasswordGate& gate_;
  const LiveAuthSettings& settings_;
  const std::string pair_key_;
  std::mutex pairs_mutex_;
  std::unordered_map<std::string, KnownPair> pairs_;
};

}  // namespace lumina::auth
