#include "modules/borrows/copy_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto librarian = Access::needs(Permission::books_write);

}  // namespace

std::vector<Route> copy_routes(CopyService& copies, BranchService& branches) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Copies and branches")); };

  add(get("/api/v1/books/{id}/copies", "List a book's copies", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BookId> id) { return copies.of_book(*id); }));
  add(post("/api/v1/books/{id}/copies", "Add a copy", librarian, {ErrorKind::not_found, refused},
           [&](Path<BookId> id, OptionalBody<NewCopy> copy, Caller by) {
             return created(copies.add(*id, *copy, by), "/api/v1/copies/");
           })
          .explained("A copy without a barcode gets one. Whoever waits for the book gets the copy at once."));
  add(get("/api/v1/copies", "Find copies, by barcode for one", Access::anyone(), {},
          [&](Query<CopyFilter> filter, Paging page) { return copies.list(*filter, *page); }));
  add(get("/api/v1/copies/{id}", "Read a copy", Access::anyone(), {ErrorKind::not_found},
          [&](Path<CopyId> id) { return copies.find(*id); }));
  add(patch("/api/v1/copies/{id}", "Change a copy", librarian, {ErrorKind::not_found, refused},
            [&](Path<CopyId> id, Body<CopyChanges> changes, Caller by) {
              return copies.change(*id, *changes, by);
            }));
  add(post("/api/v1/copies/{id}/status", "Say what became of a copy", librarian,
           {ErrorKind::not_found, refused},
           [&](Path<CopyId> id, Body<CopyStatusChange> change, Caller by) {
             return copies.set_status(*id, *change, by);
           })
          .explained(
              "lost and claimed_returned may be said while the copy is on loan; available takes it back. "
              "Everything else waits until it came back. A copy that is kept for somebody and turns out "
              "lost, "
              "missing or damaged puts that person back in line, in the old place."));
  add(del("/api/v1/copies/{id}", "Remove a copy that was never lent", librarian,
          {ErrorKind::not_found, refused},
          [&](Path<CopyId> id, Caller by) { return copies.remove(*id, by); }));

  add(get("/api/v1/branches", "List the branches, the default first", Access::anyone(), {},
          [&] { return branches.list(); }));
  add(post("/api/v1/branches", "Add a branch", librarian, {refused}, [&](Body<NewBranch> branch, Caller by) {
    return created(branches.create(*branch, by), "/api/v1/branches/");
  }));
  add(get("/api/v1/branches/{id}", "Read a branch", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BranchId> id) { return branches.find(*id); }));
  add(patch("/api/v1/branches/{id}", "Change a branch", librarian, {ErrorKind::not_found, refused},
            [&](Path<BranchId> id, Body<BranchChanges> changes, Caller by) {
              return branches.change(*id, *changes, by);
            }));
  add(del("/api/v1/branches/{id}", "Delete a branch that nothing depends on", librarian,
          {ErrorKind::not_found, refused},
          [&](Path<BranchId> id, Caller by) { return branches.remove(*id, by); }));
  return routes;
}

}  // namespace lumina::borrows
