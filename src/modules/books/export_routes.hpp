// Routes by which the catalogue leaves: exports, citations, linked data, the sitemap.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> export_routes(BookService& books, const Clock& clock);

// GET /books/{id} that also takes ?format= and Accept: application/ld+json.
http::Route in_many_forms(http::Route route, BookService& books);

}  // namespace lumina::books
