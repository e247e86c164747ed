// Rules that several services of accounts share: what is a good password, how names are kept, what a key may
// not do.
#pragma once
#include "core/auth/repository.hpp"
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/security/password.hpp"

#include <string>
#include <string_view>

namespace lumina::auth {

// Error kind: invalid, for ["body", field]; code "weak_password" when the password is a common one or the
// address.
Status check_password_choice(const security::PasswordPolicy& policy, std::string_view password,
                             std::string_view email, std::string_view field);

// The row of a new account; the fields were validated before.
NewAccount account_row(std::string_view email, std::string_view full_name, std::string password_hash,
                       Role role);
// Without white space at the ends.
std::string clean_name(std::string_view full_name);
std::string name_key(std::string_view full_name);

// What a client said of itself, fit to be stored: at most 255 characters, no control characters, UTF-8.
std::string clean_agent(std::string_view text);

// What gives lasting power over an account takes a person who signed in, not a key. Error kind: forbidden.
Status check_signed_in_person(const Caller& by);

Failure email_taken();
Failure no_such_user();
Failure last_admin();

}  // namespace lumina::auth
