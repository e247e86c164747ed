// libFuzzer: clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined ... Any text; what is accepted is
// canonical.
#include "core/text/language_tag.hpp"
#include "modules/books/isbn.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace lumina::books;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto isbn = parse_isbn(text)) {
    if (parse_isbn(*isbn) != *isbn || parse_imported_isbn(text) != *isbn) std::abort();
    if (const auto isbn10 = to_isbn10(*isbn); isbn10 && parse_isbn(*isbn10) != *isbn) std::abort();
  }
  if (const auto isbn = parse_imported_isbn(text); isbn && parse_isbn(*isbn) != *isbn) std::abort();
  if (const auto tag = lumina::text::parse_language_tag(text);
      tag && lumina::text::parse_language_tag(*tag) != *tag)
    std::abort();
  if (const auto tag = lumina::text::parse_imported_language(text);
      tag && lumina::text::parse_language_tag(*tag) != *tag)
    std::abort();
  return 0;
}
