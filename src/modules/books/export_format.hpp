// Books as files: CSV, JSON lines, MARC 21 (ISO 2709) and MARCXML, written book by book.
//
// What is written can be imported again and gives equal books. Text is appended to a string of the caller's,
// who sends and empties it as he likes: constant memory. Not thread-safe; use one per file.
#pragma once
#include "modules/books/model.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::books {

enum class ExportKind : std::uint8_t { csv, jsonl, marc, marcxml };
constexpr std::array<std::string_view, 4> export_kind_names{"csv", "jsonl", "marc", "marcxml"};
constexpr auto& enum_names(ExportKind) { return export_kind_names; }

std::string_view media_type_of(ExportKind kind);
std::string_view extension_of(ExportKind kind);  // ".csv", ".jsonl", ".mrc", ".xml"
// By the end of a file's name; CSV for any other.
ExportKind export_kind_of(std::string_view file_name);

class BookWriter {
 public:
  static std::unique_ptr<BookWriter> make(ExportKind kind);
  virtual ~BookWriter() = default;

  virtual void begin(std::string&) {}
  virtual void add(const Book& book, std::string& out) = 0;
  virtual void end(std::string&) {}
};

struct ExportRequest {
  std::optional<ExportKind> format;
  static constexpr std::string_view type_name = "ExportRequest";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books
