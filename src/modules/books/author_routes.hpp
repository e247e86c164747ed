// The API of authorities.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/author_service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> author_routes(AuthorService& authors);

}  // namespace lumina::books
