#include "modules/books/work_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::books {

using namespace http;
using enum ErrorKind;

std::vector<Route> work_routes(WorkService& works) {
  constexpr auto librarian = Access::needs(Permission::books_write);
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };
  add(post("/api/v1/works", "Group editions into a work", librarian, {ErrorKind::not_found, refused},
           [&](Body<NewWork> work, Caller by) { return created(works.create(*work, by), "/api/v1/works/"); })
          .explained("Editions of a work share its reviews, and readers can wait for any of them."));
  add(get("/api/v1/works/{id}", "Read a work with its editions", Access::anyone(), {ErrorKind::not_found},
          [&](Path<WorkId> id) { return works.find(*id); }));
  add(put("/api/v1/works/{id}/books/{book_id}", "Add an edition to a work", librarian,
          {ErrorKind::not_found, refused},
          [&](Path<WorkId> id, Path<BookId> book, Caller by) { return works.add(*id, *book, by); }));
  add(del("/api/v1/works/{id}/books/{book_id}", "Take an edition out of a work", librarian,
          {ErrorKind::not_found},
          [&](Path<WorkId> id, Path<BookId> book, Caller by) { return works.remove(*id, *book, by); }));
  add(get("/api/v1/books/{id}/editions", "List the other editions of a book", Access::anyone(),
          {ErrorKind::not_found}, [&](Path<BookId> id) { return works.other_editions(*id); }));
  return routes;
}

}  // namespace lumina::books
