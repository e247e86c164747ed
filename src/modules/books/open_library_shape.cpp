#include "modules/books/open_library_shape.hpp"

#include "modules/books/citation.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/marc_record.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

namespace lumina::books {
namespace {

namespace json = boost::json;

json::array names_of(const Book& book, bool objects) {
  json::array names;
  for (const auto& name : names_in(book.author)) {
    std::string shown = name.given.empty() ? name.family : name.given + " " + name.family;
    if (objects)
      names.push_back(json::object{{"name", shown}});
    else
      names.emplace_back(shown);
  }
  return names;
}

json::array subjects_of(const Book& book) {
  json::array subjects;
  if (book.genre) subjects.emplace_back(*book.genre);
  for (const auto& tag : book.tags) subjects.emplace_back(tag);
  return subjects;
}

void add_isbns(const Book& book, json::object& object, bool merged) {
  if (!book.isbn) return;
  json::array all{*book.isbn};
  const auto ten = to_isbn10(*book.isbn);
  if (merged) {
    if (ten) all.emplace_back(*ten);
    object["isbn"] = std::move(all);
    return;
  }
  object["isbn_13"] = std::move(all);
  if (ten) object["isbn_10"] = json::array{*ten};
}

}  // namespace

std::optional<BookId> id_of_open_library_key(std::string_view key) {
  if (const auto slash = key.rfind('/'); slash != std::string_view::npos) key.remove_prefix(slash + 1);
  if (key.ends_with(".json")) key.remove_suffix(5);
  if (!key.starts_with("OL") || key.size() < 4 || (key.back() != 'M' && key.back() != 'W')) return {};
  key = key.substr(2, key.size() - 3);
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc{} || end != key.data() + key.size() || id <= 0) return {};
  return BookId{id};
}

std::string open_library_edition(const Book& book) {
  json::object edition{
      {"key", fmt::format("/books/OL{}M", book.id.value)},
      {"type", json::object{{"key", "/type/edition"}}},
      {"title", book.title},
      {"by_statement", book.author},
      {"authors", names_of(book, true)},
      {"works", json::array{json::object{{"key", fmt::format("/works/OL{}W", book.id.value)}}}},
      {"revision", book.version}};
  add_isbns(book, edition, false);
  if (book.publisher) edition["publishers"] = json::array{*book.publisher};
  if (book.year_published) edition["publish_date"] = std::to_string(*book.year_published);
  if (book.page_count) edition["number_of_pages"] = *book.page_count;
  if (book.language)
    edition["languages"] = json::array{json::object{{"key", "/languages/" + marc_language(*book.language)}}};
  if (book.description)
    edition["description"] = json::object{{"type", "/type/text"}, {"value", *book.description}};
  if (auto subjects = subjects_of(book); !subjects.empty()) edition["subjects"] = std::move(subjects);
  const auto moment = [](Timestamp at) {
    return json::object{{"type", "/type/datetime"}, {"value", to_rfc3339(at).substr(0, 19)}};
  };
  edition["created"] = moment(book.created_at);
  edition["last_modified"] = moment(book.updated_at);
  return json::serialize(edition);
}

std::string open_library_search(const std::vector<Book>& books, std::int64_t total, std::int64_t start,
                                std::string_view query) {
  json::array docs;
  for (const Book& book : books) {
    json::object doc{{"key", fmt::format("/works/OL{}W", book.id.value)},
                     {"type", "work"},
                     {"title", book.title},
                     {"author_name", names_of(book, false)},
                     {"edition_count", 1},
                     {"edition_key", json::array{fmt::format("OL{}M", book.id.value)}},
                     {"cover_edition_key", fmt::format("OL{}M", book.id.value)}};
    add_isbns(book, doc, true);
    if (book.year_published) {
      doc["first_publish_year"] = *book.year_published;
      doc["publish_year"] = json::array{*book.year_published};
    }
    if (book.publisher) doc["publisher"] = json::array{*book.publisher};
    if (book.language) doc["language"] = json::array{marc_language(*book.language)};
    if (book.page_count) doc["number_of_pages_median"] = *book.page_count;
    if (book.average_rating) doc["ratings_average"] = *book.average_rating;
    if (auto subjects = subjects_of(book); !subjects.empty()) doc["subject"] = std::move(subjects);
    docs.push_back(std::move(doc));
  }
  return json::serialize(json::object{{"numFound", total},
                                      {"num_found", total},
                                      {"start", start},
                                      {"numFoundExact", true},
                                      {"q", query},
                                      {"docs", std::move(docs)}});
}

std::string open_library_member(const Book& book, bool data, const std::string& own) {
  const std::string key = fmt::format("/books/OL{}M", book.id.value), url = own + key;
  if (!data) {
    json::object member{
        {"bib_key", book.isbn ? "ISBN:" + *book.isbn : fmt::format("OLID:OL{}M", book.id.value)},
        {"info_url", url},
        {"preview", "noview"},
        {"preview_url", url}};
    if (book.cover_url) member["thumbnail_url"] = *book.cover_url;
    return json::serialize(member);
  }
  json::object member{{"key", key},
                      {"url", url},
                      {"title", book.title},
                      {"authors", names_of(book, true)},
                      {"by_statement", book.author}};
  json::object identifiers{{"openlibrary", json::array{fmt::format("OL{}M", book.id.value)}}};
  add_isbns(book, identifiers, false);
  member["identifiers"] = std::move(identifiers);
  if (book.publisher) member["publishers"] = json::array{json::object{{"name", *book.publisher}}};
  if (book.year_published) member["publish_date"] = std::to_string(*book.year_published);
  if (book.page_count) member["number_of_pages"] = *book.page_count;
  json::array subjects;
  for (auto& subject : subjects_of(book)) subjects.push_back(json::object{{"name", subject}});
  if (!subjects.empty()) member["subjects"] = std::move(subjects);
  if (book.cover_url)
    member["cover"] =
        json::object{{"small", *book.cover_url}, {"medium", *book.cover_url}, {"large", *book.cover_url}};
  return json::serialize(member);
}

}  // namespace lumina::books
