// Which file is this, and which of its columns mean what: the knowledge of other programs' exports, on one
// page.
//
// Columns are known by name, in any order, case and punctuation ("ISBN/UID" is isbn_uid). Where two columns
// mean the same the better one is asked first, e.g. "Year Published" before "Original Publication Year".
// Pure, thread-safe.
#pragma once
#include "modules/books/imported_record.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

enum class FormatKind {
  unknown,        // no column for the title, or not a table at all
  csv,            // any table with a title column
  goodreads,      // "My Books" > Export Library
  goodbooks_10k,  // books.csv of that data set: authors in one list, ISBNs without their leading zeros
  gutenberg,      // catalogue of Project Gutenberg: bookshelves in one path
  storygraph,
  bookwyrm,
  librarything,  // "Export as tab-delimited text"
  calibre,       // catalogue as CSV
  openreads,
  open_library,       // the reading log
  open_library_json,  // editions, works, lists of editions, answers of its search
  isbn_list,          // an ISBN a line
  json_lines,
  marc21,  // ISO 2709
  marcxml,
};

struct Format {
  FormatKind kind = FormatKind::unknown;
  char delimiter = 0;                       // of a table
  std::vector<std::string> header;          // of a table, as written
  std::vector<std::string> unused_columns;  // columns that nothing is taken from
  std::string problem;                      // why the kind is unknown, as a sentence
};

// "csv", "goodreads", "goodbooks-10k", "gutenberg", "storygraph", "bookwyrm", "librarything", "calibre",
// "openreads", "open-library", "open-library-json", "isbn-list", "json-lines", "marc21", "marcxml", "unknown"
std::string_view name_of(FormatKind);

// The meaning of a table's columns, and the reading of its rows.
class ColumnMap {
 public:
  ColumnMap() = default;
  explicit ColumnMap(const std::vector<std::string>& header);

  FormatKind kind() const { return kind_; }
  std::vector<std::string> unused(const std::vector<std::string>& header) const;

  // Cells missing at the end of the row are empty.
  BookDraft draft_of(const std::vector<std::string>& cells) const;

 private:
  enum class Role : std::size_t {
    title,
    subtitle,
    author,
    author_list,
    other_authors,
    isbn,
    genre,
    genre_list,
    year,
    description,
    language,
    publisher,
    page_count,
    tags,
    cover_url,
    copies,
    series,
    series_index,
    subjects,
    ddc,
    lcc,
    metadata,
    work,
    shelf,
    shelf_list,
    rating,
    review,
    spoiler,
    count
  };
  struct Name;
  static const std::vector<Name>& names();

  ReaderNotes notes_of(const std::vector<std::string>& cells) const;
  std::string first_of(Role role, const std::vector<std::string>& cells) const;
  const std::vector<std::size_t>& columns(Role role) const {
    return columns_[static_cast<std::size_t>(role)];
  }

  FormatKind kind_ = FormatKind::unknown;
  std::array<std::vector<std::size_t>, static_cast<std::size_t>(Role::count)> columns_;
};

}  // namespace lumina::books
