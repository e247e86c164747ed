// Keeps secrets out of logs: by the name of a header, field or query parameter.
#pragma once
#include <string>
#include <string_view>

namespace lumina::log {

inline constexpr std::string_view redacted = "***";

// True for authorization, cookie, x-api-key and whatever holds a password, secret, token, credential or
// signature in its name; case, '-' and '_' do not count.
bool is_sensitive(std::string_view name);

// The value, or "***" when the name is sensitive.
inline std::string_view redact(std::string_view name, std::string_view value) {
  return is_sensitive(name) ? redacted : value;
}

// A request target whose query values of sensitive (also percent-encoded) names are "***".
std::string redact_target(std::string_view target);

}  // namespace lumina::log
