// Small text tools that every area needs: UTF-8 lengths, trimming, ASCII case, and strict byte encodings.
//
// Nothing here knows languages; folding, tokens and stems live in core/text. All functions are pure,
// thread-safe and accept any bytes. "Strict" decoders return nothing for input that their encoder would not
// have written, so that every byte string has exactly one accepted spelling. Sources: RFC 3629 (UTF-8), RFC
// 4648 (base64, base64url, hex), RFC 3986 section 2.1 (percent-encoding), Unicode 15 PropList (White_Space).
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lumina {

// Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF, nothing
// cut.
bool is_valid_utf8(std::string_view bytes) noexcept;

// The number of code points. In malformed text every byte that belongs to no well-formed sequence counts as
// one.
std::size_t utf8_length(std::string_view text) noexcept;

// The first `count` code points of the text (all of it when it has fewer); never cuts inside a sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t count) noexcept;

// Without the ASCII white space (space, \t \n \v \f \r) at both ends.
std::string_view trim_ascii(std::string_view text) noexcept;

// Without the Unicode white space at both ends (property White_Space: U+0085, U+00A0, U+2000..200A, U+3000,
// ...).
std::string_view trim(std::string_view text) noexcept;

// A..Z become a..z; every other byte stays.
std::string ascii_lower(std::string_view text);

// Equal but for the case of ASCII letters.
bool iequals(std::string_view a, std::string_view b) noexcept;

// Standard alphabet with padding. The decoder requires the padding and zero trailing bits, and skips nothing.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// URL and filename safe alphabet without padding (RFC 7515 section 2). The decoder refuses padding, other
// characters and non-zero trailing bits.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

// Lower-case digits out; either case in, an even number of them.
std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

// What '+' means: itself in a path, a space in a query string or form (application/x-www-form-urlencoded).
enum class Plus { literal, space };

// Replaces every %XX; nothing when a '%' is not followed by two hex digits. The result may hold any bytes,
// NUL and malformed UTF-8 included: check it before use.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);

// Everything but the unreserved characters (letters, digits, - . _ ~) becomes %XX with upper-case digits.
std::string percent_encode(std::string_view text);

}  // namespace lumina
