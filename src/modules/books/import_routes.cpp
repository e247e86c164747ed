#include "modules/books/import_routes.hpp"

#include "core/http/handler.hpp"
#include "core/jobs/routes.hpp"
#include "modules/books/import_job.hpp"

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

// What the file is said to be. Its content decides; the name helps where content leaves it open.
struct ImportRequest {
  std::optional<std::string> format;
  static constexpr std::string_view type_name = "ImportRequest";
  static std::vector<schema::Field> fields() {
    return {{"format",
             &ImportRequest::format,
             "What the file comes from; its content decides in any case",
             {schema::one_of({"auto", "csv", "tsv", "jsonl", "marc", "marcxml", "goodreads", "storygraph",
                              "librarything", "bookwyrm", "calibre", "openreads", "open-library", "isbn"})}}};
  }
};

}  // namespace

std::vector<Route> import_routes(ImportRows& rows, jobs::Queue& queue, jobs::Spool& spool) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };
  add(post("/api/v1/imports", "Import what you have read elsewhere", Access::signed_in(), {refused},
           [&](Upload file, Query<ImportRequest> request, Caller by) {
             if (request->format == "tsv" || request->format == "librarything") file.filename += ".tsv";
             return jobs::accepted(start_import(queue, spool, std::move(file), by, true));
           })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>()
          .limited(RateClass::upload)
          .by_itself()
          .accepts_up_to(64 * 1024 * 1024)
          .explained(
              "Exports of Goodreads, StoryGraph, LibraryThing, BookWyrm, Calibre, Openreads and Open "
              "Library, "
              "a list of ISBNs, and every format of POST /books/import. Shelves become lists of the caller; "
              "ratings with a text become reviews where the rules allow. Staff add the books that are "
              "missing; for others only books match that the library has."));
  add(get("/api/v1/imports/{task_id}/rows", "List the records that an import refused", Access::signed_in(),
          {ErrorKind::not_found},
          [&](Path<std::string> job, Query<RowFilter> filter, Paging page, Caller by) {
            return rows.list(*job, *filter, *page, std::move(by));
          }));
  add(patch("/api/v1/imports/{task_id}/rows/{line}", "Mend a refused record",
            Access::needs(Permission::books_write), {ErrorKind::not_found, refused},
            [&](Path<std::string> job, Path<std::int64_t> line, Body<RowFields> changes, Caller by) {
              return rows.mend(*job, *line, *changes, std::move(by));
            }));
  add(post("/api/v1/imports/{task_id}/retry", "Try mended records again",
           Access::needs(Permission::books_write), {ErrorKind::not_found},
           [&](Path<std::string> job, Caller by) { return rows.retry(*job, std::move(by)); }));
  return routes;
}

}  // namespace lumina::books
