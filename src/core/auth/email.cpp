#include "core/auth/email.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::auth {
namespace {

bool is_ascii_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// White space and invisible characters of Unicode that make one address look like another.
bool has_deceptive_characters(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto a = static_cast<unsigned char>(text[i]), b = static_cast<unsigned char>(text[i + 1]);
    if (a == 0xC2 && b <= 0xA0) return true;  // C1 controls and the no-break space
    if (a == 0xC2 && b == 0xAD) return true;  // soft hyphen
    if (i + 2 >= text.size()) continue;
    const auto c = static_cast<unsigned char>(text[i + 2]);
    if (a == 0xE2 && b == 0x80 && (c <= 0x8F || (c >= 0xA8 && c <= 0xAF)))
      return true;                                                      // U+2000..200F, 2028..202F
    if (a == 0xE2 && b == 0x81 && c >= 0x9F && c <= 0xAF) return true;  // U+205F..206F
    if (a == 0xE3 && b == 0x80 && c == 0x80) return true;               // U+3000
    if (a == 0xEF && b == 0xBB && c == 0xBF) return true;               // U+FEFF
  }
  return false;
}

bool is_local_part(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~.";
  if (text.empty() || text.size() > 64 || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_ascii_alphanumeric(c) || is_beyond_ascii(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_ascii_alphanumeric(c) || is_beyond_ascii(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
  if (iequals(text, "localhost")) return true;
  std::size_t labels = 0;
  std::string_view last;
  while (true) {
    const auto dot = text.find('.');
    last = text.substr(0, dot);
    if (!is_label(last)) return false;
    ++labels;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  const bool number = std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return labels >= 2 && !number;
}

}  // namespace

bool is_email(std::string_view text) {
  if (text.size() < 3 || text.size() > 255 || !is_valid_utf8(text) || has_deceptive_characters(text))
    return false;
  const auto at = text.rfind('@');
  return at != std::string_view::npos && is_local_part(text.substr(0, at)) && is_domain(text.substr(at + 1));
}

std::string email_key(std::string_view email) { return ascii_lower(email); }

}  // namespace lumina::auth
