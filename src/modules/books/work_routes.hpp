// The API of works and editions.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/work_service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> work_routes(WorkService& works);

}  // namespace lumina::books
