#include "modules/books/model.hpp"

#include "core/base/text.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/class_mark.hpp"
#include "modules/books/isbn.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

using schema::Field;
using schema::Rule;

bool is_isbn(std::string_view text) { return parse_isbn(text).has_value(); }
bool is_language(std::string_view text) { return text::parse_language_tag(text).has_value(); }
bool is_url(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && text.size() > 10 &&
         text.find_first_of(" \"<>\\^`{}|\r\n\t") == std::string_view::npos;
}
bool has_text(std::string_view text) { return !trim(text).empty(); }
int next_year() { return year_of(SystemClock().now()) + 1; }

std::vector<Rule> words(double most) {
  return {schema::length(1, most), schema::format("not-blank", &has_text, "must not be blank")};
}
std::vector<Rule> isbn_rules() {
  return {schema::length(0, 40),
          schema::format("isbn", &is_isbn, "must be an ISBN-10 or ISBN-13 with a right check digit")};
}
std::vector<Rule> year_rules() { return {schema::range(-3000, next_year())}; }
std::vector<Rule> language_rules() {
  return {schema::length(0, 35),
          schema::format("language", &is_language, "must be a language tag such as en or pt-BR (BCP 47)")};
}
bool is_ddc(std::string_view text) { return ddc_shelf_key(text).has_value(); }
bool is_lcc(std::string_view text) { return lcc_shelf_key(text).has_value(); }
std::vector<Rule> ddc_rules() {
  return {schema::length(1, 60), schema::format("ddc", &is_ddc, "must begin with three digits: 823.7 AUS")};
}
std::vector<Rule> lcc_rules() {
  return {schema::length(1, 60),
          schema::format("lcc", &is_lcc, "must begin with one to three letters and a number: PR4034 .E5")};
}
std::vector<Rule> url_rules() {
  return {schema::length(0, 2000), schema::format("uri", &is_url, "must be an http or https address")};
}

}  // namespace

std::vector<Field> Book::fields() {
  return {{"id", &Book::id, "Identifier"},
          {"title", &Book::title, "Title proper"},
          {"author", &Book::author, "Author as written on the title page"},
          {"isbn", &Book::isbn, "ISBN-13, digits only"},
          {"genre", &Book::genre, "Genre"},
          {"year_published", &Book::year_published, "Year of first publication; negative before year 1"},
          {"description", &Book::description, "What the catalogue says of it"},
          {"summary", &Book::summary, "Generated summary; never touched by edits"},
          {"language", &Book::language, "Language tag (BCP 47)"},
          {"publisher", &Book::publisher, "Publisher"},
          {"page_count", &Book::page_count, "Number of pages"},
          {"tags", &Book::tags, "Tags"},
          {"cover_url", &Book::cover_url, "Address of a cover picture"},
          {"series", &Book::series, "Series that it is part of"},
          {"series_index", &Book::series_index, "Place in the series"},
          {"subjects", &Book::subjects, "Subject headings"},
          {"ddc", &Book::ddc, "Class mark of the Dewey Decimal Classification"},
          {"lcc", &Book::lcc, "Class mark of the Library of Congress Classification"},
          {"metadata", &Book::metadata, "Fields of the library's own: an object"},
          {"work_id", &Book::work_id, "The work that it is an edition of"},
          {"copies_total", &Book::copies_total, "Copies the library owns"},
          {"copies_available", &Book::copies_available, "Copies free to borrow now"},
          {"average_rating", &Book::average_rating, "Mean of the ratings, 1 to 5"},
          {"review_count", &Book::review_count, "Number of reviews"},
          {"created_at", &Book::created_at, "When it was added"},
          {"updated_at", &Book::updated_at, "When it was last edited"}};
}

std::vector<Field> NewBook::fields() {
  return {{"title", &NewBook::title, "Title proper", words(500)},
          {"author", &NewBook::author, "Author", words(255)},
          {"isbn", &NewBook::isbn, "ISBN-10 or ISBN-13, hyphens allowed; kept as ISBN-13", isbn_rules()},
          {"genre", &NewBook::genre, "Genre", words(100)},
          {"year_published", &NewBook::year_published, "Year of first publication", year_rules()},
          {"description", &NewBook::description, "Description", {schema::length(0, 20000)}},
          {"language", &NewBook::language, "Language tag (BCP 47)", language_rules()},
          {"publisher", &NewBook::publisher, "Publisher", words(255)},
          {"page_count", &NewBook::page_count, "Number of pages", {schema::range(1, 100000)}},
          {"tags",
           &NewBook::tags,
           "Tags, each 1 to 100 characters",
           {schema::items(0, 50), schema::length(1, 100)}},
          {"cover_url", &NewBook::cover_url, "Address of a cover picture", url_rules()},
          {"series", &NewBook::series, "Series that it is part of", words(300)},
          {"series_index", &NewBook::series_index, "Place in the series", {schema::range(0, 100000)}},
          {"subjects",
           &NewBook::subjects,
           "Subject headings, each 1 to 200 characters",
           {schema::items(0, 100), schema::length(1, 200)}},
          {"ddc", &NewBook::ddc, "Dewey class mark: 823.7 AUS", ddc_rules()},
          {"lcc", &NewBook::lcc, "Library of Congress class mark: PR4034 .E5 1815", lcc_rules()},
          Field("metadata", &NewBook::metadata, "Fields of the library's own: an object of up to 16 KiB")
              .optional(),
          {"copies", &NewBook::copies, "Copies the library owns (default 1)", {schema::range(0, 1000)}}};
}

std::vector<Field> BookChanges::fields() {
  return {{"title", &BookChanges::title, "Title proper", words(500)},
          {"author", &BookChanges::author, "Author", words(255)},
          {"isbn", &BookChanges::isbn, "ISBN-10 or ISBN-13", isbn_rules()},
          {"genre", &BookChanges::genre, "Genre", words(100)},
          {"year_published", &BookChanges::year_published, "Year of first publication", year_rules()},
          {"description", &BookChanges::description, "Description", {schema::length(0, 20000)}},
          {"language", &BookChanges::language, "Language tag (BCP 47)", language_rules()},
          {"publisher", &BookChanges::publisher, "Publisher", words(255)},
          {"page_count", &BookChanges::page_count, "Number of pages", {schema::range(1, 100000)}},
          {"tags", &BookChanges::tags, "Tags", {schema::items(0, 50), schema::length(1, 100)}},
          {"cover_url", &BookChanges::cover_url, "Address of a cover picture", url_rules()},
          {"series", &BookChanges::series, "Series that it is part of", words(300)},
          {"series_index", &BookChanges::series_index, "Place in the series", {schema::range(0, 100000)}},
          {"subjects",
           &BookChanges::subjects,
           "Subject headings",
           {schema::items(0, 100), schema::length(1, 200)}},
          {"ddc", &BookChanges::ddc, "Dewey class mark", ddc_rules()},
          {"lcc", &BookChanges::lcc, "Library of Congress class mark", lcc_rules()},
          {"metadata", &BookChanges::metadata,
           "Merged into the fields of the library's own (RFC 7396); null empties them"}};
}

std::vector<Field> BookFilter::fields() {
  return {
      {"q", &BookFilter::q, "Words of title or author", {schema::length(1, 200)}},
      {"author", &BookFilter::author, "Part of the author's name", {schema::length(1, 255)}},
      {"genre", &BookFilter::genre, "Exactly this genre", {schema::length(1, 100)}},
      {"isbn", &BookFilter::isbn, "ISBN-10 or ISBN-13", isbn_rules()},
      {"tag", &BookFilter::tag, "One of the tags", {schema::length(1, 100)}},
      {"language", &BookFilter::language, "Language, or language and region", language_rules()},
      {"year_from", &BookFilter::year_from, "Published in this year or later", {schema::range(-3000, 9999)}},
      {"year_to", &BookFilter::year_to, "Published in this year or before", {schema::range(-3000, 9999)}},
      {"available", &BookFilter::available, "true: only books with a copy free now"},
      {"series", &BookFilter::series, "Part of this series", {schema::length(1, 300)}},
      {"subject", &BookFilter::subject, "With this subject heading", {schema::length(1, 200)}},
      {"work", &BookFilter::work, "An edition of this work"},
      {"metadata",
       &BookFilter::metadata,
       "Fields of the library's own that must have these values, as an object: {\"lang\":\"eng\"}. "
       "?metadata.lang=eng says the same",
       {schema::length(2, 2000)}},
      {"sort",
       &BookFilter::sort,
       "Order; '-' in front for descending (default -created_at)",
       {schema::one_of({"created_at", "-created_at", "title", "-title", "author", "-author", "year_published",
                        "-year_published", "rating", "-rating", "popularity", "-popularity", "series",
                        "-series", "ddc", "-ddc", "lcc", "-lcc"})}}};
}

std::vector<Field> FacetValue::fields() {
  return {{"value", &FacetValue::value, "The value; null for books without one"},
          {"count", &FacetValue::count, "Number of books"}};
}
std::vector<Field> Facet::fields() {
  return {{"values", &Facet::values, "Most books first"},
          {"other", &Facet::other, "Books of the values not shown"}};
}
std::vector<Field> Facets::fields() {
  return {{"total", &Facets::total, "Number of books"},
          {"genre", &Facets::genre, "By genre"},
          {"author", &Facets::author, "By author"},
          {"year_published", &Facets::year_published, "By year"},
          {"language", &Facets::language, "By language"}};
}

std::string generated_barcode(BookId book, int n) {
  const std::string digits = fmt::format("{:08}{:03}", book.value, n);
  int sum = 0;
  bool twice = true;  // the digit next to the check digit
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, twice = !twice) {
    const int value = (*digit - '0') * (twice ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return fmt::format("L{}{}", digits, (10 - sum % 10) % 10);
}

std::vector<Field> RecordFault::fields() {
  return {{"index", &RecordFault::index, "Place in the input, from 0"},
          {"errors", &RecordFault::errors, "What is wrong with it"}};
}
std::vector<Field> BatchResult::fields() {
  return {{"created", &BatchResult::created, "Books that are new"},
          {"updated", &BatchResult::updated, "Books that were there and changed"},
          {"unchanged", &BatchResult::unchanged, "Books that were there as they are"},
          {"failed", &BatchResult::failed, "Records that were refused; the others are in"}};
}

}  // namespace lumina::books
