#include "modules/books/record_reader.hpp"

#include "core/base/text.hpp"
#include "core/marc/reader.hpp"
#include "modules/books/csv_reader.hpp"
#include "modules/books/csv_writer.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/json_lines_reader.hpp"
#include "modules/books/marc_record.hpp"
#include "modules/books/normalize.hpp"
#include "modules/books/open_library.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace lumina::books {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t json_line_limit = std::size_t{4} << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

int next_year() {
  const std::chrono::year_month_day today(
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  return static_cast<int>(today.year()) + 1;
}

// Empty at the end of the stream, and only then.
std::string read_chunk(std::istream& in) {
  std::string chunk(chunk_bytes, '\0');
  in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
  chunk.resize(static_cast<std::size_t>(in.gcount()));
  return chunk;
}

ImportedRecord refused(std::size_t line, std::string message, std::string type, std::string raw) {
  std::vector<FieldError> faults;
  faults.push_back({{}, std::move(message), std::move(type)});
  return {line, std::unexpected(std::move(faults)), {}, std::move(raw)};
}

// A table: its header is read on construction.
class TableSource final : public RecordSource {
 public:
  TableSource(std::istream& in, std::string beginning, char delimiter, int newest_year)
      : in_(in), reader_(delimiter), newest_year_(newest_year) {
    reader_.feed(beginning);
    auto first = next_item();
    format_.delimiter = reader_.delimiter();
    if (!first) {
      format_.problem = "The file is empty";
    } else if (!*first) {
      format_.problem = describe(first->error().problem);
    } else {
      for (std::string& name : (*first)->fields) format_.header.push_back(clean_line(name));
      map_ = ColumnMap(format_.header);
      format_.kind = map_.kind();
      format_.unused_columns = map_.unused(format_.header);
      if (format_.kind == FormatKind::unknown) {
        format_.problem = "The first row names no column \"title\"";
      }
    }
  }

  std::optional<ImportedRecord> next() override {
    if (format_.kind == FormatKind::unknown) {
      if (std::exchange(said_, true)) return {};
      return refused(1, format_.problem, "format", {});
    }
    while (true) {
      auto item = next_item();
      if (!item) return {};
      if (!*item) {
        CsvFault& fault = item->error();
        return refused(fault.line, std::string(describe(fault.problem)), "csv", std::move(fault.beginning));
      }
      CsvRow& row = **item;
      if (std::ranges::all_of(row.fields, [](const std::string& cell) { return trim(cell).empty(); }))
        continue;
      return record_of(row);
    }
  }

 private:
  std::optional<CsvReader::Item> next_item() {
    while (true) {
      if (auto item = reader_.next()) return item;
      if (ended_) return {};
      const std::string chunk = read_chunk(in_);
      if (chunk.empty()) {
        reader_.finish();
        ended_ = true;
      } else {
        reader_.feed(chunk);
      }
    }
  }

  ImportedRecord record_of(CsvRow& row) {
    std::vector<FieldError> encoding_warnings;
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      std::string& cell = row.fields[i];
      if (is_valid_utf8(cell)) continue;
      cell = windows_1252_to_utf8(cell);
      encoding_warnings.push_back({{i < format_.header.size() ? format_.header[i] : std::string()},
                                   "The field is not UTF-8 and was read as Windows-1252",
                                   "encoding"});
    }
    while (row.fields.size() > format_.header.size() && trim(row.fields.back()).empty())
      row.fields.pop_back();
    if (row.fields.size() > format_.header.size()) {
      return refused(row.line,
                     "The row has " + std::to_string(row.fields.size()) + " cells, the header " +
                         std::to_string(format_.header.size()) + " columns",
                     "columns", raw_of(row));
    }
    ImportedRecord record = to_record(map_.draft_of(row.fields), row.line, newest_year_);
    std::ranges::move(encoding_warnings, std::back_inserter(record.warnings));
    if (!record.book) record.raw = raw_of(row);
    return record;
  }

  std::string raw_of(const CsvRow& row) const {
    std::string raw;
    CsvWriter writer(raw, format_.delimiter);
    for (const std::string& cell : row.fields) writer.raw(cell);
    return raw;
  }

  std::istream& in_;
  CsvReader reader_;
  ColumnMap map_;
  int newest_year_;
  bool ended_ = false;
  bool said_ = false;
};

class JsonLinesSource final : public RecordSource {
 public:
  JsonLinesSource(std::istream& in, std::string beginning, int newest_year)
      : in_(in), buffer_(std::move(beginning)), newest_year_(newest_year) {
    if (buffer_.starts_with(byte_order_mark)) position_ = byte_order_mark.size();
    format_.kind = FormatKind::json_lines;
  }

  std::optional<ImportedRecord> next() override {
    while (true) {
      const std::size_t end = buffer_.find('\n', searched_ = std::max(searched_, position_));
      if (end == std::string::npos && !ended_) {
        read_more();
        continue;
      }
      if (end == std::string::npos && position_ == buffer_.size() && !too_long_) return {};
      const std::size_t stop = std::min(end, buffer_.size());
      const std::string_view text = trim_ascii(std::string_view(buffer_).substr(position_, stop - position_));
      position_ = std::min(stop + 1, buffer_.size());
      const std::size_t line = ++line_;
      if (std::exchange(too_long_, false) || text.size() > json_line_limit) {
        return refused(line, "The line is too long", "length", std::string(text.substr(0, 200)));
      }
      if (!text.empty()) return read_json_line(text, line, newest_year_);
    }
  }

 private:
  void read_more() {
    searched_ = buffer_.size() - position_;
    buffer_.erase(0, std::exchange(position_, 0));
    if (buffer_.size() > json_line_limit) {
      too_long_ = true;
      buffer_.clear();
      searched_ = 0;
    }
    const std::string chunk = read_chunk(in_);
    ended_ = chunk.empty();
    buffer_ += chunk;
  }

  std::istream& in_;
  std::string buffer_;
  std::size_t position_ = 0;  // where the next line begins
  std::size_t searched_ = 0;  // no line end before
  std::size_t line_ = 0;
  int newest_year_;
  bool ended_ = false;
  bool too_long_ = false;
};

// What Open Library gives: one document that holds one book or many.
class OpenLibrarySource final : public RecordSource {
 public:
  OpenLibrarySource(std::vector<BookDraft> drafts, int newest_year)
      : drafts_(std::move(drafts)), newest_year_(newest_year) {
    format_.kind = FormatKind::open_library_json;
  }
  std::optional<ImportedRecord> next() override {
    if (at_ == drafts_.size()) return {};
    const std::size_t number = ++at_;
    return to_record(drafts_[number - 1], number, newest_year_);
  }

 private:
  std::vector<BookDraft> drafts_;
  std::size_t at_ = 0;
  int newest_year_;
};

bool is_isbn_header(std::string_view line) { return iequals(line, "isbn") || iequals(line, "isbn13"); }

// An ISBN a line.
class IsbnSource final : public RecordSource {
 public:
  IsbnSource(std::istream& in, std::string beginning) : in_(in), text_(std::move(beginning)) {
    format_.kind = FormatKind::isbn_list;
    if (text_.starts_with(byte_order_mark)) text_.erase(0, byte_order_mark.size());
  }
  std::optional<ImportedRecord> next() override {
    while (true) {
      std::size_t end = text_.find('\n');
      while (end == std::string::npos && !ended_ && text_.size() < 2 * chunk_bytes) {
        const std::string chunk = read_chunk(in_);
        ended_ = chunk.empty();
        text_ += chunk;
        end = text_.find('\n');
      }
      if (end == std::string::npos && text_.empty()) return {};
      const std::string line(trim_ascii(std::string_view(text_).substr(0, end)));
      text_.erase(0, end == std::string::npos ? end : end + 1);
      ++line_;
      if (line.empty() || line.starts_with('#') || is_isbn_header(line)) continue;
      auto isbn = parse_imported_isbn(line);
      if (!isbn) return refused(line_, std::string(describe(isbn.error())), "isbn", line.substr(0, 200));
      auto record = refused(line_, "Nothing is known of this book but its ISBN", "unknown", line);
      record.isbn = *isbn;
      record.partial.isbn = std::move(*isbn);
      return record;
    }
  }

 private:
  std::istream& in_;
  std::string text_;
  std::size_t line_ = 0;
  bool ended_ = false;
};

// Whether the first lines are ISBNs and nothing else; a lone wrong one is reported, not taken for a header.
bool begins_isbn_list(std::string_view text) {
  int good = 0, bad = 0;
  for (int lines = 0; lines < 20 && !text.empty(); ++lines) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim_ascii(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#') || is_isbn_header(line)) continue;
    if (line.size() > 40 || line.find_first_of(",;\t|") != std::string_view::npos) return false;
    ++(parse_imported_isbn(line) ? good : bad);
  }
  return good > bad;
}

// The books of a file that is one document of Open Library. For any other nothing, and `beginning` holds what
// was read of the stream.
std::optional<std::vector<BookDraft>> open_library_document(std::istream& in, std::string& beginning) {
  constexpr std::size_t most = std::size_t{32} << 20;
  // A line that is an object by itself is JSON lines.
  const std::string_view first = trim_ascii(std::string_view(beginning).substr(0, beginning.find('\n')));
  if (first.size() > 2 && first.ends_with('}') && beginning.contains('\n')) return {};
  while (beginning.size() < most) {
    const std::string chunk = read_chunk(in);
    if (chunk.empty()) break;
    beginning += chunk;
  }
  return open_library_drafts(beginning);
}

// Records of either form of MARC 21. Their number in the file stands where a table has its line.
class MarcSource final : public RecordSource {
 public:
  MarcSource(FormatKind kind, std::unique_ptr<marc::RecordReader> reader, int newest_year)
      : reader_(std::move(reader)), newest_year_(newest_year) {
    format_.kind = kind;
  }

  std::optional<ImportedRecord> next() override {
    auto item = reader_->next();
    if (!item) return {};
    if (!*item) {
      marc::Fault& fault = item->error();
      return refused(fault.record, fault.message + " (at byte " + std::to_string(fault.offset) + ")", "marc",
                     std::move(fault.beginning));
    }
    const marc::ReadRecord& read = **item;
    if (read.record.at(5) == 'd')
      return refused(read.number, "The record says that it was deleted where it comes from", "deleted", {});
    ImportedRecord record = to_record(draft_of(read.record), read.number, newest_year_);
    for (const std::string& warning : read.warnings) record.warnings.push_back({{}, warning, "marc"});
    if (!record.book)
      if (const auto* title = read.record.find("001")) record.raw = "001 " + title->data;
    return record;
  }

 private:
  std::unique_ptr<marc::RecordReader> reader_;
  int newest_year_;
};

// Whether the bytes begin as ISO 2709 does: a leader, and the directory's end behind it. Also when the first
// record's leader is damaged, as long as the separators are there.
bool begins_iso2709(std::string_view text) {
  const std::size_t field_end = text.find('\x1E');
  if (text.size() < 24 || field_end == std::string_view::npos || field_end < 24) return false;
  const bool directory = std::ranges::all_of(text.substr(24, field_end - 24), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
  return directory || text.substr(20, 4) == "4500" || text.contains('\x1D');
}
bool begins_marcxml(std::string_view text) {
  return text.starts_with('<') && (text.contains("record") || text.contains("collection")) &&
         (text.contains("MARC21/slim") || text.contains("leader") || text.contains("datafield"));
}

// What is neither a table nor JSON lines, by its first bytes.
std::string_view foreign_kind(std::string_view text) {
  if (text.starts_with('<')) return "The file is XML or HTML without MARC records";
  if (text.starts_with('[')) return "The file is a JSON array; write one object per line";
  if (text.starts_with("PK\x03\x04")) return "The file is a ZIP archive or a spreadsheet; save it as CSV";
  if (text.starts_with("%PDF-")) return "The file is a PDF document";
  return {};
}

class RefusedSource final : public RecordSource {
 public:
  explicit RefusedSource(std::string_view problem) { format_.problem = problem; }
  std::optional<ImportedRecord> next() override {
    if (std::exchange(said_, true)) return {};
    return refused(1, format_.problem, "format", {});
  }

 private:
  bool said_ = false;
};

bool says_tabs(std::string_view hint) {
  const std::string lower = ascii_lower(hint);
  return lower.ends_with(".tsv") || lower.ends_with(".tab") || lower == "tsv" ||
         lower.contains("tab-separated-values");
}

}  // namespace

std::unique_ptr<RecordSource> RecordSource::open(std::istream& in, std::string_view file_name_or_type,
                                                 ImportOptions options) {
  const int newest_year = options.newest_year != 0 ? options.newest_year : next_year();
  std::string beginning = read_chunk(in);
  std::string_view text = beginning;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  text = trim_ascii(text);
  if (begins_iso2709(text))
    return std::make_unique<MarcSource>(FormatKind::marc21, marc::iso2709_reader(in, std::move(beginning)),
                                        newest_year);
  if (begins_marcxml(text))
    return std::make_unique<MarcSource>(FormatKind::marcxml, marc::marcxml_reader(in, std::move(beginning)),
                                        newest_year);
  if (const std::string_view problem = foreign_kind(text); !problem.empty()) {
    return std::make_unique<RefusedSource>(problem);
  }
  if (text.starts_with('{')) {
    if (auto drafts = open_library_document(in, beginning))
      return std::make_unique<OpenLibrarySource>(std::move(*drafts), newest_year);
    return std::make_unique<JsonLinesSource>(in, std::move(beginning), newest_year);
  }
  if (begins_isbn_list(text)) return std::make_unique<IsbnSource>(in, std::move(beginning));
  const char delimiter = says_tabs(file_name_or_type) ? '\t' : '\0';
  return std::make_unique<TableSource>(in, std::move(beginning), delimiter, newest_year);
}

}  // namespace lumina::books
