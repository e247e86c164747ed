// Language tags (BCP 47, RFC 5646): well-formedness, canonical form, and the other ways in which files name
// languages.
//
// Checked against the grammar, with one restriction: a primary language has two or three letters, as every
// registered one has, so that "english" is refused. Whether a subtag is registered is not checked. Pure and
// thread-safe.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace lumina::text {

// The canonical form ("EN-us" is en-US, "zh-hant-tw" zh-Hant-TW), or nothing when the tag is not well-formed.
// Three-letter codes that have a two-letter one become it, as RFC 5646 section 2.2.1 demands: eng is en, fre
// and fra are fr. The grandfathered tags are replaced by their preferred values. At most 35 bytes.
std::optional<std::string> parse_language_tag(std::string_view text);

// As above, for files made by other programs: also underscores (en_US), English and own names of the large
// languages
// ("French", "Deutsch"), and the first of a list parted by comma, semicolon, bar or slash. Nothing for what
// says that the language is unknown (und, mul, zxx, mis, "--").
std::optional<std::string> parse_imported_language(std::string_view text);

}  // namespace lumina::text
