// The API of holds.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/forecast_service.hpp"
#include "modules/borrows/hold_service.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> hold_routes(HoldService& holds, ForecastService& forecasts);

}  // namespace lumina::borrows
