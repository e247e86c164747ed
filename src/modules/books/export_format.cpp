#include "modules/books/export_format.hpp"

#include "core/json/codec.hpp"
#include "core/marc/writer.hpp"
#include "core/xml/writer.hpp"
#include "modules/books/csv_writer.hpp"
#include "modules/books/marc_record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::books {
namespace {

// Headings hold any sign: where one would part the list, it is a JSON array.
std::string subjects_cell(const std::vector<std::string>& subjects) {
  const bool plain = std::ranges::none_of(
      subjects, [](const std::string& subject) { return subject.find_first_of(";|[") != std::string::npos; });
  return plain ? join_tags(subjects) : json::encode(subjects);
}

class CsvBooks final : public BookWriter {
 public:
  void begin(std::string& out) override {
    CsvWriter csv(out);
    for (const auto* name : {"title", "author", "isbn", "genre", "year_published", "description", "language",
                             "publisher", "page_count", "tags", "cover_url", "copies", "series",
                             "series_index", "subjects", "ddc", "lcc", "metadata", "work_id"})
      csv.raw(name);
    csv.end_row();
  }
  void add(const Book& b, std::string& out) override {
    CsvWriter csv(out);
    const auto text = [&](const std::optional<std::string>& v) { v ? csv.text(*v) : csv.empty(); };
    const auto number = [&](const std::optional<int>& v) { v ? csv.number(*v) : csv.empty(); };
    csv.text(b.title).text(b.author);
    text(b.isbn);
    text(b.genre);
    number(b.year_published);
    text(b.description);
    text(b.language);
    text(b.publisher);
    number(b.page_count);
    csv.raw(join_tags(b.tags));
    text(b.cover_url);
    csv.number(b.copies_total);
    text(b.series);
    b.series_index ? csv.raw(fmt::format("{}", *b.series_index)) : csv.empty();
    csv.text(subjects_cell(b.subjects));
    text(b.ddc);
    text(b.lcc);
    b.metadata.text == "{}" ? csv.empty() : csv.text(b.metadata.text);
    b.work_id ? csv.number(b.work_id->value) : csv.empty();
    csv.end_row();
  }
};

class JsonLines final : public BookWriter {
 public:
  void add(const Book& book, std::string& out) override { out.append(json::encode(book)).append("\n"); }
};

class Marc21 final : public BookWriter {
 public:
  void add(const Book& book, std::string& out) override {
    auto record = to_marc(book);
    if (marc::write_iso2709(record, out)) return;
    // Longer than ISO 2709 can say, which takes 20,000 characters of three bytes and fifty long tags.
    std::erase_if(record.fields, [](const marc::Field& field) { return field.tag == "653"; });
    marc::write_iso2709(record, out);
  }
};

class MarcXml final : public BookWriter {
 public:
  void begin(std::string& out) override {
    xml::Writer w(out);
    w.declaration();
    out.append("<collection xmlns=\"").append(marc::slim_namespace).append("\">\n");
  }
  void add(const Book& book, std::string& out) override {
    xml::Writer w(out);
    marc::write_marcxml(to_marc(book), w, false);
    out += '\n';
  }
  void end(std::string& out) override { out += "</collection>\n"; }
};

}  // namespace

std::string_view media_type_of(ExportKind kind) {
  switch (kind) {
    case ExportKind::csv:
      return "text/csv; charset=utf-8";
    case ExportKind::jsonl:
      return "application/x-ndjson";
    case ExportKind::marc:
      return "application/marc";
    case ExportKind::marcxml:
      return "application/marcxml+xml";
  }
  return "application/octet-stream";
}

std::string_view extension_of(ExportKind kind) {
  constexpr std::array<std::string_view, 4> extensions{".csv", ".jsonl", ".mrc", ".xml"};
  return extensions[static_cast<std::size_t>(kind)];
}

ExportKind export_kind_of(std::string_view name) {
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) return ExportKind::jsonl;
  if (name.ends_with(".mrc") || name.ends_with(".marc")) return ExportKind::marc;
  if (name.ends_with(".xml")) return ExportKind::marcxml;
  return ExportKind::csv;
}

std::unique_ptr<BookWriter> BookWriter::make(ExportKind kind) {
  switch (kind) {
    case ExportKind::jsonl:
      return std::make_unique<JsonLines>();
    case ExportKind::marc:
      return std::make_unique<Marc21>();
    case ExportKind::marcxml:
      return std::make_unique<MarcXml>();
    case ExportKind::csv:
      break;
  }
  return std::make_unique<CsvBooks>();
}

std::vector<schema::Field> ExportRequest::fields() {
  return {{"format", &ExportRequest::format, "csv (the default), jsonl, marc (ISO 2709) or marcxml"}};
}

}  // namespace lumina::books
