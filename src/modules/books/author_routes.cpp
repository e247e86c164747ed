#include "modules/books/author_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::books {

using namespace http;
using enum ErrorKind;

std::vector<Route> author_routes(AuthorService& authors) {
  constexpr auto librarian = Access::needs(Permission::books_write);
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Authors")); };
  add(get("/api/v1/authors", "List author records", Access::anyone(), {},
          [&](Query<AuthorFilter> filter, Paging page) { return authors.list(*filter, *page); }));
  add(post("/api/v1/authors", "Make an author record", librarian, {refused},
           [&](Body<NewAuthor> author, Caller by) {
             return created(authors.create(*author, by), "/api/v1/authors/");
           })
          .explained(
              "One record for an author, whatever name the title pages give. Titles belong to it by their "
              "author's name, spelling aside; search finds them by every name."));
  add(get("/api/v1/authors/{id}", "Read an author record", Access::anyone(), {ErrorKind::not_found},
          [&](Path<AuthorId> id) { return versioned(authors.find(*id)); }));
  add(get("/api/v1/authors/{id}/books", "List the titles of an author", Access::anyone(),
          {ErrorKind::not_found},
          [&](Path<AuthorId> id, Paging page) { return authors.titles(*id, *page); }));
  add(patch("/api/v1/authors/{id}", "Change or rename an author", librarian,
            {ErrorKind::not_found, refused, ErrorKind::stale},
            [&](Path<AuthorId> id, Body<AuthorChanges> changes, IfMatch seen, Caller by) {
              return versioned(authors.change(*id, *changes, *seen, by));
            })
          .explained("A new name goes to all titles under the old one, with an entry in their histories."));
  add(del("/api/v1/authors/{id}", "Delete an author record", librarian,
          {ErrorKind::not_found, ErrorKind::stale},
          [&](Path<AuthorId> id, IfMatch seen, Caller by) { return authors.remove(*id, *seen, by); })
          .explained("The titles keep their author's name."));
  return routes;
}

}  // namespace lumina::books
