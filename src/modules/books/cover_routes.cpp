#include "modules/books/cover_routes.hpp"

#include "core/http/handler.hpp"
#include "core/xml/atom.hpp"

namespace lumina::books {
namespace {

using namespace http;

Task<Result<Response>> picture(Task<Result<CoverPicture>> task) {
  auto found = co_await std::move(task);
  if (!found) co_return Failure(std::move(found.error()));
  Response response;
  response.content_type = std::move(found->media_type);
  response.etag = std::move(found->digest);
  response.body = std::move(found->bytes);
  response.set("Last-Modified", xml::http_date(found->updated_at));
  // Pages of other origins may show it; it is public.
  response.set("Cache-Control", "public, max-age=3600");
  co_return response;
}

}  // namespace

std::vector<Route> cover_routes(CoverService& covers, LookupService& lookup) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };
  constexpr auto librarian = Access::needs(Permission::books_write);
  add(post("/api/v1/books/lookup", "Look up books by ISBN in Open Library", librarian, {},
           [&](Body<LookupRequest> request) { return lookup.look_up(*request); })
          .by_itself()
          .repeats(Repeat::served)
          .explained(
              "Gives drafts to check and add; adds nothing. When Open Library cannot be asked the answer is "
              "still 200, with what is known here and `partial`."));
  add(put("/api/v1/books/{id}/cover", "Give a book its cover", librarian,
          {ErrorKind::not_found, ErrorKind::refused, ErrorKind::too_large},
          [&](Path<BookId> id, Upload file, Caller by) {
            return covers.put(*id, std::move(file.bytes), std::move(by));
          })
          .limited(RateClass::upload)
          .accepts_up_to(most_cover_bytes + 64 * 1024)
          .explained("PNG, JPEG or WebP of at most 5 MB, as the body or in a form."));
  add(get("/api/v1/books/{id}/cover", "See the cover of a book", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BookId> id) { return picture(covers.find(*id)); })
          .answers_media("image/jpeg"));
  add(del("/api/v1/books/{id}/cover", "Take the cover from a book", librarian, {ErrorKind::not_found},
          [&](Path<BookId> id, Caller by) { return covers.remove(*id, std::move(by)); }));
  return routes;
}

}  // namespace lumina::books
