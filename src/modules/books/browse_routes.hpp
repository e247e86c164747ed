// The API of browsing, and the report on the records.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/browse_service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> browse_routes(BrowseService& browse);

}  // namespace lumina::books
