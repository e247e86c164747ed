// Class marks of books, and keys that put them in the order in which books stand on the shelf when compared
// as bytes.
//
// Dewey: three digits, perhaps a decimal fraction, perhaps item marks (823.7 AUS). Library of Congress: one
// to three letters, a whole number up to six digits with a fraction perhaps, cutters, a year (PR4034 .E5
// 1815). Fractions and cutters sort as decimals (823.12 before 823.7, .E5 after .E45), whole numbers by size
// (QA9 before QA76), nothing before something. Pure, thread-safe; nothing for what is no class mark. Sources:
// the shelving rules of both classifications as libraries publish them.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace lumina::books {

std::optional<std::string> ddc_shelf_key(std::string_view mark);
std::optional<std::string> lcc_shelf_key(std::string_view mark);

}  // namespace lumina::books
