#include "modules/books/text_search.hpp"

#include "core/base/text.hpp"
#include "modules/books/search_service.hpp"

#include <algorithm>

namespace lumina::books {
namespace {

constexpr std::int64_t largest_page = 100;

// What people type into a reading device is words, not the query language.
std::string plain_words(std::string_view words) {
  std::string plain = ascii_lower(utf8_prefix(words, 200));
  for (char& c : plain)
    if (std::string_view("\"():*+-^~<>=[]{}").find(c) != std::string_view::npos) c = ' ';
  return plain;
}

Task<Result<Hits>> searched(SearchService& search, std::string words, PageRequest page) {
  SearchQuery query;
  query.q = plain_words(words);
  query.skip = page.skip;
  query.limit = std::clamp<std::int64_t>(page.limit, 1, largest_page);
  auto found = co_await search.search(std::move(query));
  if (!found) co_return Failure(std::move(found.error()));
  Hits hits;
  hits.total = found->total;
  for (const SearchHit& hit : found->items) hits.ids.push_back(hit.book.id);
  co_return hits;
}

}  // namespace

TextSearch search_by_index(SearchService& search) {
  return [&search](std::string words, PageRequest page) {
    return searched(search, std::move(words), std::move(page));
  };
}

}  // namespace lumina::books
