#include "core/auth/account_rules.hpp"

#include "core/base/text.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace lumina::auth {
namespace {

TEST_CASE("a weak password is named as such, any other fault as a fault of its field", "[A11]") {
  const security::PasswordPolicy policy;
  CHECK(check_password_choice(policy, "a quiet reading room", "rosa@example.org", "password"));
  const auto weak = check_password_choice(policy, "password1", "rosa@example.org", "new_password");
  REQUIRE_FALSE(weak);
  CHECK(weak.error().kind == ErrorKind::invalid);
  CHECK(weak.error().code == "weak_password");
  CHECK(weak.error().fields.at(0).loc == std::vector<std::string>{"body", "new_password"});
  security::PasswordPolicy strict;
  strict.min_length = 30;
  CHECK(check_password_choice(strict, "a quiet reading room", "", "password").error().code ==
        "validation_failed");
}

TEST_CASE("what clients call themselves is stored short, printable and as UTF-8", "[A8]") {
  CHECK(clean_agent("Mozilla/5.0 (X11)") == "Mozilla/5.0 (X11)");
  CHECK(clean_agent("Léseur/1") == "Léseur/1");
  CHECK(clean_agent("a\r\nb\tc\x7f") == "a??b?c?");
  CHECK(clean_agent(std::string("a\0b", 3)) == "a?b");
  CHECK(clean_agent("\xff\xfe\xc3") == "???");
  CHECK(utf8_length(clean_agent(std::string(5000, 'x'))) == 255);
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "é";
  CHECK(utf8_length(clean_agent(accents)) == 255);
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(3, static_cast<char>(byte));
    CHECK(is_valid_utf8(clean_agent(text)));
  }
}

TEST_CASE("scopes are permissions; no list is all of them, and books:read none", "[A22]") {
  CHECK(scope_bits(std::nullopt) == every_scope);
  CHECK(scope_bits(std::vector<std::string>{}) == 0);
  CHECK(scope_bits(std::vector<std::string>{"books:read"}) == 0);
  CHECK(scope_bits(std::vector<std::string>{"books:write", "books:write"}) ==
        scope_bit(Permission::books_write));
  for (const auto name : permission_names) CHECK(is_scope(name));
  CHECK(is_scope("books:read"));
  for (const char* bad : {"", "books", "books:write ", "*", "BOOKS:WRITE"}) CHECK_FALSE(is_scope(bad));

  Caller key;
  key.user = UserId{1};
  key.role = Role::admin;
  key.scopes = scope_bits(std::vector<std::string>{"books:write"});
  CHECK(key.can(Permission::books_write));
  CHECK_FALSE(key.can(Permission::users_manage));
  CHECK_FALSE(key.can(Permission::own_account));
  key.role = Role::patron;
  CHECK_FALSE(key.can(Permission::books_write));
}

TEST_CASE("no power over an account comes from a key alone", "[A22]") {
  Caller by;
  CHECK(check_signed_in_person(by));
  by.api_key = ApiKeyId{1};
  CHECK(check_signed_in_person(by).error().kind == ErrorKind::forbidden);
}

}  // namespace
}  // namespace lumina::auth
