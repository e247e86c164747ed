#include "modules/pages/routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::pages {

std::vector<http::Route> page_routes(PageService& pages) {
  using namespace http;
  std::vector<Route> routes;
  routes.push_back(get("/api/v1/dashboard", "What the library has and what concerns you, in one call",
                       Access::signed_in(), {}, [&](Caller by) { return pages.dashboard(by); })
                       .tagged("Pages"));
  return routes;
}

}  // namespace lumina::pages
