// libFuzzer: clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined ... The first byte says how large the
// chunks are; the outcome must not depend on it. Then the whole import reads the same bytes.
#include "modules/books/csv_reader.hpp"
#include "modules/books/record_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

using namespace lumina::books;

namespace {

std::string outcome_of(std::string_view text, std::size_t chunk) {
  CsvReader reader(0, {.field_bytes = 64, .row_bytes = 256, .columns = 16});
  std::string outcome;
  const auto drain = [&] {
    while (const auto item = reader.next()) {
      if (*item) {
        outcome += "row " + std::to_string((*item)->line);
        for (const std::string& field : (*item)->fields) outcome.append("|").append(field);
      } else {
        outcome += "fault " + std::to_string(item->error().line) + " ";
        outcome += describe(item->error().problem);
      }
      outcome += '\n';
    }
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    reader.feed(text.substr(at, chunk));
    drain();
  }
  reader.finish();
  drain();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t chunk = std::size_t{data[0]} % 16 + 1;
  if (outcome_of(text, chunk) != outcome_of(text, text.size() + 1)) std::abort();
  std::istringstream in{std::string(text)};
  const auto source = RecordSource::open(in, "x.csv", {.newest_year = 2027});
  while (const auto record = source->next()) {
    if (record->line == 0) std::abort();
    if (record->book && (record->book->title.empty() || record->book->author.empty())) std::abort();
  }
  return 0;
}
