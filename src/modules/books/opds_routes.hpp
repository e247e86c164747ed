// OPDS feeds for e-reader apps, and the Atom feed of new books. Public, cached like every public read.
#pragma once
#include "core/cache/body_cache.hpp"
#include "core/http/route.hpp"
#include "modules/books/text_search.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> opds_routes(BookService& books, TextSearch search, cache::BodyCache& cache);

}  // namespace lumina::books
