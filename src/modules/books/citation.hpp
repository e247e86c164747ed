// How a book is cited: BibTeX, RIS, CSL-JSON, and as linked data (schema.org in JSON-LD). Pure, thread-safe.
//
// Sources: BibTeXing (Patashnik, 1988), the RIS format as reference managers read it (TY BOOK), CSL-JSON 1.0
// (citationstyles.org), schema.org Book.
#pragma once
#include "modules/books/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

enum class Citation : std::uint8_t { bibtex, ris, csl };
constexpr std::array<std::string_view, 3> citation_names{"bibtex", "ris", "csl"};
constexpr auto& enum_names(Citation) { return citation_names; }

struct PersonName {
  std::string given, family;  // a name of one word, or of an institution, has no given part
};
// The people in an author as written on a title page: "Jane Austen, Fiona Stafford" are two, "Austen, Jane"
// is one.
std::vector<PersonName> names_in(std::string_view author);

std::string media_type_of(Citation style);
std::string cite(const Book& book, Citation style);

// `address` is where the book is read.
std::string linked_data(const Book& book, std::string_view address);

struct CitationRequest {
  std::optional<Citation> format;
  static constexpr std::string_view type_name = "CitationRequest";
  static std::vector<schema::Field> fields();
};

// Other forms of a book at its own address: ?format=.
enum class BookForm : std::uint8_t { json, bibtex, ris, csl, jsonld, marcxml };
constexpr std::array<std::string_view, 6> book_form_names{"json", "bibtex", "ris",
                                                          "csl",  "jsonld", "marcxml"};
constexpr auto& enum_names(BookForm) { return book_form_names; }
struct BookFormRequest {
  std::optional<BookForm> format;
  static constexpr std::string_view type_name = "BookFormRequest";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books
