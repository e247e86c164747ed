// Reads JSON lines (one object a line, UTF-8) whose members are named as NewBook's fields.
//
// Wrong types are faults; unknown members are warnings; null is absent. The members that an export of this
// library adds (id, summary, the counters and times) are passed over silently, and copies_total counts as
// copies, so an export can be read back. The rules of imported_record.hpp apply to the values. Pure and
// thread-safe.
#pragma once
#include "modules/books/imported_record.hpp"

#include <cstddef>
#include <string_view>

namespace lumina::books {

// `text` is one line without its end; `line` its number in the file.
ImportedRecord read_json_line(std::string_view text, std::size_t line, int newest_year);

}  // namespace lumina::books
