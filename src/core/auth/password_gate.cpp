#include "core/auth/password_gate.hpp"

#include "core/auth/email.hpp"
#include "core/auth/session_repository.hpp"
#include "core/http/rate_limiter.hpp"

#include <ranges>
#include <utility>
#include <vector>

namespace lumina::auth {
namespace {

constexpr auto remembered_for = std::chrono::hours(24 * 30);
constexpr int most_remembered = 50'000;

}  // namespace

Failure wrong_credentials() {
  return fail(ErrorKind::unauthenticated, "invalid_credentials", "Incorrect email or password");
}
Failure account_disabled() {
  return fail(ErrorKind::forbidden, "account_disabled", "This account is disabled");
}

Task<Result<Proven>> PasswordGate::prove(std::string email, std::string password, Caller by) {
  std::string key = email_key(email);
  Counted counted{http::address_key(by.address), key};
  if (guard_) {
    if (auto admitted = guard_->admit(counted.address, key); !admitted)
      co_return Failure(std::move(admitted.error()));
  }
  auto look = [key](db::Transaction& tx) { return UserRepository(tx).find_by_email(key); };
  auto account = co_await database_.read(std::move(look));
  if (!account) co_return Failure(std::move(account.error()));
  co_return co_await weigh(std::move(*account), std::move(counted), std::move(password), std::move(by));
}

Task<Result<Proven>> PasswordGate::prove_again(UserId user, std::string password, Caller by,
                                               std::string counted_as) {
  auto look = [user](db::Transaction& tx) { return UserRepository(tx).find(user); };
  auto account = co_await database_.read(std::move(look));
  if (!account) co_return Failure(std::move(account.error()));
  if (!*account) co_return not_found("User not found");
  Counted counted{counted_as.empty() ? http::address_key(by.address) : std::move(counted_as),
                  email_key((*account)->email)};
  if (guard_) {
    if (auto admitted = guard_->admit(counted.address, counted.account); !admitted)
      co_return Failure(std::move(admitted.error()));
  }
  auto proven = co_await weigh(std::move(*account), std::move(counted), std::move(password), std::move(by));
  if (!proven && proven.error().kind == ErrorKind::unauthenticated)
    co_return fail(ErrorKind::refused, "wrong_password", "The current password is incorrect");
  co_return std::move(proven);
}

Task<Result<Proven>> PasswordGate::weigh(std::optional<Account> account, Counted counted,
                                         std::string password, Caller by) {
  std::optional<std::string> stored;
  if (account) stored = account->password_hash;
  auto check = co_await work_.check(std::move(password), std::move(stored));
  if (!check) co_return Failure(std::move(check.error()));
  const std::optional<UserId> user = account ? std::optional(account->id) : std::nullopt;
  if (!check->right) {
    if (guard_) guard_->failed(counted.address, counted.account);
    auto noted = co_await note_failure(user, R"({"reason":"wrong_credentials"})", by);
    if (!noted) co_return Failure(std::move(noted.error()));
    co_return wrong_credentials();
  }
  if (!account->is_active) {
    auto noted = co_await note_failure(user, R"({"reason":"account_disabled"})", by);
    if (!noted) co_return Failure(std::move(noted.error()));
    co_return account_disabled();
  }
  if (guard_) guard_->succeeded(counted.address, counted.account);
  Proven proven{std::move(*account), std::move(check->stronger_hash)};
  co_return std::move(proven);
}

Task<Status> PasswordGate::note_failure(std::optional<UserId> user, const char* reason, Caller by) {
  auto work = [this, user, reason, by = std::move(by)](db::Transaction& tx) -> Status {
    const auto subject = user ? std::optional(user->value) : std::nullopt;
    journal_.refused(tx, by, "auth.login_failed", "user", subject, reason);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Status PasswordGate::remember_known_addresses(Timestamp now) {
  if (!guard_) return {};
  auto look = [now](db::Transaction& tx) {
    return SessionRepository(tx).known_addresses(now - remembered_for, most_remembered);
  };
  auto known = database_.read_now(std::move(look));
  if (!known) return Failure(std::move(known.error()));
  // The last used comes last, for the guard keeps the newest of each account.
  for (const auto& [address, key] : std::views::reverse(*known))
    guard_->remember(http::address_key(address), key);
  return {};
}

void PasswordGate::forget(std::string_view email) {
  if (guard_) guard_->forget(email_key(email));
}

}  // namespace lumina::auth
