// The narrow door through which feeds and protocols search: words in, books out.
#pragma once
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "modules/books/service.hpp"

#include <functional>
#include <string>
#include <vector>

namespace lumina::books {

struct Hits {
  std::vector<BookId> ids;  // of the page, best first
  std::int64_t total = 0;
};
// skip and limit of the page are honoured. On an io thread.
using TextSearch = std::function<Task<Result<Hits>>(std::string words, PageRequest page)>;

class SearchService;
// The search of the catalogue. Signs of the query language count as spaces.
TextSearch search_by_index(SearchService& search);

}  // namespace lumina::books
