#include "modules/lists/routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

#include <iterator>

namespace lumina::lists {
namespace {

using namespace http;
using enum ErrorKind;

using Ref = Path<std::string>;

}  // namespace

std::vector<Route> list_routes(ListService& lists) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Lists")); };
  const auto anyone = http::Access::anyone(), person = http::Access::signed_in();
  const std::vector<ErrorKind> absent{ErrorKind::not_found};

  add(get("/api/v1/collections", "List the collections one may see", anyone, {},
          [&](Query<CollectionFilter> filter, Paging page, Caller by) {
            return lists.list(*filter, *page, by);
          }));
  add(post("/api/v1/collections", "Make a collection", person, {refused},
           [&](Body<NewCollection> made, Caller by) {
             return created(lists.create(*made, by), "/api/v1/collections/");
           })
          .explained(
              "A reading list, a wishlist (one a person), or, for staff, a curated list of the library. With "
              "a query it is a smart list: its books are those that GET /books finds with these filters "
              "now."));
  add(get("/api/v1/collections/{id}", "Read a collection, by number or slug", anyone, absent,
          [&](Ref id, Caller by) { return versioned(lists.find(*id, by)); }));
  add(patch("/api/v1/collections/{id}", "Change a collection", person,
            {ErrorKind::not_found, ErrorKind::stale},
            [&](Ref id, Body<CollectionChanges> changes, IfMatch seen, Caller by) {
              return versioned(lists.change(*id, *changes, *seen, by));
            }));
  add(del("/api/v1/collections/{id}", "Delete a collection; its books stay", person,
          {ErrorKind::not_found, ErrorKind::stale},
          [&](Ref id, IfMatch seen, Caller by) { return lists.remove(*id, *seen, by); }));

  add(get("/api/v1/collections/{id}/books", "List the books of a collection, in its order", anyone, absent,
          [&](Ref id, Paging page, Caller by) { return lists.items(*id, *page, by); }));
  add(put("/api/v1/collections/{id}/books", "Put the books of a collection in order", person,
          {ErrorKind::not_found, refused, conflict},
          [&](Ref id, Body<Order> order, Caller by) { return versioned(lists.reorder(*id, *order, by)); }));
  add(post("/api/v1/collections/{id}/books/{book_id}", "Put a book into a collection", person,
           {ErrorKind::not_found, refused},
           [&](Ref id, Path<BookId> book, OptionalBody<NewItem> item, Caller by) {
             return lists.put(*id, *book, *item, by);
           })
          .with_status(201));
  add(del("/api/v1/collections/{id}/books/{book_id}", "Take a book out of a collection", person,
          {ErrorKind::not_found, refused},
          [&](Ref id, Path<BookId> book, Caller by) { return lists.take(*id, *book, by); }));
  add(get("/api/v1/collections/{id}/stats", "What a collection adds up to", anyone, absent,
          [&](Ref id, Caller by) { return lists.statistics(*id, by); }));

  add(get("/api/v1/collections/{id}/permissions", "Who else may see or change a collection", person, absent,
          [&](Ref id, Caller by) { return lists.grants(*id, by); }));
  add(post("/api/v1/collections/{id}/permissions", "Let somebody see or change a collection", person,
           {ErrorKind::not_found, refused},
           [&](Ref id, Body<Grant> grant, Caller by) { return lists.grant(*id, *grant, by); }));
  add(del("/api/v1/collections/{id}/permissions/{user_id}", "Take that back", person, absent,
          [&](Ref id, Path<UserId> user, Caller by) { return lists.revoke(*id, *user, by); }));

  add(post("/api/v1/collections/{id}/link", "Make a link that lets anybody read a collection", person, absent,
           [&](Ref id, Caller by) { return versioned(lists.open_link(*id, by)); })
          .explained("A new link each time; the one before ends."));
  add(del("/api/v1/collections/{id}/link", "End the link of a collection", person, absent,
          [&](Ref id, Caller by) { return lists.close_link(*id, by); }));
  add(get("/api/v1/shared-lists/{token}", "Read a collection by its link", anyone, absent,
          [&](Path<std::string> token, Caller by) { return lists.shared(*token, by); }));
  add(get("/api/v1/books/{id}/lists", "Which of your collections hold a book", person, absent,
          [&](Path<BookId> book, Caller by) { return lists.listed(*book, by); }));

  auto aliases = mounted_at(routes, "/api/v1/collections", "/api/v1/lists", [](Route route) {
    route.hidden = true;
    return route;
  });
  std::ranges::move(aliases, std::back_inserter(routes));
  return routes;
}

}  // namespace lumina::lists
