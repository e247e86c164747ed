#include "modules/books/open_library.hpp"

#include "core/base/text.hpp"

#include <boost/json.hpp>

namespace lumina::books {
namespace {

namespace json = boost::json;

// A member that is text, or an object with the text as `value` or `name`, or the first of a list of such.
std::string text_of(const json::value* value) {
  if (!value) return {};
  if (value->is_string()) return std::string(std::string_view(value->get_string()));
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  if (value->is_array())
    return value->get_array().empty() ? std::string() : text_of(&value->get_array().front());
  if (const auto* object = value->if_object())
    for (const std::string_view name : {"value", "name"})
      if (const auto* inner = object->if_contains(name); inner && inner->is_string()) return text_of(inner);
  return {};
}
std::string text_of(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (auto text = text_of(object.if_contains(name)); !text.empty()) return text;
  return {};
}
std::vector<std::string> list_of(const json::object& object, std::initializer_list<std::string_view> names) {
  std::vector<std::string> all;
  for (const std::string_view name : names) {
    const auto* value = object.if_contains(name);
    if (!value || !value->is_array()) continue;
    for (const auto& item : value->get_array())
      if (auto text = text_of(&item); !text.empty()) all.push_back(std::move(text));
    if (!all.empty()) break;
  }
  return all;
}

std::string without_full_stop(std::string text) {
  if (text.size() > 4 && text.ends_with('.')) text.pop_back();
  return text;
}

bool is_book(const json::object& object) {
  if (!object.contains("title")) return false;
  const std::string key = text_of(object, {"key"});
  return key.starts_with("/books/") || key.starts_with("/works/");
}

BookDraft draft_of(const json::object& object) {
  BookDraft draft;
  draft.title = text_of(object, {"title"});
  draft.subtitle = text_of(object, {"subtitle"});
  for (const auto& name : list_of(object, {"author_name", "authors"}))
    draft.author.append(draft.author.empty() ? "" : ", ").append(name);
  if (draft.author.empty()) draft.author = without_full_stop(text_of(object, {"by_statement"}));
  // Editions and works name their authors by key alone.
  if (draft.author.empty()) draft.author = "Unknown";
  draft.author_is_list = true;
  for (const std::string_view name : {"isbn_13", "isbn_10", "isbn"})
    for (auto& isbn : list_of(object, {name})) draft.isbns.push_back(std::move(isbn));
  if (const auto* identifiers = object.if_contains("identifiers"); identifiers && identifiers->is_object())
    for (const std::string_view name : {"isbn_13", "isbn_10"})
      for (auto& isbn : list_of(identifiers->get_object(), {name})) draft.isbns.push_back(std::move(isbn));
  draft.year = text_of(object, {"first_publish_year", "publish_date", "first_publish_date"});
  draft.description = text_of(object, {"description"});
  draft.publisher = text_of(object, {"publishers", "publisher"});
  draft.page_count = text_of(object, {"number_of_pages"});
  for (auto& subject : list_of(object, {"subjects", "subject"}))
    draft.tags.push_back(without_full_stop(std::move(subject)));
  draft.language = text_of(object, {"language"});
  if (const auto* languages = object.if_contains("languages");
      draft.language.empty() && languages && languages->is_array() && !languages->get_array().empty())
    if (const auto* first = languages->get_array().front().if_object())
      if (const std::string key = text_of(*first, {"key"}); key.starts_with("/languages/"))
        draft.language = key.substr(std::string_view("/languages/").size());
  if (const auto* cover = object.if_contains("cover"); cover && cover->is_object())
    draft.cover_url = text_of(cover->get_object(), {"large", "medium"});
  return draft;
}

std::optional<json::value> parsed(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) return {};
  return value;
}

}  // namespace

std::optional<std::vector<BookDraft>> open_library_drafts(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto document = parsed(text);
  if (!document) return {};
  const auto& object = document->get_object();
  if (is_book(object)) return std::vector<BookDraft>{draft_of(object)};
  std::vector<BookDraft> drafts;
  for (const std::string_view name : {"docs", "entries"}) {
    const auto* list = object.if_contains(name);
    if (!list || !list->is_array()) continue;
    for (const auto& item : list->get_array())
      if (item.is_object() && is_book(item.get_object())) drafts.push_back(draft_of(item.get_object()));
    return drafts;
  }
  return {};
}

std::optional<std::map<std::string, BookDraft>> open_library_lookup(std::string_view text) {
  const auto document = parsed(text);
  if (!document) return {};
  std::map<std::string, BookDraft> found;
  for (const auto& [key, value] : document->get_object()) {
    const std::string_view name = key;
    if (name.starts_with("ISBN:") && value.is_object() && value.get_object().contains("title"))
      found.emplace(name.substr(5), draft_of(value.get_object()));
  }
  return found;
}

}  // namespace lumina::books
