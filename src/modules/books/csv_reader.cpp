#include "modules/books/csv_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lumina::books {
namespace {

constexpr std::string_view candidates = ",;\t|";
constexpr std::size_t detection_bytes = std::size_t{64} << 10;
constexpr std::size_t shown_bytes = 200;

bool is_line_byte(char c) { return c == '\n' || c == '\r'; }

// With CR as the file's line end a CRLF is still one line; otherwise a lone CR is content.
std::size_t count_lines(std::string_view bytes, bool cr_ends_lines) {
  auto lines = static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
  if (!cr_ends_lines) return lines;
  for (std::size_t cr = bytes.find('\r'); cr != std::string_view::npos; cr = bytes.find('\r', cr + 1)) {
    if (cr + 1 == bytes.size() || bytes[cr + 1] != '\n') ++lines;
  }
  return lines;
}

// The candidate seen most often outside quotes; the comma when none was seen.
char most_frequent_delimiter(std::string_view line) {
  std::array<std::size_t, candidates.size()> counts{};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const std::size_t i = candidates.find(c);
    if (!quoted && i != std::string_view::npos) ++counts[i];
  }
  return candidates[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

}  // namespace

std::string_view describe(CsvProblem problem) {
  switch (problem) {
    case CsvProblem::unterminated_quote:
      return "A quote is opened in this row and not closed";
    case CsvProblem::field_too_long:
      return "A field of this row is too long";
    case CsvProblem::row_too_long:
      return "This row is too long";
    case CsvProblem::too_many_columns:
      return "This row has too many columns";
    case CsvProblem::utf16:
      return "The file is UTF-16; save it as UTF-8";
  }
  return "This row cannot be read";
}

CsvReader::CsvReader(char delimiter, CsvLimits limits) : limits_(limits), delimiter_(delimiter) {}

void CsvReader::feed(std::string_view chunk) {
  if (refused_) return;
  if (row_begin_ != 0) {
    buffer_.erase(0, row_begin_);
    position_ -= row_begin_;
    row_begin_ = 0;
  }
  buffer_ += chunk;
}

void CsvReader::finish() { finished_ = true; }

std::optional<CsvReader::Item> CsvReader::next() {
  if (!started_ && !start_file()) return std::exchange(ready_, std::nullopt);
  while (!ready_) {
    if (place_ == Place::row_start) {
      if (position_ >= buffer_.size()) return {};
      const auto end = line_end_at(position_);
      if (!end) return {};
      if (*end != 0) {
        begin_row_at(position_ + *end);
        continue;
      }
      place_ = Place::field_start;
    }
    if (place_ == Place::field_start) {
      if (position_ >= buffer_.size()) {
        if (!finished_) return {};
        if (end_field()) end_row(0);
        continue;
      }
      if (buffer_[position_] == '"') {
        ++position_;
        stray_quote_ = false;
        place_ = Place::quoted;
      } else {
        place_ = Place::unquoted;
      }
    }
    const bool progress = place_ == Place::quoted     ? read_quoted()
                          : place_ == Place::skipping ? skip_line()
                                                      : read_unquoted();
    if (!progress) return {};
  }
  return std::exchange(ready_, std::nullopt);
}

bool CsvReader::start_file() {
  if (buffer_.size() < 3 && !finished_) return false;
  if (buffer_.starts_with("\xFF\xFE") || buffer_.starts_with("\xFE\xFF")) {
    ready_ = std::unexpected(CsvFault{1, CsvProblem::utf16, {}});
    started_ = true;
    refused_ = true;
    buffer_.clear();
    return false;
  }
  if (buffer_.starts_with("\xEF\xBB\xBF")) {
    buffer_.erase(0, 3);
  }
  if (!choose_delimiter()) return false;
  started_ = true;
  return true;
}

bool CsvReader::choose_delimiter() {
  const std::size_t end = std::min(buffer_.find_first_of("\r\n"), buffer_.size());
  if (end == buffer_.size() && !finished_ && buffer_.size() < detection_bytes) return false;
  const std::string_view line = std::string_view(buffer_).substr(0, end);
  if (line.size() == 5 && line.starts_with("sep=")) {
    if (end + 1 >= buffer_.size() && !finished_) return false;
    if (delimiter_ == 0) delimiter_ = line[4];
    if (end < buffer_.size()) begin_row_at(end + line_end_at(end).value_or(0));
    if (end == buffer_.size()) begin_row_at(end);
  } else if (delimiter_ == 0) {
    delimiter_ = most_frequent_delimiter(line.substr(0, detection_bytes));
  }
  return true;
}

std::optional<std::size_t> CsvReader::line_end_at(std::size_t at) {
  const char c = buffer_[at];
  if (c == '\n') {
    if (line_end_ == LineEnd::unknown) line_end_ = LineEnd::lf;
    return 1;
  }
  if (c != '\r') return 0;
  if (at + 1 == buffer_.size()) {
    if (!finished_) return {};
    return 1;
  }
  if (buffer_[at + 1] == '\n') {
    if (line_end_ == LineEnd::unknown) line_end_ = LineEnd::lf;
    return 2;
  }
  if (line_end_ == LineEnd::unknown) line_end_ = LineEnd::cr;
  return line_end_ == LineEnd::cr ? 1 : 0;
}

bool CsvReader::read_unquoted() {
  const std::array<char, 3> stops = {delimiter_, '\n', '\r'};
  const std::string_view rest = std::string_view(buffer_).substr(position_);
  const auto stop = static_cast<std::size_t>(
      std::ranges::find_if(rest, [&](char c) { return c == stops[0] || c == stops[1] || c == stops[2]; }) -
      rest.begin());
  if (!add(rest.substr(0, stop))) return true;
  position_ += stop;
  if (position_ == buffer_.size()) {
    if (!finished_) return false;
    if (end_field()) end_row(0);
    return true;
  }
  if (buffer_[position_] == delimiter_) {
    ++position_;
    if (end_field()) place_ = Place::field_start;
    return true;
  }
  const auto end = line_end_at(position_);
  if (!end) return false;
  if (*end == 0) {
    if (add("\r")) ++position_;
    return true;
  }
  if (end_field()) end_row(*end);
  return true;
}

bool CsvReader::read_quoted() {
  const std::string_view rest = std::string_view(buffer_).substr(position_);
  const std::size_t quote = std::min(rest.find('"'), rest.size());
  const std::string_view text = rest.substr(0, quote);
  if (stray_quote_) {
    if (const std::size_t end = text.find_first_of("\r\n"); end != std::string_view::npos) {
      if (add(text.substr(0, end))) fail(CsvProblem::unterminated_quote);
      return true;
    }
  }
  if (!add(text)) return true;
  position_ += quote;
  if (position_ == buffer_.size()) {
    if (finished_) fail(CsvProblem::unterminated_quote);
    return finished_;
  }
  const std::size_t after = position_ + 1;
  if (after == buffer_.size() && !finished_) return false;
  const char following = after == buffer_.size() ? '\n' : buffer_[after];
  if (following == '"') {
    if (add("\"")) position_ += 2;
    return true;
  }
  if (following == delimiter_ || is_line_byte(following)) {
    position_ = after;
    place_ = Place::unquoted;
    return true;
  }
  // Not doubled and not at the end of the field. On the line where the row began it is meant as a quotation
  // mark; on a later line the quote that opened this field was itself the stray one.
  const std::string_view row = std::string_view(buffer_).substr(row_begin_, position_ - row_begin_);
  if (std::ranges::any_of(row, is_line_byte)) {
    fail(CsvProblem::unterminated_quote);
    return true;
  }
  stray_quote_ = true;
  if (add("\"")) position_ = after;
  return true;
}

bool CsvReader::skip_line() {
  const std::size_t end = buffer_.find_first_of("\r\n", position_);
  position_ = std::min(end, buffer_.size());
  if (position_ < buffer_.size()) {
    const auto length = line_end_at(position_);
    if (!length) return false;
    if (*length == 0) {
      ++position_;
      return true;
    }
    begin_row_at(position_ + *length);
    return true;
  }
  row_begin_ = position_;
  return false;
}

bool CsvReader::add(std::string_view bytes) {
  // The limit that is met first is the one reported, whatever the size of the chunks.
  const std::size_t in_row = position_ - row_begin_;
  const std::size_t row_room = limits_.row_bytes - std::min(in_row, limits_.row_bytes);
  const std::size_t field_room = limits_.field_bytes - field_.size();
  if (bytes.size() > std::min(row_room, field_room)) {
    fail(field_room <= row_room ? CsvProblem::field_too_long : CsvProblem::row_too_long);
    return false;
  }
  field_ += bytes;
  return true;
}

bool CsvReader::end_field() {
  if (row_.fields.size() == limits_.columns) {
    fail(CsvProblem::too_many_columns);
    return false;
  }
  row_.fields.push_back(std::exchange(field_, {}));
  return true;
}

void CsvReader::end_row(std::size_t line_end) {
  const std::size_t columns = row_.fields.size();
  row_.line = line_;
  ready_ = std::exchange(row_, {});
  row_.fields.reserve(columns);
  begin_row_at(position_ + line_end);
}

void CsvReader::fail(CsvProblem problem) {
  const std::string_view seen = std::string_view(buffer_).substr(row_begin_);
  ready_ = std::unexpected(CsvFault{line_, problem, std::string(seen.substr(0, shown_bytes))});
  row_.fields.clear();
  field_.clear();
  // The rest of the line where the row began is given up, whatever quotes it holds.
  position_ = row_begin_;
  place_ = Place::skipping;
}

void CsvReader::begin_row_at(std::size_t position) {
  line_ += count_lines(std::string_view(buffer_).substr(row_begin_, position - row_begin_),
                       line_end_ == LineEnd::cr);
  position_ = position;
  row_begin_ = position;
  place_ = Place::row_start;
}

}  // namespace lumina::books
