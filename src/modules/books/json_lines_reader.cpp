#include "modules/books/json_lines_reader.hpp"

#include "core/base/text.hpp"
#include "modules/books/book_row.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lumina::books {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 8> of_our_export = {
    "id",           "summary",      "copies_available", "average_rating",
    "review_count", "rating_count", "created_at",       "updated_at"};

ImportedRecord refused(std::size_t line, std::string_view text, FieldError fault) {
  std::vector<FieldError> faults;
  faults.push_back(std::move(fault));
  return {line, std::unexpected(std::move(faults)), {}, std::string(text)};
}

class ObjectReader {
 public:
  void read(const json::object& object) {
    for (const auto& [key, value] : object) member(key, value);
  }

  BookDraft draft;
  schema::RawJson metadata{"{}"};
  std::vector<FieldError> faults;
  std::vector<FieldError> unknown;

 private:
  void member(std::string_view name, const json::value& value) {
    if (name == "title") return text(name, value, draft.title);
    if (name == "author") return text(name, value, draft.author);
    if (name == "isbn") return isbn(value);
    if (name == "genre") return text(name, value, draft.genre);
    if (name == "year_published") return integer(name, value, draft.year);
    if (name == "description") return text(name, value, draft.description);
    if (name == "language") return text(name, value, draft.language);
    if (name == "publisher") return text(name, value, draft.publisher);
    if (name == "page_count") return integer(name, value, draft.page_count);
    if (name == "tags") return strings(name, value, draft.tags);
    if (name == "series") return text(name, value, draft.series);
    if (name == "series_index") return number(name, value, draft.series_index);
    if (name == "subjects") return strings(name, value, draft.subjects);
    if (name == "ddc") return text(name, value, draft.ddc);
    if (name == "lcc") return text(name, value, draft.lcc);
    if (name == "metadata") return own_fields(value);
    if (name == "work_id") return integer(name, value, draft.work);
    if (name == "cover_url") return text(name, value, draft.cover_url);
    if (name == "copies" || name == "copies_total") return integer(name, value, draft.copies);
    if (std::ranges::find(of_our_export, name) != of_our_export.end()) return;
    unknown.push_back({{std::string(name)}, "This member is not known and was passed over", "unknown"});
  }

  void wrong_type(std::string_view name, std::string_view wanted) {
    faults.push_back({{std::string(name)}, "Must be " + std::string(wanted), "type"});
  }

  void text(std::string_view name, const json::value& value, std::string& into) {
    if (value.is_null()) return;
    if (!value.is_string()) return wrong_type(name, "a string");
    into = std::string_view(value.get_string());
  }

  void integer(std::string_view name, const json::value& value, std::string& into) {
    if (value.is_null()) return;
    if (value.is_int64()) {
      into = std::to_string(value.get_int64());
    } else if (value.is_uint64()) {
      into = std::to_string(value.get_uint64());
    } else if (value.is_double() && value.get_double() == std::trunc(value.get_double()) &&
               std::abs(value.get_double()) < 1e15) {
      into = std::to_string(static_cast<std::int64_t>(value.get_double()));
    } else {
      wrong_type(name, "a whole number");
    }
  }

  void isbn(const json::value& value) {
    std::string number;
    text("isbn", value, number);
    if (!number.empty()) draft.isbns.push_back(std::move(number));
  }

  void strings(std::string_view name, const json::value& value, std::vector<std::string>& into) {
    if (value.is_null()) return;
    const bool all = value.is_array() && std::ranges::all_of(value.get_array(), &json::value::is_string);
    if (!all) return wrong_type(name, "an array of strings");
    for (const json::value& one : value.get_array()) into.emplace_back(std::string_view(one.get_string()));
  }

  void number(std::string_view name, const json::value& value, std::string& into) {
    if (value.is_null()) return;
    if (!value.is_number()) return wrong_type(name, "a number");
    into = fmt::format("{}", value.to_number<double>());
  }

  void own_fields(const json::value& value) {
    if (value.is_null()) return;
    metadata.text = json::serialize(value);
    if (auto fault = metadata_fault(metadata)) faults.push_back({{"metadata"}, fault->message, fault->type});
  }
};

}  // namespace

ImportedRecord read_json_line(std::string_view text, std::size_t line, int newest_year) {
  if (!is_valid_utf8(text)) return refused(line, text, {{}, "The line is not UTF-8", "encoding"});
  boost::system::error_code error;
  json::monotonic_resource memory;
  const json::value value = json::parse(text, error, &memory);
  if (error) return refused(line, text, {{}, "The line is not JSON: " + error.message(), "json"});
  if (!value.is_object()) return refused(line, text, {{}, "The line is not a JSON object", "type"});
  ObjectReader reader;
  reader.read(value.get_object());
  ImportedRecord record = to_record(reader.draft, line, newest_year);
  if (record.book) record.book->metadata = std::move(reader.metadata);
  if (!reader.faults.empty()) {
    if (!record.book) std::ranges::move(record.book.error(), std::back_inserter(reader.faults));
    record.book = std::unexpected(std::move(reader.faults));
  }
  if (!record.book) record.raw = text;
  std::ranges::move(reader.unknown, std::back_inserter(record.warnings));
  return record;
}

}  // namespace lumina::books
