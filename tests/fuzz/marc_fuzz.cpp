// libFuzzer: clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined ... Any bytes as ISO 2709, as MARCXML,
// as MARC-8 and as an import. What was read can be written and read again, and is the same.
#include "core/base/text.hpp"
#include "core/marc/marc8.hpp"
#include "core/marc/reader.hpp"
#include "core/marc/writer.hpp"
#include "modules/books/record_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

using namespace lumina;

namespace {

void read_all(marc::RecordReader& reader) {
  std::size_t number = 0;
  while (const auto item = reader.next()) {
    const std::size_t place = *item ? (*item)->number : item->error().record;
    if (place != ++number) std::abort();
    if (!*item) continue;
    std::string bytes;
    if (!marc::write_iso2709((*item)->record, bytes)) continue;
    const auto again = marc::parse_iso2709(bytes);
    if (!again) std::abort();
    std::string twice;
    if (!marc::write_iso2709(again->record, twice) || twice != bytes) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream iso(text), marcxml(text), file(text);
  read_all(*marc::iso2709_reader(iso));
  read_all(*marc::marcxml_reader(marcxml));
  if (!is_valid_utf8(marc::from_marc8(text).text)) std::abort();
  const auto source = books::RecordSource::open(file, "x.mrc", {.newest_year = 2027});
  while (const auto next = source->next())
    if (next->line == 0) std::abort();
  return 0;
}
