#include "modules/books/csv_writer.hpp"

#include <algorithm>
#include <array>

namespace lumina::books {
namespace {

// The full-width forms are U+FF1D, U+FF0B, U+FF0D, U+FF20.
constexpr std::array<std::string_view, 10> formula_starts = {
    "=", "+", "-", "@", "\t", "\r", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};

// Apostrophes count as seen through, so that guarding twice and unguarding once gives back the once guarded
// text.
bool starts_formula(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of('\''), text.size());
  const std::string_view rest = text.substr(first);
  return std::ranges::any_of(formula_starts, [&](std::string_view start) { return rest.starts_with(start); });
}

}  // namespace

CsvWriter& CsvWriter::text(std::string_view value) { return raw(guard_formula(value)); }

CsvWriter& CsvWriter::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

CsvWriter& CsvWriter::empty() {
  separate();
  return *this;
}

CsvWriter& CsvWriter::raw(std::string_view value) {
  separate();
  const bool plain = value.find_first_of("\"\r\n") == std::string_view::npos && !value.contains(delimiter_) &&
                     !value.starts_with(' ') && !value.ends_with(' ');
  if (plain) {
    out_ += value;
    return *this;
  }
  out_ += '"';
  for (const char c : value) {
    if (c == '"') out_ += '"';
    out_ += c;
  }
  out_ += '"';
  return *this;
}

void CsvWriter::end_row() {
  out_ += "\r\n";
  first_ = true;
}

void CsvWriter::separate() {
  if (!first_) out_ += delimiter_;
  first_ = false;
}

std::string guard_formula(std::string_view text) {
  std::string guarded;
  if (starts_formula(text)) guarded = "'";
  guarded += text;
  return guarded;
}

std::string_view unguard_formula(std::string_view text) {
  if (text.starts_with('\'') && starts_formula(text)) text.remove_prefix(1);
  return text;
}

std::string join_tags(std::span<const std::string> tags) {
  std::string joined;
  for (const std::string& tag : tags) {
    if (!joined.empty()) joined += ';';
    joined += tag;
    std::ranges::replace(joined.end() - static_cast<std::ptrdiff_t>(tag.size()), joined.end(), ';', ',');
  }
  if (tags.size() == 1 && joined.find_first_of(",|") != std::string::npos) joined += ';';
  return joined;
}

}  // namespace lumina::books
