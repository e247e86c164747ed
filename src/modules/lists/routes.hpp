// The API of collections: /collections, and /lists as another spelling.
#pragma once
#include "core/http/route.hpp"
#include "modules/lists/service.hpp"

#include <vector>

namespace lumina::lists {

std::vector<http::Route> list_routes(ListService& lists);

}  // namespace lumina::lists
