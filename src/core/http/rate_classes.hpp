// Classes of rows beside those that route.hpp names, with quotas of their own.
#pragma once
#include "core/http/route.hpp"

namespace lumina::http {

// Whole files that go out.
inline constexpr RateClass download_class{5};
// Where a password is tried: the quota is that of the guard behind it (core/security/login_guard.hpp), so
// that the headers of the answer tell the limit that holds. Old credentials are not looked at and answers
// never stored, as with RateClass::login.
inline constexpr RateClass sign_in_class{6};

}  // namespace lumina::http
