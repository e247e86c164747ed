#include "modules/borrows/routes.hpp"

#include "core/http/cached.hpp"
#include "core/http/handler.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto staff = Access::needs(Permission::loans_manage);

}  // namespace

std::vector<Route> borrow_routes(BorrowService& borrows, cache::BodyCache& cache) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Circulation")); };

  add(post("/api/v1/borrows/{book_id}/borrow", "Borrow a book", Access::signed_in(),
           {ErrorKind::not_found, refused},
           [&](Path<BookId> book, Query<LoanTerms> query, OptionalBody<LoanTerms> body, Caller by) {
             return borrows.borrow(*book, *query, *body, by);
           })
          .with_status(201)
          .explained("Lends any free copy. The terms may stand in the query or in the body."));
  add(post("/api/v1/borrows/{book_id}/return", "Return a book", Access::signed_in(), {ErrorKind::not_found},
           [&](Path<BookId> book, Query<ReturnTerms> query, OptionalBody<ReturnTerms> body, Caller by) {
             return borrows.give_back(*book, *query, *body, by);
           }));
  add(post("/api/v1/borrows/{id}/renew", "Renew a loan", Access::signed_in(), {ErrorKind::not_found, refused},
           [&](Path<BorrowId> id, Caller by) { return borrows.renew(*id, by); }));
  add(get("/api/v1/borrows/{id}/renew", "See whether a loan can be renewed", Access::signed_in(),
          {ErrorKind::not_found},
          [&](Path<BorrowId> id, Caller by) { return borrows.preview_renewal(*id, by); }));
  add(post("/api/v1/borrows/preview", "See whether a book can be borrowed, and if not, why",
           Access::signed_in(), {ErrorKind::not_found},
           [&](Body<PreviewRequest> request, Caller by) { return borrows.preview(*request, by); })
          .explained(
              "Borrowing decides by the same function: it succeeds when this allows it, and refuses with "
              "the first of the reasons when not."));

  add(get(
      "/api/v1/borrows", "List one's own loans", Access::signed_in(), {},
      [&](Query<OwnLoans> filter, Paging page, Caller by) { return borrows.own(by.id(), *filter, *page); }));
  add(get("/api/v1/borrows/history", "Count and list one's own loans", Access::signed_in(), {},
          [&](Query<HistoryPart> part, Caller by) { return borrows.history(by.id(), *part); }));
  add(get("/api/v1/borrows/all", "List everybody's loans", staff, {},
          [&](Query<LoanFilter> filter, Paging page) { return borrows.all(*filter, *page); }));
  add(get("/api/v1/borrows/overdue", "List what is overdue, the longest first", staff, {},
          [&](Query<LoanFilter> filter, Paging page) { return borrows.overdue(*filter, *page); }));
  add(cached(get("/api/v1/borrows/book/{book_id}/availability", "See whether a book can be borrowed now",
                 Access::anyone(), {ErrorKind::not_found},
                 [&](Path<BookId> book) { return borrows.availability(*book); }),
             cache, by_path_id("book")));

  const auto alias = [&](Method method, std::string_view documented, std::string_view other) {
    auto more = also_at(routes, method, documented, {other});
    routes.insert(routes.end(), more.begin(), more.end());
  };
  alias(Method::post, "/api/v1/borrows/{book_id}/borrow", "/api/v1/books/{id}/borrow");
  alias(Method::post, "/api/v1/borrows/{book_id}/return", "/api/v1/books/{id}/return");
  alias(Method::get, "/api/v1/borrows/all", "/api/v1/admin/borrows");
  return routes;
}

}  // namespace lumina::borrows
