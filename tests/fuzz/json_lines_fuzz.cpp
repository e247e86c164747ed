// libFuzzer: clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined ... Any bytes as one line of JSON and
// as a file.
#include "core/base/text.hpp"
#include "modules/books/json_lines_reader.hpp"
#include "modules/books/normalize.hpp"
#include "modules/books/record_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

using namespace lumina::books;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ImportedRecord record = read_json_line(text, 1, 2027);
  if (record.book && !lumina::is_valid_utf8(record.book->title + record.book->author)) std::abort();
  if (clean_line(clean_line(text)) != clean_line(text)) std::abort();
  if (!lumina::is_valid_utf8(match_key(text, text))) std::abort();
  std::istringstream in("{}\n" + std::string(text));
  const auto source = RecordSource::open(in, {}, {.newest_year = 2027});
  while (const auto next = source->next()) {
    if (next->line == 0) std::abort();
  }
  return 0;
}
