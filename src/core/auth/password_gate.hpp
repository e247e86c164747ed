// The one way in by e-mail address and password: guarded against guessing, the same for addresses that nobody
// has.
#pragma once
#include "core/auth/password_work.hpp"
#include "core/auth/repository.hpp"
#include "core/base/caller.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/security/login_guard.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lumina::auth {

// Somebody who knew the password.
struct Proven {
  Account account;
  std::string stronger_hash;  // to store instead, when not empty
};

class PasswordGate {
 public:
  // `guard` may be null: then guessing is not slowed down (measurements, tests).
  PasswordGate(db::Database& database, events::Journal& journal, PasswordWork& work,
               security::LoginGuard* guard)
      : database_(database), journal_(journal), work_(work), guard_(guard) {}

  // Errors: rate_limited before anything is hashed; unauthenticated "invalid_credentials", with the same
  // words and in the same time whether the address is unknown or the password wrong; forbidden
  // "account_disabled" to those who know the password; unavailable. Failures leave an audit row without the
  // address or the password.
  Task<Result<Proven>> prove(std::string email, std::string password, Caller by);
  // The same for somebody who is signed in: unauthenticated becomes refused "wrong_password".
  // `counted_as`: attempts count for this instead of the address of the caller, for machines at which one
  // person after the other stands.
  Task<Result<Proven>> prove_again(UserId user, std::string password, Caller by, std::string counted_as = {});

  // At the start, blocking: lets in again from where people signed in during the last 30 days, whoever
  // guesses their passwords from elsewhere.
  Status remember_known_addresses(Timestamp now);
  // Forgets failures and known addresses of the account: its password was reset, or it is gone.
  void forget(std::string_view email);

 private:
  // Who is counted, in the words of the guard.
  struct Counted {
    std::string address, account;
  };
  Task<Result<Proven>> weigh(std::optional<Account> account, Counted counted, std::string password,
                             Caller by);
  Task<Status> note_failure(std::optional<UserId> user, const char* reason, Caller by);

  db::Database& database_;
  events::Journal& journal_;
  PasswordWork& work_;
  security::LoginGuard* guard_;
};

Failure wrong_credentials();
Failure account_disabled();

}  // namespace lumina::auth
