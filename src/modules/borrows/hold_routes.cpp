#include "modules/borrows/hold_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto staff = Access::needs(Permission::loans_manage);

}  // namespace

std::vector<Route> hold_routes(HoldService& holds, ForecastService& forecasts) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Holds")); };

  add(post("/api/v1/books/{id}/holds", "Wait for a book", Access::signed_in(),
           {ErrorKind::not_found, refused},
           [&](Path<BookId> book, OptionalBody<NewHold> hold, Caller by) {
             return created(holds.place(*book, *hold, by), "/api/v1/holds/");
           })
          .explained("At the end of the line. While a copy is free the hold is ready at once and the copy is "
                     "kept."));
  add(post("/api/v1/works/{id}/holds", "Wait for any edition of a work", Access::signed_in(),
           {ErrorKind::not_found, refused},
           [&](Path<books::WorkId> work, OptionalBody<NewHold> hold, Caller by) {
             return created(holds.place_any(*work, *hold, by), "/api/v1/holds/");
           })
          .explained(
              "A hold in the line of each edition. The first copy of any of them is kept; the other holds "
              "end then. Counts as one hold."));
  add(get("/api/v1/books/{id}/holds", "List who waits for a book, in line", staff, {ErrorKind::not_found},
          [&](Path<BookId> book) { return holds.line(*book); }));
  add(get(
      "/api/v1/holds", "List one's own holds", Access::signed_in(), {},
      [&](Query<OwnHolds> filter, Paging page, Caller by) { return holds.own(by.id(), *filter, *page); }));
  add(get("/api/v1/holds/all", "List everybody's holds", staff, {},
          [&](Query<HoldFilter> filter, Paging page) { return holds.all(*filter, *page); }));
  add(get("/api/v1/holds/{id}", "Read a hold", Access::signed_in(), {ErrorKind::not_found},
          [&](Path<HoldId> id, Caller by) { return holds.find(*id, by); }));
  add(patch("/api/v1/holds/{id}", "Change a hold", Access::signed_in(), {ErrorKind::not_found, refused},
            [&](Path<HoldId> id, Body<HoldChanges> changes, Caller by) {
              return holds.change(*id, *changes, by);
            }));
  add(del("/api/v1/holds/{id}", "Cancel a hold", Access::signed_in(), {ErrorKind::not_found, refused},
          [&](Path<HoldId> id, Caller by) { return holds.cancel(*id, by); })
          .explained("A copy that was kept goes to the next in line."));
  add(post("/api/v1/holds/{id}/suspension", "Be passed over for a while", Access::signed_in(),
           {ErrorKind::not_found, refused},
           [&](Path<HoldId> id, OptionalBody<Suspension> suspension, Caller by) {
             return holds.suspend(*id, suspension->until, by);
           })
          .with_status(200)
          .explained("The place in line is kept."));
  add(del("/api/v1/holds/{id}/suspension", "Be in line again", Access::signed_in(),
          {ErrorKind::not_found, refused},
          [&](Path<HoldId> id, Caller by) { return holds.resume(*id, by); }));
  add(put("/api/v1/holds/{id}/position", "Move a hold in its line", staff, {ErrorKind::not_found, refused},
          [&](Path<HoldId> id, Body<LinePlace> place, Caller by) {
            return holds.move(*id, place->position, by);
          }));
  add(get("/api/v1/holds/{id}/forecast", "When a copy is to be expected", Access::signed_in(),
          {ErrorKind::not_found, refused},
          [&](Path<HoldId> id, Caller by) { return forecasts.of_hold(*id, by); })
          .explained("From how long this title and the library's books in general are kept, the copies that "
                     "are out, and "
                     "the people ahead."));
  add(get("/api/v1/holds/purchase-suggestions", "List titles of which another copy should be bought", staff,
          {}, [&](Query<PurchaseQuestion> question) { return forecasts.purchases(*question); })
          .explained("Those for which the last in line is expected to wait longer than the weeks given."));
  return routes;
}

}  // namespace lumina::borrows
