// MARC-8, the encoding of older records, as Unicode.
//
// Read are the sets Basic and Extended Latin (ANSEL), Basic Greek, Basic Hebrew, Basic and Extended Arabic,
// Basic and Extended Cyrillic, the Greek symbols, subscripts and superscripts, each announced by escape
// sequences; marks, which MARC-8 writes before their letter, move behind it. East Asian characters (EACC) are
// recognised, three bytes each, and become U+FFFD one by one. Pure and thread-safe. Source: MARC 21
// Specifications, Character Sets: MARC-8 Encoding Environment, and its code tables (Library of Congress,
// 2007).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lumina::marc {

struct FromMarc8 {
  std::string text;         // UTF-8, normal form C
  std::size_t unknown = 0;  // characters that have no reading here; U+FFFD stands for each
};

// A field's data, escape sequences included. Bytes 1E and 1F reset the sets, as they end what they apply to.
FromMarc8 from_marc8(std::string_view bytes);

// Normal form C; the text as it is when it is no UTF-8.
std::string composed(std::string_view utf8);

}  // namespace lumina::marc
