#include "modules/books/isbn.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace lumina::books {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

// No-break space, and the hyphens, dashes and minus that word processors put between the groups of a number.
constexpr std::array<std::string_view, 9> separators = {
    "-",           " ", "\t", "\xC2\xA0", "\xE2\x80\x90", "\xE2\x80\x91", "\xE2\x80\x92", "\xE2\x80\x93",
    "\xE2\x88\x92"};

std::size_t separator_at(std::string_view text) {
  for (const std::string_view separator : separators) {
    if (text.starts_with(separator)) return separator.size();
  }
  return 0;
}

bool looks_scientific(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos || e == 0 || e + 1 >= text.size()) return false;
  const auto numeric = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789+-.,") == std::string_view::npos;
  };
  return numeric(text.substr(0, e)) && numeric(text.substr(e + 1)) && is_digit(text.front());
}

// The digits without separators, upper-case X only in the tenth place; at most 13 characters.
std::expected<std::string, IsbnFault> bare(std::string_view text) {
  std::string digits;
  std::size_t count = 0;
  while (!text.empty()) {
    if (const std::size_t skip = separator_at(text); skip != 0) {
      text.remove_prefix(skip);
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    ++count;
    if (is_digit(c)) {
      if (digits.size() < 14) digits += c;
    } else if ((c == 'x' || c == 'X') && count == 10) {
      digits += 'X';
    } else {
      return std::unexpected(IsbnFault::character);
    }
  }
  if (count == 0) return std::unexpected(IsbnFault::empty);
  if (const std::size_t x = digits.find('X'); x != std::string::npos && count != 10) {
    return std::unexpected(IsbnFault::character);
  }
  if (count != 10 && count != 13) return std::unexpected(IsbnFault::length);
  return digits;
}

std::string isbn13_of(std::string_view nine_digits) {
  std::string isbn = "978";
  isbn += nine_digits;
  isbn += isbn13_check_digit(isbn);
  return isbn;
}

std::string_view trim_marks(std::string_view text) {
  constexpr std::string_view marks = " \t\r\n=\"'[]():.";
  const std::size_t first = text.find_first_not_of(marks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(marks) - first + 1);
}

// `="0306406152"`, `[0306406152]`, "ISBN-13: 978…" and the like, down to the number itself.
std::string_view unwrap(std::string_view text) {
  text = trim_marks(text);
  if (iequals(text.substr(0, 4), "urn:")) text.remove_prefix(4);
  if (iequals(text.substr(0, 4), "isbn")) {
    text = trim_marks(text.substr(4));
    for (const std::string_view kind : {"-10", "-13", "10", "13"}) {
      const std::string_view rest = text.starts_with(kind) ? text.substr(kind.size()) : std::string_view{};
      if (!rest.empty() && (rest.front() == ':' || rest.front() == ' ')) {
        text = rest;
        break;
      }
    }
    text = trim_marks(text);
  }
  text = trim_marks(text.substr(0, text.find_first_of(",;|")));
  if (text.ends_with(".0")) text.remove_suffix(2);
  return text;
}

}  // namespace

std::string_view describe(IsbnFault fault) {
  switch (fault) {
    case IsbnFault::empty:
      return "The ISBN is empty";
    case IsbnFault::character:
      return "An ISBN has only digits, hyphens and spaces, and perhaps a final X";
    case IsbnFault::length:
      return "An ISBN has 10 or 13 digits";
    case IsbnFault::prefix:
      return "An ISBN of 13 digits starts with 978 or 979";
    case IsbnFault::check_digit:
      return "The check digit of the ISBN is wrong";
    case IsbnFault::scientific:
      return "A spreadsheet has rounded the ISBN to a number like 9.78E+12";
  }
  return "The ISBN is wrong";
}

char isbn10_check_digit(std::string_view nine_digits) {
  int sum = 0;
  for (int i = 0; i < 9; ++i) sum += (10 - i) * (nine_digits[static_cast<std::size_t>(i)] - '0');
  const int check = (11 - sum % 11) % 11;
  return check == 10 ? 'X' : static_cast<char>('0' + check);
}

char isbn13_check_digit(std::string_view twelve_digits) {
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) sum += (twelve_digits[i] - '0') * (i % 2 == 0 ? 1 : 3);
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::expected<std::string, IsbnFault> parse_isbn(std::string_view text) {
  auto digits = bare(text);
  if (!digits) return digits;
  if (digits->size() == 10) {
    if (isbn10_check_digit(*digits) != digits->back()) return std::unexpected(IsbnFault::check_digit);
    return isbn13_of(std::string_view(*digits).substr(0, 9));
  }
  const bool books = digits->starts_with("978") || (digits->starts_with("979") && (*digits)[3] != '0');
  if (!books) return std::unexpected(IsbnFault::prefix);
  if (isbn13_check_digit(*digits) != digits->back()) return std::unexpected(IsbnFault::check_digit);
  return digits;
}

std::optional<std::string> repair_isbn10(std::string_view digits) {
  if (digits.size() < 7 || digits.size() > 9 || !all_digits(digits.substr(0, digits.size() - 1))) return {};
  std::string padded(10 - digits.size(), '0');
  padded += digits;
  if (padded.back() == 'x') padded.back() = 'X';
  if (isbn10_check_digit(padded) != padded.back()) return {};
  return padded;
}

std::expected<std::string, IsbnFault> parse_imported_isbn(std::string_view text) {
  if (looks_scientific(trim_marks(text))) return std::unexpected(IsbnFault::scientific);
  const std::string_view number = unwrap(text);
  auto isbn = parse_isbn(number);
  if (isbn) return isbn;
  if (const auto repaired = repair_isbn10(number)) return parse_isbn(*repaired);
  return isbn;
}

std::optional<std::string> to_isbn10(std::string_view isbn13) {
  if (isbn13.size() != 13 || !isbn13.starts_with("978") || !all_digits(isbn13)) return {};
  std::string isbn10(isbn13.substr(3, 9));
  isbn10 += isbn10_check_digit(isbn10);
  return isbn10;
}

}  // namespace lumina::books
