#include "core/telemetry/redact.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace lumina::log {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array fragments{"authorization"sv, "cookie"sv,     "apikey"sv,    "password"sv,
                               "passwd"sv,        "passphrase"sv, "secret"sv,    "token"sv,
                               "credential"sv,    "privatekey"sv, "signature"sv, "databaseurl"sv};
constexpr std::array whole_names{"pwd"sv, "pin"sv, "otp"sv, "jwt"sv, "sig"sv};
// Harmless as names of log fields, not in a query: OAuth's code, a key in a signed link.
constexpr std::array query_names{"code"sv, "key"sv, "state"sv};

std::optional<char> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<char>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<char>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<char>(c - 'A' + 10);
  return std::nullopt;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (high && low) {
        plain += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

}  // namespace

bool is_sensitive(std::string_view name) {
  constexpr std::size_t longest = 256;
  // A name this long is somebody's trick; its value is not worth the risk.
  if (name.size() > longest) return true;
  std::array<char, longest> letters{};
  std::size_t length = 0;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.' || c == ' ') continue;
    letters[length++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  const std::string_view plain(letters.data(), length);
  return std::any_of(fragments.begin(), fragments.end(),
                     [&](std::string_view part) { return plain.find(part) != std::string_view::npos; }) ||
         std::find(whole_names.begin(), whole_names.end(), plain) != whole_names.end();
}

namespace {

bool is_sensitive_in_query(std::string_view name) {
  return is_sensitive(name) || std::find(query_names.begin(), query_names.end(), name) != query_names.end();
}

}  // namespace

std::string redact_target(std::string_view target) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return std::string(target);
  std::string safe(target.substr(0, question));
  auto rest = target.substr(question);
  while (!rest.empty()) {
    safe += rest.front();  // '?' or '&' or ';'
    rest.remove_prefix(1);
    const auto end = std::min(rest.find_first_of("&;"), rest.size());
    const auto pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && is_sensitive_in_query(percent_decoded(pair.substr(0, equals)))) {
      safe += pair.substr(0, equals + 1);
      safe += redacted;
    } else {
      safe += pair;
    }
    rest.remove_prefix(end);
  }
  return safe;
}

}  // namespace lumina::log
