#include "modules/books/text_search.hpp"

#include "core/base/text.hpp"

namespace lumina::books {
namespace {

Task<Result<Hits>> listed(BookService& books, std::string words, PageRequest page) {
  BookFilter filter;
  filter.q = std::string(utf8_prefix(words, 200));
  filter.sort = "title";
  auto found = co_await books.list(std::move(filter), std::move(page));
  if (!found) co_return Failure(std::move(found.error()));
  Hits hits;
  hits.total = found->total;
  for (const Book& book : found->items) hits.ids.push_back(book.id);
  co_return hits;
}

}  // namespace

TextSearch search_by_listing(BookService& books) {
  return [&books](std::string words, PageRequest page) {
    return listed(books, std::move(words), std::move(page));
  };
}

}  // namespace lumina::books
