// Who is asking: the identity behind a request, its role and what that role may do.
#pragma once
#include "core/base/ids.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace lumina {

// patron < librarian < admin; `is_admin` of the API is derived from it.
enum class Role : std::uint8_t { patron, librarian, admin };
constexpr std::array<std::string_view, 3> role_names{"patron", "librarian", "admin"};
constexpr auto& enum_names(Role) { return role_names; }

// What a route can ask for. The wire names ("books:write") are the scopes of API keys.
enum class Permission : std::uint8_t {
  own_account,       // read and change what is one's own: any signed-in person
  books_write,       // catalogue, copies, imports
  loans_manage,      // everybody's loans
  reviews_moderate,  // other people's reviews
  users_manage,      // accounts and roles
  audit_read,        // the audit log and the event list
  system_inspect,    // details of readiness and statistics
};
constexpr std::array<std::string_view, 7> permission_names{"account:own",      "books:write",  "loans:manage",
                                                           "reviews:moderate", "users:manage", "audit:read",
                                                           "system:inspect"};
constexpr auto& enum_names(Permission) { return permission_names; }

// The table of roles; the only place that says which role may do what.
constexpr bool allows(Role role, Permission permission) {
  switch (permission) {
    case Permission::own_account:
      return true;
    case Permission::books_write:
    case Permission::loans_manage:
    case Permission::reviews_moderate:
      return role >= Role::librarian;
    case Permission::users_manage:
    case Permission::audit_read:
    case Permission::system_inspect:
      return role == Role::admin;
  }
  return false;
}

// A set of permissions, one bit each: what an API key is restricted to. Everything else carries every scope.
constexpr std::uint32_t scope_bit(Permission permission) { return 1U << static_cast<unsigned>(permission); }
constexpr std::uint32_t every_scope = (1U << permission_names.size()) - 1;

// The actor of an action, as audit and events record it. `user` is empty for strangers and for the system
// itself.
struct Caller {
  std::optional<UserId> user;
  Role role = Role::patron;
  std::string email;
  std::optional<SessionId> session;
  std::string address;  // client address, after trusted proxies
  std::string request_id;
  std::uint32_t scopes = every_scope;
  std::optional<ApiKeyId> api_key;  // came with a key instead of signing in

  bool signed_in() const { return user.has_value(); }
  UserId id() const { return user.value_or(UserId{}); }
  bool can(Permission p) const { return signed_in() && allows(role, p) && (scopes & scope_bit(p)) != 0; }
  // The process itself: scheduled work, command line.
  static Caller system(std::string_view what) {
    Caller c;
    c.address = "local";
    c.request_id = what;
    return c;
  }
};

}  // namespace lumina
