#include "modules/books/class_mark.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <algorithm>
#include <utility>

namespace lumina::books {
namespace {

constexpr std::size_t longest_whole = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit) - text.begin();
  const auto digits = text.substr(0, static_cast<std::size_t>(end));
  text.remove_prefix(digits.size());
  return digits;
}

// ".7" gives "7"; nothing is taken when no digit follows the point.
std::string_view take_fraction(std::string_view& text) {
  if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) return {};
  text.remove_prefix(1);
  return take_digits(text);
}

// Item marks, cutters, years: words in lower case. What parts them sorts before all that they are made of, so
// that nothing comes before something.
std::string words(std::string_view text) {
  std::string out;
  bool gap = true;
  for (const char c : text::fold(text)) {
    if (c == ' ' || c == '.' || c == '\t') {
      gap = true;
      continue;
    }
    if (std::exchange(gap, false)) out += ' ';
    out += c;
  }
  return out;
}

}  // namespace

std::optional<std::string> ddc_shelf_key(std::string_view mark) {
  // "823/.7", "823.7'2": where the number may be cut short; it goes on.
  std::string whole(trim(mark));
  std::erase_if(whole, [](char c) { return c == '/' || c == '\''; });
  std::string_view rest = whole;
  const auto main = take_digits(rest);
  if (main.size() != 3) return {};
  std::string key(main);
  key += take_fraction(rest);
  if (!rest.empty() && rest[0] != ' ' && rest[0] != '.') return {};
  return key + words(rest);
}

std::optional<std::string> lcc_shelf_key(std::string_view mark) {
  std::string_view rest = trim(mark);
  const auto letters =
      rest.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(rest, is_letter) - rest.begin()));
  if (letters.empty() || letters.size() > 3) return {};
  rest = trim(rest.substr(letters.size()));
  const auto number = take_digits(rest);
  if (number.empty() || number.size() > longest_whole) return {};
  std::string key = ascii_lower(letters);
  key.resize(3, ' ');
  key.append(longest_whole - number.size(), '0').append(number);
  if (const auto fraction = take_fraction(rest); !fraction.empty()) key.append(".").append(fraction);
  return key + words(rest);
}

}  // namespace lumina::books
