// Writes comma-separated values (RFC 4180: CRLF line ends, quotes only where needed), safe to open in a
// spreadsheet.
//
// Text that a spreadsheet would run as a formula (it starts with = + - @, TAB or CR, or their full-width
// forms) gets an apostrophe in front (OWASP ASVS 1.2.10). unguard_formula takes it away again, exactly; the
// import uses it, so an export read back is equal to what was exported.
//
// The text is appended to a string of the caller's, who sends and empties it as he likes: constant memory.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lumina::books {

class CsvWriter {
 public:
  explicit CsvWriter(std::string& out, char delimiter = ',') : out_(out), delimiter_(delimiter) {}

  CsvWriter& text(std::string_view value);  // guarded
  CsvWriter& number(std::int64_t value);    // written as it is: a negative year is no formula
  CsvWriter& empty();
  // The bytes quoted where needed but not guarded: for machines only.
  CsvWriter& raw(std::string_view value);
  void end_row();

 private:
  void separate();

  std::string& out_;
  char delimiter_;
  bool first_ = true;
};

std::string guard_formula(std::string_view text);
std::string_view unguard_formula(std::string_view text);

// "sea;whales". A semicolon inside a tag becomes a comma; a lone tag with a comma or bar in it ends in a
// semicolon, so that the import does not split it.
std::string join_tags(std::span<const std::string> tags);

}  // namespace lumina::books
