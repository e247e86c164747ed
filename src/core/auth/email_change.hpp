// Changing one's e-mail address: asked for with the password, done with a token that was mailed to the new
// address, so that nobody gives an account an address that is not theirs.
//
// Tokens are stored as digests, live 24 hours and are used once; asking again ends those before. The old
// address is told afterwards. Awaited on an io thread.
#pragma once
#include "core/auth/model.hpp"
#include "core/auth/password_gate.hpp"
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"

#include <string>
#include <vector>

namespace lumina::auth {

struct NewEmail {
  std::string email, current_password;
  static constexpr std::string_view type_name = "NewEmail";
  static std::vector<schema::Field> fields();
};
struct EmailConfirmation {
  std::string token;
  static constexpr std::string_view type_name = "EmailConfirmation";
  static std::vector<schema::Field> fields();
};

// In the transaction of the change. Must not write the token anywhere but into the mail. Any database thread.
class AddressMailer {
 public:
  virtual ~AddressMailer() = default;
  // To the new address.
  virtual void send_confirmation(db::Transaction& tx, const User& who, const std::string& new_address,
                                 const std::string& token, Timestamp expires_at) = 0;
  // To the old address, once it is no longer the account's.
  virtual void send_notice(db::Transaction& tx, const std::string& old_address, const User& who) = 0;
};

// For a server that cannot send mail: says so in the log, without the token, which then reaches nobody.
class NoAddressMail final : public AddressMailer {
 public:
  void send_confirmation(db::Transaction& tx, const User& who, const std::string& new_address,
                         const std::string& token, Timestamp expires_at) override;
  void send_notice(db::Transaction& tx, const std::string& old_address, const User& who) override;
};

class EmailChanges {
 public:
  EmailChanges(db::Database& database, const Clock& clock, events::Journal& journal, PasswordGate& gate,
               AddressMailer& mailer)
      : database_(database), clock_(clock), journal_(journal), gate_(gate), mailer_(mailer) {}

  // Refused: wrong_password, email_taken, same_email. Takes somebody who signed in, not a key.
  Task<Status> request(NewEmail wanted, Caller by);
  // Refused: invalid_email_token, email_taken (somebody else took it meanwhile). Sessions go on.
  Task<Status> confirm(EmailConfirmation confirmation, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  PasswordGate& gate_;
  AddressMailer& mailer_;
};

}  // namespace lumina::auth
