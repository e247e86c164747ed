// The API of how the library is used.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/analytics.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> analytics_routes(AnalyticsService& analytics);

}  // namespace lumina::borrows
