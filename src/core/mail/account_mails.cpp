#include "core/mail/account_mails.hpp"

#include "core/auth/email.hpp"
#include "core/json/codec.hpp"
#include "core/security/random.hpp"

#include <chrono>
#include <utility>

namespace lumina::mail {
namespace {

constexpr std::string_view reset_job = "auth.reset";
constexpr auto invitation_life = std::chrono::hours(24 * 7);

// A request as it waits, sealed.
struct Asked {
  std::string email, address, request_id;
  bool invited = false;
  static constexpr std::string_view type_name = "ResetAsked";
  static std::vector<schema::Field> fields() {
    return {{"email", &Asked::email, "Whose account"},
            {"address", &Asked::address, "Where the request came from"},
            {"request_id", &Asked::request_id, "Of the request"},
            {"invited", &Asked::invited, "Whether the library asks"}};
  }
};

std::string greeting(const auth::User& who) { return "Hello " + HeaderText::of(who.full_name).text() + ","; }

}  // namespace

void AccountMails::handle_jobs(jobs::Runner& runner, auth::AuthService& accounts) {
  if (!mailer_.on()) return;
  runner.handle(std::string(reset_job), {.concurrency = 1},
                [this, &accounts](jobs::JobContext& job) { return answer(job, accounts); });
}

bool AccountMails::take_request(db::Transaction& tx, const std::string& email, const Caller& by) {
  return ask(tx, email, by, false);
}
bool AccountMails::invite(db::Transaction& tx, const std::string& email, const Caller& by) {
  return ask(tx, email, by, true);
}

bool AccountMails::ask(db::Transaction& tx, const std::string& email, const Caller& by, bool invited) {
  if (!mailer_.on()) return false;
  jobs::NewJob job;
  job.kind = reset_job;
  job.payload = json::encode(mailer_.seal(json::encode(Asked{email, by.address, by.request_id, invited})));
  job.priority = invited ? jobs::Priority::bulk : jobs::Priority::interactive;
  queue_.enqueue(tx, job);
  return true;
}

Result<std::string> AccountMails::answer(jobs::JobContext& job, auth::AuthService& accounts) {
  const auto payload = json::decode<std::string>(job.payload());
  if (!payload) return Failure(payload.error());
  const auto opened = mailer_.unseal(*payload);
  const auto asked = opened ? json::decode<Asked>(*opened) : Result<Asked>(std::unexpect);
  if (!asked)
    return fail(ErrorKind::refused, "mail_unreadable",
                "The request cannot be read any more: it was sealed with another secret_key");
  Caller by;
  by.address = asked->address;
  by.request_id = asked->request_id;
  const std::string token = security::opaque_token();
  auto work = [&](db::Transaction& tx) -> Status {
    if (auto done = job.complete(tx, "null"); !done) return done;
    const auto life = asked->invited ? std::optional(std::chrono::minutes(invitation_life)) : std::nullopt;
    const auto reset = accounts.begin_reset(tx, auth::email_key(asked->email), token, by, life);
    if (!reset) return {};
    const auto& who = reset->user;
    Letter letter;
    letter.greeting = greeting(who);
    if (asked->invited) {
      letter.subject = HeaderText::of("Your account at the library");
      letter.paragraphs = {"the library has made an account for you. Choose a password to use it."};
      letter.link = link("Choose a password", "/reset-password", token);
    } else {
      letter.subject = HeaderText::of("Choose a new password");
      letter.paragraphs = {"somebody, probably you, has forgotten the password of this account."};
      letter.link = link("Choose a new password", "/reset-password", token);
    }
    letter.afterwards = {"The token, where it is asked for: " + token,
                         "It works once and until " + to_rfc3339(reset->expires_at) +
                             ". If you did not ask for it, leave it be: nothing has changed."};
    send(tx, who, who.email, asked->invited ? "invitation" : "password_reset",
         "reset " + security::sha256_hex(token), std::move(letter), reset->expires_at);
    return {};
  };
  if (auto done = database_.write_now(std::move(work)); !done) return Failure(std::move(done.error()));
  return std::string("null");
}

void AccountMails::send_confirmation(db::Transaction& tx, const auth::User& who,
                                     const std::string& new_address, const std::string& token,
                                     Timestamp expires_at) {
  Letter letter;
  letter.subject = HeaderText::of("Confirm your e-mail address");
  letter.greeting = greeting(who);
  letter.paragraphs = {"you asked to use this address for your account at the library."};
  letter.link = link("Confirm this address", "/confirm-email", token);
  letter.afterwards = {"The token, where it is asked for: " + token,
                       "It works once and until " + to_rfc3339(expires_at) +
                           ". If you did not ask for it, leave it be: nothing has changed."};
  send(tx, who, new_address, "email_change", "email " + security::sha256_hex(token), std::move(letter),
       expires_at);
}

void AccountMails::send_notice(db::Transaction& tx, const std::string& old_address, const auth::User& who) {
  Letter letter;
  letter.subject = HeaderText::of("Your e-mail address was changed");
  letter.greeting = greeting(who);
  letter.paragraphs = {
      "your account at the library has another e-mail address from now on, and this one is no longer used.",
      "If this was not you, ask the library at once."};
  send(tx, who, old_address, "email_changed", "email changed " + security::opaque_token(), std::move(letter));
}

std::optional<Link> AccountMails::link(std::string label, std::string_view page,
                                       const std::string& token) const {
  if (public_url_.empty()) return std::nullopt;
  return Link{std::move(label), public_url_ + std::string(page) + "#token=" + token};
}

void AccountMails::send(db::Transaction& tx, const auth::User& who, const std::string& address,
                        std::string_view kind, std::string key, Letter letter,
                        std::optional<Timestamp> not_after) {
  auto to = Address::make(address, who.full_name);
  if (!to) return;  // an account from before addresses were checked: no mail can reach it
  mailer_.enqueue(tx, {.key = std::move(key),
                       .kind = std::string(kind),
                       .user = who.id,
                       .to = std::move(*to),
                       .letter = std::move(letter),
                       .not_after = not_after,
                       .priority = jobs::Priority::interactive});
}

}  // namespace lumina::mail
