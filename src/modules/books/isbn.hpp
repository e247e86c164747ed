// International Standard Book Numbers (ISO 2108, the ISBN Users' Manual): reading, checking, converting.
//
// The library keeps every ISBN as thirteen digits without hyphens, so the two spellings of one book meet.
// Pure functions, safe on any thread and for any bytes.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::books {

enum class IsbnFault {
  empty,        // nothing but spaces and hyphens
  character,    // something that is neither digit, hyphen, space nor a final X
  length,       // not 10 and not 13 digits
  prefix,       // thirteen digits that do not start with 978 or 979, or the 9790 of printed music (ISMN)
  check_digit,  // a digit is wrong or two are swapped
  scientific,   // a spreadsheet has turned the number into 9.78E+12 and its last digits are gone
};

// A sentence that may be shown to a client.
std::string_view describe(IsbnFault);

// Reads ISBN-10 or ISBN-13 with any hyphens (also typographic ones) and spaces, and `x` for `X`; answers the
// thirteen digits.
std::expected<std::string, IsbnFault> parse_isbn(std::string_view text);

// As parse_isbn, for files made by other programs: also takes `="0306406152"`, `[0306406152]`, a leading
// "ISBN", "ISBN-13:" or "urn:isbn:", "9780306406157.0", the first of a list parted by comma, semicolon or
// bar, and repairs an ISBN-10 that lost its leading zeros.
std::expected<std::string, IsbnFault> parse_imported_isbn(std::string_view text);

// Puts back the leading zeros that a spreadsheet took from an ISBN-10: 7 to 9 characters, digits with perhaps
// a final X, become ten if the check digit then agrees; nothing otherwise. One wrong number in eleven passes
// by chance.
std::optional<std::string> repair_isbn10(std::string_view digits);

// The ISBN-10 of thirteen digits as parse_isbn answers them; nothing for the prefix 979, which has none.
std::optional<std::string> to_isbn10(std::string_view isbn13);

// The last character of an ISBN-10 for its first nine digits, and of an ISBN-13 for its first twelve. The
// argument must be digits of that length.
char isbn10_check_digit(std::string_view nine_digits);
char isbn13_check_digit(std::string_view twelve_digits);

}  // namespace lumina::books
