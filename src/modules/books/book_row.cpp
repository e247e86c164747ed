#include "modules/books/book_row.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/class_mark.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/normalize.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace lumina::books {
namespace {

namespace json = boost::json;

constexpr std::size_t most_metadata = 16 * 1024;  // bytes
constexpr std::size_t most_leaves = 200, longest_name = 200, longest_leaf = 1000;

std::optional<std::string> cleaned(const std::optional<std::string>& text,
                                   std::string (*clean)(std::string_view)) {
  if (!text) return {};
  auto out = clean(*text);
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

std::vector<std::string> distinct(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const auto& text : given)
    if (auto clean = clean_line(text); !clean.empty() && std::ranges::find(out, clean) == out.end())
      out.push_back(std::move(clean));
  return out;
}

using Leaves = std::vector<std::pair<std::string, std::string>>;
void add_leaves(const std::string& path, const json::value& value, Leaves& out) {
  switch (value.kind()) {
    case json::kind::object:
      for (const auto& [name, member] : value.get_object())
        add_leaves(path.empty() ? std::string(name) : path + "." + std::string(name), member, out);
      return;
    case json::kind::array:
      for (const auto& member : value.get_array()) add_leaves(path, member, out);
      return;
    case json::kind::null:
      return;
    case json::kind::string:
      out.emplace_back(path, std::string(value.get_string()));
      return;
    default:
      out.emplace_back(path, json::serialize(value));
  }
}

std::optional<json::object> object_of(std::string_view text) {
  json::error_code error;
  auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return {};
  return std::move(value.get_object());
}

void apply_patch(json::object& target, const json::object& patch) {
  for (const auto& [name, member] : patch)
    if (member.is_null()) {
      target.erase(name);
    } else if (member.is_object()) {
      auto& inner = target[name];
      if (!inner.is_object()) inner = json::object();
      apply_patch(inner.get_object(), member.get_object());
    } else {
      target[name] = member;
    }
}

bool is_suffix(std::string_view word) {
  return word == "jr" || word == "jr." || word == "sr" || word == "sr." || word == "ii" || word == "iii" ||
         word == "iv";
}

}  // namespace

std::optional<FieldError> metadata_fault(const schema::RawJson& metadata) {
  const auto fault = [](std::string message, std::string type) {
    return FieldError{{"body", "metadata"}, std::move(message), std::move(type)};
  };
  if (metadata.text.size() > most_metadata) return fault("must be at most 16 KiB of JSON", "length");
  const auto object = object_of(metadata.text);
  if (!object) return fault("must be an object", "type");
  if (metadata.text.find("\\u0000") != std::string::npos)
    return fault("must not contain NUL characters", "pattern");
  const auto leaves = metadata_leaves(metadata.text);
  if (leaves.size() > most_leaves) return fault("must have at most 200 values", "items");
  for (const auto& [name, value] : leaves)
    if (name.size() > longest_name) return fault("names must be at most 200 bytes long", "length");
  return {};
}

std::string clean_metadata(const schema::RawJson& metadata) {
  return metadata_fault(metadata) ? "{}" : json::serialize(*object_of(metadata.text));
}

std::string merge_patched(std::string_view object, std::string_view patch) {
  auto target = object_of(object).value_or(json::object());
  const auto changes = object_of(patch);
  if (!changes) return std::string(patch);
  apply_patch(target, *changes);
  return json::serialize(target);
}

Leaves metadata_leaves(std::string_view text) {
  Leaves out;
  if (const auto object = object_of(text))
    for (const auto& [name, member] : *object) add_leaves(std::string(name), member, out);
  for (auto& [name, value] : out) value = utf8_prefix(value, longest_leaf);
  return out;
}

std::string author_sort_key(std::string_view author) {
  const std::string name = text::fold(trim(author));
  if (name.find(',') != std::string::npos) return name;
  auto last = name.rfind(' ');
  if (last == std::string::npos) return name;
  if (is_suffix(std::string_view(name).substr(last + 1)) && last > 0) {
    const auto before = name.rfind(' ', last - 1);
    if (before == std::string::npos) return name;
    last = before;
  }
  return name.substr(last + 1) + ", " + name.substr(0, last);
}

BookRow stored(NewBook b) {
  b.title = clean_line(b.title);
  b.author = clean_line(b.author);
  b.genre = cleaned(b.genre, &clean_line);
  b.publisher = cleaned(b.publisher, &clean_line);
  b.description = cleaned(b.description, &clean_paragraphs);
  if (b.isbn) {
    auto isbn = parse_isbn(*b.isbn);
    b.isbn = isbn ? std::optional(*isbn) : std::nullopt;
  }
  if (b.language) b.language = text::parse_language_tag(*b.language);
  b.tags = distinct(b.tags);
  b.series = cleaned(b.series, &clean_line);
  if (!b.series) b.series_index.reset();
  b.subjects = distinct(b.subjects);
  b.ddc = cleaned(b.ddc, &clean_line);
  b.lcc = cleaned(b.lcc, &clean_line);
  b.metadata.text = clean_metadata(b.metadata);
  BookRow row;
  row.book = std::move(b);
  row.title_key = text::fold(row.book.title);
  row.author_key = text::fold(row.book.author);
  row.match_key = match_key(row.book.title, row.book.author);
  row.author_match = author_key(row.book.author);
  row.author_sort = author_sort_key(row.book.author);
  if (row.book.series) row.series_key = text::fold(*row.book.series);
  if (row.book.ddc) row.ddc_key = ddc_shelf_key(*row.book.ddc);
  if (row.book.lcc) row.lcc_key = lcc_shelf_key(*row.book.lcc);
  return row;
}

NewBook editable(const Book& b) {
  NewBook out;
  out.title = b.title;
  out.author = b.author;
  out.isbn = b.isbn;
  out.genre = b.genre;
  out.year_published = b.year_published;
  out.description = b.description;
  out.language = b.language;
  out.publisher = b.publisher;
  out.page_count = b.page_count;
  out.tags = b.tags;
  out.cover_url = b.cover_url;
  out.series = b.series;
  out.series_index = b.series_index;
  out.subjects = b.subjects;
  out.ddc = b.ddc;
  out.lcc = b.lcc;
  out.metadata = b.metadata;
  return out;
}

}  // namespace lumina::books
