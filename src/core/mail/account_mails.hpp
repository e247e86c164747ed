// The mails of accounts: forgotten passwords, new addresses.
//
// A request to reset a password does the same work for every address, known or not: it leaves a sealed job,
// and only the job looks whether anybody has the address. Links lead to `public_url` (/reset-password#token=,
// /confirm-email#token=, a fragment, which no server logs), and the token stands below them for whoever
// has no such page. A
// mail whose token has expired is not sent. Thread-safe.
#pragma once
#include "core/auth/email_change.hpp"
#include "core/auth/reset_mailer.hpp"
#include "core/auth/service.hpp"
#include "core/mail/mailer.hpp"

#include <string>

namespace lumina::mail {

class AccountMails final : public auth::ResetMailer, public auth::AddressMailer {
 public:
  AccountMails(Mailer& mailer, db::Database& database, jobs::Queue& queue, std::string public_url)
      : mailer_(mailer), database_(database), queue_(queue), public_url_(std::move(public_url)) {}

  // Before the runner starts.
  void handle_jobs(jobs::Runner& runner, auth::AuthService& accounts);

  bool take_request(db::Transaction& tx, const std::string& email, const Caller& by) override;
  // Asks somebody whose account the library made to choose a password; the token lives seven days. False
  // when mail is off.
  bool invite(db::Transaction& tx, const std::string& email, const Caller& by);
  void send_confirmation(db::Transaction& tx, const auth::User& who, const std::string& new_address,
                         const std::string& token, Timestamp expires_at) override;
  void send_notice(db::Transaction& tx, const std::string& old_address, const auth::User& who) override;

 private:
  bool ask(db::Transaction& tx, const std::string& email, const Caller& by, bool invited);
  Result<std::string> answer(jobs::JobContext& job, auth::AuthService& accounts);
  std::optional<Link> link(std::string label, std::string_view page, const std::string& token) const;
  void send(db::Transaction& tx, const auth::User& who, const std::string& address, std::string_view kind,
            std::string key, Letter letter, std::optional<Timestamp> not_after = {});

  Mailer& mailer_;
  db::Database& database_;
  jobs::Queue& queue_;
  const std::string public_url_;
};

}  // namespace lumina::mail
