#include "modules/books/browse_routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::books {
namespace {

struct HeadingKey {
  std::string key;
  static constexpr std::string_view type_name = "HeadingKey";
  static std::vector<schema::Field> fields() {
    return {{"key", &HeadingKey::key, "The key of the heading", {schema::length(1, 1000)}}};
  }
};

}  // namespace

using namespace http;

std::vector<Route> browse_routes(BrowseService& browse) {
  constexpr auto librarian = Access::needs(Permission::books_write);
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };
  add(get("/api/v1/browse/{drawer}", "Browse titles, authors, subjects, series or class marks",
          Access::anyone(), {},
          [&](Path<Drawer> drawer, Query<BrowseRequest> request) {
            return browse.headings(*drawer, *request);
          })
          .explained(
              "Headings in their order from any place on, with the number of titles under each: authors by "
              "family name, class marks as the books stand on the shelf."));
  add(get("/api/v1/browse/{drawer}/books", "List the titles under a heading", Access::anyone(), {},
          [&](Path<Drawer> drawer, Query<HeadingKey> heading, Paging page) {
            return browse.under(*drawer, heading->key, *page);
          })
          .explained("A series in its order."));
  add(get("/api/v1/admin/data-quality", "Report on the quality of the records", librarian, {}, [&]() {
        return browse.quality();
      }).explained("How full each field is, what cannot be right, and a score, with the paths to mend it."));
  add(get("/api/v1/admin/data-quality/{problem}", "List the books with a problem of that report", librarian,
          {ErrorKind::not_found},
          [&](Path<std::string> problem, Paging page) { return browse.with_problem(*problem, *page); }));
  return routes;
}

}  // namespace lumina::books
