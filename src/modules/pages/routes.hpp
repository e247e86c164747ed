// GET /api/v1/dashboard.
#pragma once
#include "core/http/route.hpp"
#include "modules/pages/service.hpp"

#include <vector>

namespace lumina::pages {

std::vector<http::Route> page_routes(PageService& pages);

}  // namespace lumina::pages
