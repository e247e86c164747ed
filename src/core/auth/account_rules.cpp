#include "core/auth/account_rules.hpp"

#include "core/auth/email.hpp"
#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <utility>
#include <vector>

namespace lumina::auth {

Status check_password_choice(const security::PasswordPolicy& policy, std::string_view password,
                             std::string_view email, std::string_view field) {
  std::vector<FieldError> faults;
  bool weak = false;
  for (auto& fault : policy.check(password, email)) {
    weak = weak || fault.type == "weak_password";
    faults.push_back({{"body", std::string(field)}, std::move(fault.message), std::move(fault.type)});
  }
  if (faults.empty()) return {};
  Failure refusal = invalid(std::move(faults));
  if (weak) {
    refusal.error().code = "weak_password";
    refusal.error().detail = "The password is too easy to guess";
  }
  return refusal;
}

NewAccount account_row(std::string_view email, std::string_view full_name, std::string password_hash,
                       Role role) {
  NewAccount row;
  row.email = email;
  row.email_key = email_key(email);
  row.password_hash = std::move(password_hash);
  row.full_name = clean_name(full_name);
  row.name_key = name_key(row.full_name);
  row.role = role;
  return row;
}

std::string clean_name(std::string_view full_name) { return std::string(trim(full_name)); }
std::string name_key(std::string_view full_name) { return text::fold(full_name); }

std::string clean_agent(std::string_view text) {
  const bool utf8 = is_valid_utf8(text);
  std::string clean;
  for (char c : utf8_prefix(text, 255)) {
    const auto byte = static_cast<unsigned char>(c);
    clean += byte < 0x20 || byte == 0x7F || (!utf8 && byte >= 0x80) ? '?' : c;
  }
  return clean;
}

Status check_signed_in_person(const Caller& by) {
  if (!by.api_key) return {};
  return fail(ErrorKind::forbidden, "sign_in_required",
              "An API key cannot do that; sign in with your password");
}

Failure email_taken() {
  return fail(ErrorKind::refused, "email_taken", "An account with this email address exists already");
}
Failure no_such_user() { return not_found("User not found"); }
Failure last_admin() {
  return fail(ErrorKind::refused, "last_admin",
              "The last administrator can be neither removed, demoted nor deactivated");
}

}  // namespace lumina::auth
