// Text of an unknown encoding as UTF-8: by its byte order mark, as UTF-8 where it is valid, and as
// Windows-1252 (of which ISO-8859-1 is a part) otherwise.
//
// Any bytes are welcome; the result is valid UTF-8 with line ends of one "\n" and no control characters but
// tab, line end and form feed. Thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace lumina::extract {

std::string to_utf8(std::string_view bytes);
// The same cleaning of what is UTF-8 for the most part: what is not becomes U+FFFD.
std::string cleaned(std::string_view utf8);
void append_utf8(std::string& out, char32_t code);

}  // namespace lumina::extract
