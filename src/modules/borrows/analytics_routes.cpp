#include "modules/borrows/analytics_routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::borrows {

using namespace http;

std::vector<Route> analytics_routes(AnalyticsService& analytics) {
  constexpr auto staff = Access::needs(Permission::loans_manage);
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Analytics")); };
  add(get("/api/v1/analytics/borrows", "Count loans by day, week or month", staff, {},
          [&](Query<TrendQuestion> question) { return analytics.trend(*question); }));
  add(get("/api/v1/analytics/popular", "See what was lent most", staff, {},
          [&](Query<PopularQuestion> question) { return analytics.popular(*question); }));
  auto more = also_at(routes, Method::get, "/api/v1/analytics/borrows",
                      {"/api/v1/admin/analytics/loans", "/api/v1/admin/analytics/borrows"});
  routes.insert(routes.end(), more.begin(), more.end());
  more = also_at(routes, Method::get, "/api/v1/analytics/popular", {"/api/v1/admin/analytics/popular"});
  routes.insert(routes.end(), more.begin(), more.end());
  return routes;
}

}  // namespace lumina::borrows
