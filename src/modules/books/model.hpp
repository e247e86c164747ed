// The catalogue's types, free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

using WorkId = Id<struct WorkTag>;

struct Book {
  BookId id;
  std::string title;
  std::string author;
  std::optional<std::string> isbn;  // ISBN-13, digits only
  std::optional<std::string> genre;
  std::optional<int> year_published;
  std::optional<std::string> description;
  std::optional<std::string> summary;
  std::optional<std::string> language;
  std::optional<std::string> publisher;
  std::optional<int> page_count;
  std::vector<std::string> tags;
  std::optional<std::string> cover_url;
  std::optional<std::string> series;
  std::optional<double> series_index;  // 1, 2, 2.5
  std::vector<std::string> subjects;
  std::optional<std::string> ddc, lcc;  // class marks
  schema::RawJson metadata{"{}"};       // an object: fields of the library's own
  std::optional<WorkId> work_id;
  int copies_total = 0;
  int copies_available = 0;
  std::optional<double> average_rating;
  int review_count = 0;
  Timestamp created_at;
  Timestamp updated_at;
  std::int64_t version = 1;  // of what librarians edit; part of the ETag, not of the body

  static constexpr std::string_view type_name = "Book";
  static std::vector<schema::Field> fields();
};

// What a librarian enters or an import brings. `isbn` may be ISBN-10 or ISBN-13, with or without hyphens; it
// is kept as ISBN-13 digits.
struct NewBook {
  std::string title;   // 1..500 code points
  std::string author;  // 1..255 code points
  std::optional<std::string> isbn;
  std::optional<std::string> genre;   // up to 100 code points
  std::optional<int> year_published;  // -3000..next year
  std::optional<std::string> description;
  std::optional<std::string> language;  // BCP 47
  std::optional<std::string> publisher;
  std::optional<int> page_count;
  std::vector<std::string> tags;
  std::optional<std::string> cover_url;
  std::optional<std::string> series;    // up to 300 code points
  std::optional<double> series_index;   // 0..100000
  std::vector<std::string> subjects;    // each up to 200 code points
  std::optional<std::string> ddc, lcc;  // Dewey and Library of Congress class marks
  schema::RawJson metadata{"{}"};       // an object of up to 16 KiB (record_fields.hpp)
  std::optional<int> copies;            // default 1

  static constexpr std::string_view type_name = "NewBook";
  static std::vector<schema::Field> fields();
};

// RFC 7396: what is not mentioned stays, null empties.
struct BookChanges {
  schema::Patch<std::string> title, author, isbn, genre;
  schema::Patch<int> year_published;
  schema::Patch<std::string> description, language, publisher;
  schema::Patch<int> page_count;
  schema::Patch<std::vector<std::string>> tags;
  schema::Patch<std::string> cover_url, series;
  schema::Patch<double> series_index;
  schema::Patch<std::vector<std::string>> subjects;
  schema::Patch<std::string> ddc, lcc;
  schema::Patch<schema::RawJson> metadata;  // merged into what is there

  static constexpr std::string_view type_name = "BookChanges";
  static std::vector<schema::Field> fields();
};

// The filters and the order of GET /books.
struct BookFilter {
  std::optional<std::string> q;       // words of title or author, spelling of case and accents aside
  std::optional<std::string> author;  // part of the author's name
  std::optional<std::string> genre;
  std::optional<std::string> isbn;
  std::optional<std::string> tag;
  std::optional<std::string> language;
  std::optional<int> year_from, year_to;
  std::optional<bool> available;
  std::optional<std::string> series;   // spelling of case and accents aside
  std::optional<std::string> subject;  // the same
  std::optional<WorkId> work;
  std::optional<std::string> metadata;  // JSON: an object of names and the values they must have
  std::optional<std::string> sort;      // created_at, title, ... with '-' for descending

  static constexpr std::string_view type_name = "BookFilter";
  static std::vector<schema::Field> fields();
};

struct FacetValue {
  std::optional<std::string> value;  // null: books without one
  std::int64_t count = 0;
  static constexpr std::string_view type_name = "FacetValue";
  static std::vector<schema::Field> fields();
};
struct Facet {
  std::vector<FacetValue> values;  // most books first
  std::int64_t other = 0;          // books of the values not shown
  static constexpr std::string_view type_name = "Facet";
  static std::vector<schema::Field> fields();
};
struct Facets {
  std::int64_t total = 0;
  Facet genre, author, year_published, language;
  static constexpr std::string_view type_name = "Facets";
  static std::vector<schema::Field> fields();
};

// The barcode of the n-th copy of a book when nobody gives one: "L", eight digits of the book, three of the
// copy and a check digit (Luhn), so that a mistyped one is noticed. Longer numbers make it longer.
std::string generated_barcode(BookId book, int n);

// The fault of one record of a batch or import, by its place in the input.
struct RecordFault {
  std::int64_t index = 0;
  std::vector<std::string> errors;
  static constexpr std::string_view type_name = "RecordFault";
  static std::vector<schema::Field> fields();
};
struct BatchResult {
  std::int64_t created = 0, updated = 0, unchanged = 0;
  std::vector<RecordFault> failed;
  static constexpr std::string_view type_name = "BatchResult";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books
