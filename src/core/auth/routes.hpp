// The API of accounts.
#pragma once
#include "core/auth/account_service.hpp"
#include "core/auth/api_key_service.hpp"
#include "core/auth/email_change.hpp"
#include "core/auth/service.hpp"
#include "core/http/route.hpp"

#include <vector>

namespace lumina::auth {

// Signing up, in and out; sessions, passwords and API keys.
std::vector<http::Route> auth_routes(AuthService& auth, ApiKeyService& keys);
// One's own account, and those of others for administrators.
std::vector<http::Route> account_routes(AuthService& auth, AccountService& accounts);
// Changing one's e-mail address.
std::vector<http::Route> email_routes(EmailChanges& changes);

}  // namespace lumina::auth
