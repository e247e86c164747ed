// One record of an import, and the rules that turn the text of any file format into it.
//
// What a book cannot be without is a fault, and the record is refused: a title of 1..500 code points and an
// author of 1..255. Everything else that is wrong is left out with a warning and the book is kept: an ISBN
// whose check digit fails, an impossible year, an unknown language. Text is cleaned (normalize.hpp), never
// cut; only a list of authors that is too long ends at the last whole name that fits, with a warning. Pure
// and thread-safe.
#pragma once
#include "core/base/error.hpp"
#include "modules/books/model.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

// What a reader said of a book in the program that the file comes from.
struct ReaderNotes {
  std::vector<std::string> shelves;  // names as people read them
  std::optional<double> rating;      // 0.5 to 5 stars, in halves
  std::string review;
  bool spoiler = false;
  bool empty() const { return shelves.empty() && !rating && review.empty(); }
};

struct ImportedRecord {
  std::size_t line = 0;  // where the record begins in the file, of MARC its number; counted from 1
  std::expected<NewBook, std::vector<FieldError>> book;
  std::vector<FieldError> warnings;
  // The record as it stood in the file, to be shown or repaired; only when `book` is a fault.
  std::string raw;
  ReaderNotes notes{};
  NewBook partial{};   // what could be read of a refused record, to be mended
  std::string isbn{};  // ISBN-13: the record names a book by nothing else, and `book` is a fault
  std::string work{};  // records of one file with the same name here are editions of one work
};

// The fields as a file has them; empty text is an absent field.
struct BookDraft {
  std::string title;
  std::string subtitle;  // joined to the title as "title: subtitle"
  std::string author;
  bool author_is_list = false;  // names parted by commas, which may be shortened
  std::vector<std::string> other_authors;
  std::vector<std::string> isbns;  // the first good one is taken
  std::string genre;
  std::string year;  // "2008", "2008.0", "-750", "c1851", "1979-05-01", "12/24/2020"
  std::string description;
  std::string language;
  std::string publisher;
  std::string page_count;
  std::vector<std::string> tags;
  std::string cover_url;
  std::string series;
  std::string series_index;  // "2", "2.5", "v. 3"
  std::vector<std::string> subjects;
  std::string ddc, lcc;
  std::string metadata;  // JSON: an object of the library's own fields
  std::string work;      // as ImportedRecord::work
  std::string copies;
  ReaderNotes notes{};
};

// Years after `newest_year` are impossible, as are those before -3000 and the year 0.
ImportedRecord to_record(const BookDraft& draft, std::size_t line, int newest_year);

}  // namespace lumina::books
