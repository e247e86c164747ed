#include "core/auth/administration.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/email.hpp"
#include "core/auth/session_repository.hpp"

#include <utility>

namespace lumina::auth {

Status Administration::check(const std::string& email, const std::string& password) const {
  if (!is_email(email))
    return invalid({{{"body", "email"}, "must be an e-mail address of at most 255 characters", "email"}});
  return check_password_choice(policy_, password, email, "password");
}

Result<User> Administration::create_admin(const std::string& email, const std::string& password,
                                          const std::string& full_name) {
  if (auto good = check(email, password); !good) return Failure(std::move(good.error()));
  if (clean_name(full_name).empty())
    return invalid({{{"body", "full_name"}, "must not be blank", "not-blank"}});
  auto work = [this, row = account_row(email, full_name, hasher_.hash(password), Role::admin)](
                  db::Transaction& tx) -> Result<User> {
    UserRepository users(tx);
    const auto id = users.insert(row, clock_.now());
    if (!id) return email_taken();
    journal_.record(
        tx, Caller::system("create_admin"),
        {.type = "user.registered", .resource = "user", .resource_id = id->value, .subject = *id});
    return User(*users.find(*id));
  };
  return database_.write_now(std::move(work));
}

Status Administration::reset_password(const std::string& email, const std::string& password) {
  if (auto good = check(email, password); !good) return Failure(std::move(good.error()));
  auto work = [this, key = email_key(email), hash = hasher_.hash(password)](db::Transaction& tx) -> Status {
    UserRepository users(tx);
    const auto account = users.find_by_email(key);
    if (!account) return no_such_user();
    const Timestamp now = clock_.now();
    users.set_password(account->id, hash, now);
    users.raise_epoch(account->id);
    SessionRepository(tx).end_others(account->id, SessionId{}, now);
    journal_.record(tx, Caller::system("reset_password"),
                    {.type = "user.password_reset",
                     .resource = "user",
                     .resource_id = account->id.value,
                     .subject = account->id});
    return {};
  };
  return database_.write_now(std::move(work));
}

Result<std::vector<User>> Administration::admins() {
  auto work = [](db::Transaction& tx) { return UserRepository(tx).admins(); };
  return database_.read_now(std::move(work));
}

Result<bool> Administration::has_admin() {
  auto work = [](db::Transaction& tx) { return UserRepository(tx).active_admins() > 0; };
  return database_.read_now(std::move(work));
}

Result<bool> Administration::create_first_admin(const std::string& email, const std::string& password) {
  const auto present = admins();
  if (!present) return Failure(present.error());
  if (!present->empty()) return false;
  auto made = create_admin(email, password);
  if (!made) return Failure(std::move(made.error()));
  return true;
}

}  // namespace lumina::auth
