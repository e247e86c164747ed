#include "core/auth/email_change.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/email.hpp"
#include "core/auth/repository.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"

#include <utility>

namespace lumina::auth {
namespace {

constexpr auto token_life = std::chrono::hours(24);

events::Change about_user(std::string_view type, UserId user) {
  return {.type = type, .resource = "user", .resource_id = user.value, .subject = user};
}

Caller as(Caller by, UserId user) {
  by.user = user;
  return by;
}

}  // namespace

std::vector<schema::Field> NewEmail::fields() {
  return {{"email",
           &NewEmail::email,
           "The new address",
           {schema::format("email", &is_email, "must be an e-mail address of at most 255 characters")}},
          {"current_password", &NewEmail::current_password, "Your password", {schema::length(1, 1024)}}};
}
std::vector<schema::Field> EmailConfirmation::fields() {
  return {{"token", &EmailConfirmation::token, "From the mail", {schema::length(1, 200)}}};
}

void NoAddressMail::send_confirmation(db::Transaction&, const User& who, const std::string&,
                                      const std::string&, Timestamp) {
  log::warn(
      "somebody asked to change an e-mail address, but mail is not configured; the token reaches nobody",
      {{"user_id", who.id.value}});
}
void NoAddressMail::send_notice(db::Transaction&, const std::string&, const User& who) {
  log::warn("an e-mail address was changed, and the old one is not told, for mail is not configured",
            {{"user_id", who.id.value}});
}

Task<Status> EmailChanges::request(NewEmail wanted, Caller by) {
  if (auto person = check_signed_in_person(by); !person) co_return Failure(std::move(person.error()));
  auto proven = co_await gate_.prove_again(by.id(), std::move(wanted.current_password), by);
  if (!proven) co_return Failure(std::move(proven.error()));
  auto work = [this, address = wanted.email, token = security::opaque_token(),
               password = proven->account.password_hash, by](db::Transaction& tx) -> Status {
    UserRepository users(tx);
    const auto account = users.find_locked(by.id());
    if (!account) return no_such_user();
    // Between the proof and here the password may have been changed, because somebody else knew it.
    if (account->password_hash != password)
      return fail(ErrorKind::refused, "wrong_password", "The current password is incorrect");
    const auto key = email_key(address);
    const auto holder = users.find_by_email(key);
    if (holder && holder->id == by.id() && account->email == address)
      return fail(ErrorKind::refused, "same_email", "This is your address already");
    if (holder && holder->id != by.id()) return email_taken();
    const Timestamp now = clock_.now();
    users.insert_email_change(security::sha256_hex(token), by.id(), address, key, now, now + token_life);
    journal_.record(tx, by, about_user("user.email_change_requested", by.id()));
    mailer_.send_confirmation(tx, *account, address, token, now + token_life);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> EmailChanges::confirm(EmailConfirmation confirmation, Caller by) {
  auto work = [this, hash = security::sha256_hex(confirmation.token),
               by = std::move(by)](db::Transaction& tx) -> Result<std::string> {
    UserRepository users(tx);
    const Timestamp now = clock_.now();
    const auto wanted = users.use_email_change(hash, now);
    const auto account = wanted ? users.find_locked(wanted->user) : std::nullopt;
    if (!account)
      return fail(ErrorKind::refused, "invalid_email_token", "The token is not valid or has expired");
    if (!users.set_email(account->id, wanted->email, wanted->email_key, now)) return email_taken();
    journal_.record(tx, as(by, account->id), about_user("user.email_changed", account->id));
    mailer_.send_notice(tx, account->email, *users.find(account->id));
    return account->email;
  };
  auto old_address = co_await database_.write(std::move(work));
  if (!old_address) co_return Failure(std::move(old_address.error()));
  gate_.forget(*old_address);
  co_return Status{};
}

}  // namespace lumina::auth
