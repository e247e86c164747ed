// Protocols by which other systems read the catalogue: OAI-PMH, SRU, and reads in the shape of Open Library.
// Public.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/text_search.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> exchange_routes(db::Database& database, BookService& books, TextSearch search,
                                         const Clock& clock);

}  // namespace lumina::books
