#include "modules/reports/routes.hpp"

#include "core/http/handler.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::reports {
namespace {

using namespace http;

Task<Result<Response>> file(ReportService& reports, std::string name, Period period) {
  const auto* const found = std::ranges::find(report_names, name);
  if (found == report_names.end())
    co_return not_found("There are the reports usage, searches, popularity and behaviour");
  auto making = reports.csv(static_cast<Report>(found - report_names.begin()), std::move(period));
  auto csv = co_await std::move(making);
  if (!csv) co_return Failure(std::move(csv.error()));
  Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.body = std::move(*csv);
  response.set("Content-Disposition", fmt::format("attachment; filename=\"{}.csv\"", name));
  co_return response;
}

}  // namespace

std::vector<Route> report_routes(ReportService& reports) {
  constexpr auto staff = Access::needs(Permission::loans_manage);
  std::vector<Route> routes;
  const auto add = [&](Route route, std::string_view name) {
    const std::string path = route.path;
    routes.push_back(std::move(route).tagged("Analytics"));
    for (auto& alias : also_at(routes, Method::get, path, {name})) routes.push_back(std::move(alias));
  };
  add(get("/api/v1/analytics/overview", "See how the library is used", staff, {},
          [&](Query<Period> period) { return reports.overview(*period); })
          .explained("Counted by day, without persons, up to this moment."),
      "/api/v1/admin/analytics/overview");
  add(get("/api/v1/analytics/activity", "See at which hours of the week something happens", staff, {},
          [&](Query<Period> period) { return reports.activity(*period); }),
      "/api/v1/admin/analytics/activity");
  add(get("/api/v1/analytics/reports/{report}", "Download a report", staff, {ErrorKind::not_found},
          [&](Path<std::string> report, Query<Period> period) { return file(reports, *report, *period); })
          .answers_media("text/csv")
          .explained(
              "usage by day, searches, popularity of titles, behaviour by hour of the week: comma-separated, "
              "without persons, at most 10,000 rows."),
      "/api/v1/admin/analytics/reports/{report}");
  return routes;
}

}  // namespace lumina::reports
