// Accounts as the command line and the start of the server handle them: blocking, by whoever runs the
// program.
//
// Works before the first start and beside a running server, which sees the changes within a second. Passwords
// are held to the same policy as everybody's.
#pragma once
#include "core/auth/model.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/security/password.hpp"

#include <string>
#include <vector>

namespace lumina::auth {

class Administration {
 public:
  Administration(db::Database& database, const Clock& clock, events::Journal& journal,
                 const security::PasswordHasher& hasher, security::PasswordPolicy policy)
      : database_(database), clock_(clock), journal_(journal), hasher_(hasher), policy_(std::move(policy)) {}

  // Errors: invalid (address, password), refused "email_taken".
  Result<User> create_admin(const std::string& email, const std::string& password,
                            const std::string& full_name = "Administrator");
  // Ends every session of the account. Errors: invalid, not_found.
  Status reset_password(const std::string& email, const std::string& password);
  Result<std::vector<User>> admins();
  Result<bool> has_admin();  // one that can sign in

  // At the start of a server: makes the administrator unless there are accounts already; gives whether it
  // did.
  Result<bool> create_first_admin(const std::string& email, const std::string& password);

 private:
  Status check(const std::string& email, const std::string& password) const;

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const security::PasswordHasher& hasher_;
  const security::PasswordPolicy policy_;
};

}  // namespace lumina::auth
