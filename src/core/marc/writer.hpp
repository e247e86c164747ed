// Writes MARC records: ISO 2709 in UTF-8, and MARCXML.
//
// Text is appended to a string of the caller's, who sends and empties it as he likes: constant memory.
// Source: MARC 21 Specifications; the MARC 21 XML schema (http://www.loc.gov/MARC21/slim).
#pragma once
#include "core/marc/record.hpp"

#include <string>
#include <string_view>

namespace lumina::xml {
class Writer;
}

namespace lumina::marc {

constexpr std::string_view slim_namespace = "http://www.loc.gov/MARC21/slim";

// False, and nothing appended, when the record is longer than ISO 2709 can say: 99,999 bytes, or 9,999 a
// field. The lengths and places of the leader are computed, its place 9 becomes 'a'. Separators inside of
// text become spaces.
bool write_iso2709(const Record& record, std::string& out);

// <record>. With `declared` it names the namespace itself instead of inheriting it.
void write_marcxml(const Record& record, xml::Writer& out, bool declared);

}  // namespace lumina::marc
