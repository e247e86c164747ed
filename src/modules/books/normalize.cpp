#include "modules/books/normalize.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lumina::books {
namespace {

constexpr UChar32 line_separator = 0x2028;
constexpr UChar32 paragraph_separator = 0x2029;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void append(std::string& out, UChar32 c) {
  std::array<char, U8_MAX_LENGTH> bytes{};
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(bytes.data(), length, c);
  out.append(bytes.data(), static_cast<std::size_t>(length));
}

// Calls see(code point) for each; the text must be well-formed.
template <class See>
void each_code_point(std::string_view text, See see) {
  std::size_t i = 0;
  while (i < text.size()) {
    UChar32 c = 0;
    U8_NEXT_UNSAFE(text.data(), i, c);
    see(c);
  }
}

std::string to_nfc(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no normalization data");
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(utf8.size()));
  const icu::StringPiece piece(utf8.data(), static_cast<std::int32_t>(utf8.size()));
  nfc->normalizeUTF8(0, piece, sink, nullptr, status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize a text");
  return out;
}

std::string to_utf8(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : windows_1252_to_utf8(text);
}

// Zero-width joiners stay: Persian and emoji need them. Other format characters (soft hyphen, byte order
// mark, direction overrides) are invisible and make equal texts differ.
bool is_invisible(UChar32 c) {
  constexpr UChar32 zero_width_non_joiner = 0x200C;
  constexpr UChar32 zero_width_joiner = 0x200D;
  if (c == zero_width_joiner || c == zero_width_non_joiner) return false;
  const auto category = u_charType(c);
  return category == U_CONTROL_CHAR || category == U_FORMAT_CHAR || category == U_SURROGATE ||
         (c & 0xFFFE) == 0xFFFE;
}

bool is_line_break(UChar32 c) {
  return c == '\n' || c == '\r' || c == '\v' || c == '\f' || c == line_separator || c == paragraph_separator;
}

std::string clean(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  std::size_t breaks = 0;
  bool space = false;
  UChar32 previous = 0;
  const auto see = [&](UChar32 c) {
    if (is_line_break(c) && keep_lines) {
      if (!(c == '\n' && previous == '\r')) ++breaks;
      previous = c;
      return;
    }
    previous = c;
    if (u_isUWhiteSpace(c)) {
      space = true;
      return;
    }
    if (is_invisible(c)) return;
    if (!out.empty()) {
      if (breaks != 0) {
        out.append(std::min(breaks, std::size_t{2}), '\n');
      } else if (space) {
        out += ' ';
      }
    }
    breaks = 0;
    space = false;
    append(out, c);
  };
  if (is_ascii(text)) {
    each_code_point(text, see);
    return out;
  }
  const std::string utf8 = to_utf8(text);
  each_code_point(utf8, see);
  return to_nfc(out);
}

bool is_plain_line(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return text.empty();
  char previous = 0;
  for (const char c : text) {
    if (c < ' ' || c == 0x7F || (c == ' ' && previous == ' ')) return false;
    previous = c;
  }
  return true;
}

// Signs that tell titles apart: "C", "C++" and "C#" are three books.
std::string_view sign_name(UChar32 c) {
  switch (c) {
    case '&':
      return "and";
    case '+':
      return "plus";
    case '#':
      return "sharp";
    default:
      return {};
  }
}

bool is_word_part(UChar32 c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

bool joins_words(UChar32 c) { return c == '\'' || c == 0x2019 || c == 0x02BC || c == '`' || c == 0x00B4; }

std::vector<std::string_view> words_of(std::string_view folded) {
  std::vector<std::string_view> words;
  while (!folded.empty()) {
    const std::size_t end = std::min(folded.find(' '), folded.size());
    if (end != 0) words.push_back(folded.substr(0, end));
    folded.remove_prefix(std::min(end + 1, folded.size()));
  }
  return words;
}

bool is_year_or_initial_dates(std::string_view word) {
  return word.find_first_not_of("0123456789") == std::string_view::npos;
}

// Without what library catalogues add in brackets: "Kennedy, John F. (John Fitzgerald)".
std::string without_brackets(std::string_view text) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[') ++depth;
    if (depth == 0) out += c;
    if ((c == ')' || c == ']') && depth > 0) --depth;
  }
  return out;
}

constexpr std::array<std::string_view, 9> articles = {"the", "a",   "an",  "le", "la",
                                                      "les", "der", "die", "das"};

}  // namespace

std::string clean_line(std::string_view text) {
  if (is_ascii(text) && is_plain_line(text)) return std::string(text);
  return clean(text, false);
}

std::string clean_paragraphs(std::string_view text) { return clean(text, true); }

std::string windows_1252_to_utf8(std::string_view bytes) {
  constexpr std::array<char16_t, 32> upper = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                              0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                              0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                              0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    append(out, value >= 0x80 && value < 0xA0 ? upper[value - 0x80U] : value);
  }
  return out;
}

std::string plain_words(std::string_view text) {
  const std::string folded = text::fold(to_utf8(text));
  std::string out;
  out.reserve(folded.size());
  bool gap = false;
  const auto begin_word = [&] {
    if (std::exchange(gap, false) && !out.empty()) out += ' ';
  };
  each_code_point(folded, [&](UChar32 c) {
    if (is_word_part(c)) {
      begin_word();
      append(out, c);
    } else if (const std::string_view name = sign_name(c); !name.empty()) {
      begin_word();
      out += name;
    } else if (!joins_words(c)) {
      gap = true;
    }
  });
  return out;
}

std::string title_key(std::string_view title) {
  const std::string folded = plain_words(title);
  std::vector<std::string_view> words = words_of(folded);
  const std::string_view tail = title.substr(std::min(title.rfind(',') + 1, title.size()));
  const bool inverted = title.contains(',') && words.size() > 1 && plain_words(tail) == words.back() &&
                        std::ranges::find(articles, words.back()) != articles.end();
  if (inverted) std::ranges::rotate(words, words.end() - 1);
  std::string key;
  for (const std::string_view word : words) key += word;
  return key.empty() ? clean_line(title) : key;
}

std::string author_key(std::string_view author) {
  std::string folded = plain_words(without_brackets(author));
  if (folded.empty()) folded = plain_words(author);
  if (folded.empty()) return clean_line(author);
  std::vector<std::string_view> names = words_of(folded);
  if (!std::ranges::all_of(names, is_year_or_initial_dates)) std::erase_if(names, is_year_or_initial_dates);
  if (names.size() > 1) std::erase(names, "and");
  std::ranges::sort(names);
  std::string key;
  for (const std::string_view name : names) {
    if (!key.empty()) key += ' ';
    key += name;
  }
  return key;
}

std::string match_key(std::string_view title, std::string_view author) {
  std::string key = title_key(title);
  const std::string names = author_key(author);
  if (!names.empty()) {
    key += '|';
    key += names;
  }
  return key;
}

}  // namespace lumina::books
