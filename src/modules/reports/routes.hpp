// GET /api/v1/analytics/overview, /activity and /reports/{report}.
#pragma once
#include "core/http/route.hpp"
#include "modules/reports/service.hpp"

#include <vector>

namespace lumina::reports {

std::vector<http::Route> report_routes(ReportService& reports);

}  // namespace lumina::reports
