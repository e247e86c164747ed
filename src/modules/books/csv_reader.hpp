// Reads comma-separated values (RFC 4180) from chunks of any size in constant memory.
//
// Beyond the RFC it takes what spreadsheets and old exports write: a UTF-8 byte order mark, LF, CRLF or CR as
// line ends, semicolon, tab or bar as delimiter (found by counting in the first line, or said by Excel's
// `sep=;` line), quotes inside fields that were not doubled, empty lines (skipped). Content is bytes:
// encodings are the caller's concern, except that UTF-16 is recognised and refused.
//
// A row that cannot be read becomes a fault with its line, never the loss of those after it. When an opening
// quote is never closed, or the field grows over the limit, reading resumes at the line after the one where
// the row began.
//
// Memory: the chunk being fed plus one row, itself bounded by the limits. Not thread-safe; use one per file.
#pragma once
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct CsvLimits {
  std::size_t field_bytes = std::size_t{1} << 20;
  std::size_t row_bytes = std::size_t{4} << 20;
  std::size_t columns = 512;
};

struct CsvRow {
  std::size_t line = 0;  // where the row begins, counted from 1
  std::vector<std::string> fields;
};

enum class CsvProblem {
  unterminated_quote,  // a quote was opened and not closed, or closed in an impossible place on a later line
  field_too_long,
  row_too_long,
  too_many_columns,
  utf16,  // the file is UTF-16; nothing of it is read
};

struct CsvFault {
  std::size_t line = 0;
  CsvProblem problem = CsvProblem::unterminated_quote;
  std::string
      beginning;  // the first bytes of the row, at most 200, to show to the person who repairs the file
};

// A sentence that may be shown to a client.
std::string_view describe(CsvProblem);

class CsvReader {
 public:
  using Item = std::expected<CsvRow, CsvFault>;

  // A delimiter of 0 is found in the first line.
  explicit CsvReader(char delimiter = 0, CsvLimits limits = {});

  void feed(std::string_view chunk);
  // No more chunks follow.
  void finish();

  // The next row or fault. Nothing: feed more, or, after finish(), the end.
  std::optional<Item> next();

  // 0 until the first line has been seen.
  char delimiter() const { return delimiter_; }

 private:
  enum class Place { row_start, field_start, unquoted, quoted, skipping };
  enum class LineEnd { unknown, lf, cr };

  bool start_file();
  bool choose_delimiter();
  // The length of the line end at `at`: 0 for none, nothing when the next chunk decides.
  std::optional<std::size_t> line_end_at(std::size_t at);
  bool read_unquoted();
  bool read_quoted();
  bool skip_line();
  bool add(std::string_view bytes);
  bool end_field();
  void end_row(std::size_t line_end);
  // The row ends in a fault; reading goes on at its second line, which may lie behind the place reached.
  void fail(CsvProblem problem);
  void begin_row_at(std::size_t position);

  CsvLimits limits_;
  char delimiter_;
  std::string buffer_;
  std::size_t position_ = 0;   // the next byte to look at
  std::size_t row_begin_ = 0;  // where the current row begins in buffer_
  std::size_t line_ = 1;       // the line at row_begin_
  bool started_ = false;
  bool finished_ = false;
  bool refused_ = false;      // UTF-16: nothing more is read
  bool stray_quote_ = false;  // the quoted field holds a quote that was not doubled
  Place place_ = Place::row_start;
  LineEnd line_end_ = LineEnd::unknown;
  std::string field_;
  CsvRow row_;
  std::optional<Item> ready_;
};

}  // namespace lumina::books
