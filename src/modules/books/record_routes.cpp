#include "modules/books/record_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

#include <charconv>

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto librarian = Access::needs(Permission::books_write);

std::optional<BookId> book_in(const Context& context) {
  std::int64_t id = 0;
  const auto text = context.path_values[0];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return BookId{id};
}

Response moved(const Context& context, BookId successor) {
  const std::string_view target = context.head->target, old = context.path_values[0];
  const auto at = static_cast<std::size_t>(old.data() - target.data());
  Response response;
  // Permanent; what changes something keeps its method and body (RFC 9110, 15.4.9).
  response.status = context.head->method == Method::get ? 301 : 308;
  response.content_type.clear();
  response.set("Location", std::string(target.substr(0, at)) + std::to_string(successor.value) +
                               std::string(target.substr(at + old.size())));
  return response;
}

Task<Response> found_or_moved(Response answer, Context& context, RecordService& records) {
  const auto id = book_in(context);
  if (!id) co_return answer;
  const auto successor = co_await records.successor(*id);
  if (!successor || !*successor) co_return answer;
  co_return moved(context, **successor);
}

Task<Response> awaited(Task<Response> task, Context& context, RecordService& records) {
  auto answer = co_await std::move(task);
  if (answer.status != 404) co_return answer;
  co_return co_await found_or_moved(std::move(answer), context, records);
}

}  // namespace

bool is_about_a_book(std::string_view path) {
  const auto first = path.substr(0, path.find('}'));
  return first.ends_with("/books/{id") || first.ends_with("/{book_id");
}

std::vector<OtherAnswer> redirecting_answers(const std::vector<Route>& routes) {
  std::vector<OtherAnswer> all;
  for (const auto& route : routes)
    if (is_about_a_book(route.path))
      all.push_back({route.method, route.path, route.method == Method::get ? 301 : 308,
                     "The book became part of another one; `Location` has the same request for that one"});
  return all;
}

Route redirecting(Route route, RecordService& records) {
  route.handler = [inner = std::move(route.handler), &records](Context& context) -> Eventual<Response> {
    auto answer = inner(context);
    if (!answer.ready()) return awaited(std::move(answer.task()), context, records);
    if (answer.value().status != 404) return answer;
    return found_or_moved(std::move(answer.value()), context, records);
  };
  return route;
}

std::vector<Route> record_routes(RecordService& records) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };

  add(get("/api/v1/books/{id}/history", "List what was changed in a book, by whom", librarian,
          {ErrorKind::not_found}, [&](Path<BookId> id, Paging page) { return records.history(*id, *page); })
          .explained("The newest first. Deleted books have a history too."));
  add(post("/api/v1/books/{id}/revert", "Bring back the fields of an earlier version", librarian,
           {ErrorKind::not_found, refused, ErrorKind::stale},
           [&](Path<BookId> id, Body<Revert> revert, IfMatch seen, Caller by) {
             return versioned(records.revert(*id, revert->version, *seen, by));
           })
          .explained("As a new version: nothing of the history is lost."));
  add(post("/api/v1/books/{id}/restore", "Restore a deleted book", librarian, {ErrorKind::not_found, refused},
           [&](Path<BookId> id, Caller by) { return versioned(records.restore(*id, by)); })
          .explained("Within thirty days, with its copies, its reviews and its places in lists."));
  add(post("/api/v1/books/merge", "Merge records of one book", librarian, {ErrorKind::not_found, refused},
           [&](Body<MergeRequest> request, Caller by) { return records.merge(*request, by); })
          .explained(
              "Copies, loans, holds, reviews and places in lists of the books in `from` become those of "
              "`into`; the addresses of the books that went redirect there. POST "
              "/admin/change-sets/{id}/undo takes all of it back."));
  add(get("/api/v1/admin/deleted-books", "List deleted books", librarian, {},
          [&](Paging page) { return records.deleted(*page); }));
  add(get("/api/v1/admin/change-sets", "List merges and deletions", librarian, {},
          [&](Paging page) { return records.change_sets(*page); }));
  add(get("/api/v1/admin/change-sets/{id}", "Read a merge or deletion", librarian, {ErrorKind::not_found},
          [&](Path<ChangeSetId> id) { return records.change_set(*id); }));
  add(post("/api/v1/admin/change-sets/{id}/undo", "Undo a merge or deletion", librarian,
           {ErrorKind::not_found, refused},
           [&](Path<ChangeSetId> id, Caller by) { return records.undo(*id, by); }));
  add(get("/api/v1/admin/duplicates", "List books that look as if they were one", librarian, {},
          [&](Query<DuplicateFilter> filter, Paging page) { return records.duplicates(*filter, *page); })
          .explained("With how sure it is: 1 for the same title and author, less for titles that differ by a "
                     "subtitle or a slip of the finger, 0.6 for the same title under several ISBNs."));
  add(post("/api/v1/admin/duplicates/dismiss", "Say that books that look alike are not one", librarian,
           {ErrorKind::not_found},
           [&](Body<DifferentBooks> books, Caller by) { return records.differ(*books, by); }));
  return routes;
}

}  // namespace lumina::books
