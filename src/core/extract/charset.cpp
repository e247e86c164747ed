#include "core/extract/charset.hpp"

#include "core/base/text.hpp"

#include <array>

namespace lumina::extract {
namespace {

// 0x80 to 0x9F of Windows-1252; 0 where it has none.
constexpr std::array<char16_t, 32> windows{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                           0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                           0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                           0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::string from_windows(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80)
      out += c;
    else if (u < 0xA0)
      append_utf8(out, windows.at(u - 0x80U) == 0 ? 0xFFFD : windows.at(u - 0x80U));
    else
      append_utf8(out, u);
  }
  return out;
}

std::string from_utf16(std::string_view bytes, bool big) {
  std::string out;
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(big ? a << 8U | b : b << 8U | a);
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    auto code = unit(i);
    if (code >= 0xD800 && code < 0xDC00 && i + 3 < bytes.size()) {
      const auto low = unit(i + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        i += 2;
      }
    }
    append_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  }
  return out;
}

// The length of the well-formed sequence at the beginning; 0 when there is none.
std::size_t sequence(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || text.size() < length || !is_valid_utf8(text.substr(0, length))) return 0;
  return length;
}

}  // namespace

void append_utf8(std::string& out, char32_t code) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6U), byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12U), byte(0x80 | (code >> 6U & 0x3F)), byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18U), byte(0x80 | (code >> 12U & 0x3F)), byte(0x80 | (code >> 6U & 0x3F)),
        byte(0x80 | (code & 0x3F));
  }
}

std::string cleaned(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence(text);
    if (length == 0) {
      append_utf8(out, 0xFFFD);
      text.remove_prefix(1);
      continue;
    }
    const char c = text.front();
    if (length > 1) {
      out.append(text.substr(0, length));
    } else if (c == '\r') {
      if (text.size() < 2 || text[1] != '\n') out += '\n';
    } else if (static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\n' || c == '\t' || c == '\f') {
      out += c;
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string to_utf8(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return cleaned(bytes.substr(3));
  if (bytes.starts_with("\xFE\xFF")) return cleaned(from_utf16(bytes.substr(2), true));
  if (bytes.starts_with("\xFF\xFE")) return cleaned(from_utf16(bytes.substr(2), false));
  if (is_valid_utf8(bytes)) return cleaned(bytes);
  return cleaned(from_windows(bytes));
}

}  // namespace lumina::extract
