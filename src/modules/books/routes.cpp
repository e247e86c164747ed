#include "modules/books/routes.hpp"

#include "core/http/cached.hpp"
#include "core/http/expand.hpp"
#include "core/http/handler.hpp"
#include "core/http/resource.hpp"
#include "core/jobs/routes.hpp"
#include "modules/books/citation.hpp"
#include "modules/books/export_routes.hpp"
#include "modules/books/import_job.hpp"
#include "modules/books/metadata_filter.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto librarian = Access::needs(Permission::books_write);

Task<Result<Numbered>> answers(Context& context, Task<Result<std::vector<Book>>> task) {
  auto books = co_await std::move(task);
  if (!books) co_return Failure(std::move(books.error()));
  Numbered out;
  for (Book& book : *books) {
    const auto id = book.id.value;
    const auto version = book.version;
    out.emplace_back(id, Answer<Versioned<Book>>::make(context, {std::move(book), version}));
  }
  co_return out;
}

}  // namespace

std::vector<Route> book_routes(BookService& books, Importer& importer, jobs::Queue& queue, jobs::Spool& spool,
                               cache::BodyCache& cache, std::vector<Expansion> of_a_book) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };

  add(cached(with_metadata_filter(
                 get("/api/v1/books", "List the books", Access::anyone(), {},
                     [&](Query<BookFilter> filter, Paging page) { return books.list(*filter, *page); })),
             cache, always(catalogue_tag())));
  add(post("/api/v1/books", "Add a book", librarian, {refused}, [&](Body<NewBook> book, Caller by) {
    return created(books.create(*book, by), "/api/v1/books/");
  }));
  add(cached(with_metadata_filter(get(
                 "/api/v1/books/facets", "Count the books by genre, author, year and language",
                 Access::anyone(), {}, [&](Query<BookFilter> filter) { return books.facets(*filter, 100); })),
             cache, always(catalogue_tag())));
  add(post("/api/v1/books/batch", "Add or complete up to 1,000 books", librarian, {},
           [&](RawRequest request, Caller by) { return importer.add_batch(request.request->body, by); })
          .with_status(200)
          .accepts_up_to(32 * 1024 * 1024)
          .takes<NewBook>({"application/json", "application/x-ndjson"})
          .explained("A JSON array, or one book a line (NDJSON). Books are matched by ISBN, then by title "
                     "and author; a "
                     "faulty one is reported and loses nobody else."));
  add(post("/api/v1/books/import", "Import a file of books", librarian, {refused},
           [&](Upload file, Caller by) {
             return jobs::accepted(start_import(queue, spool, std::move(file), by));
           })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>()
          .limited(RateClass::upload)
          .by_itself()
          .accepts_up_to(64 * 1024 * 1024)
          .explained(
              "CSV with any of the usual headers (Goodreads and goodbooks-10k known), JSON lines, MARC 21 "
              "(ISO "
              "2709 in UTF-8 or MARC-8) or MARCXML. Books are matched by ISBN, then by title and author, so "
              "that "
              "the same file again changes nothing. A damaged record is reported by its place and loses no "
              "other."));
  auto one = get("/api/v1/books/{id}", "Read a book", Access::anyone(), {ErrorKind::not_found},
                 [&](Path<BookId> id, Query<BookFormRequest>) { return versioned(books.find(*id)); })
                 .explained(
                     "Also as linked data (schema.org) with Accept: application/ld+json. 301 to the "
                     "book that it became part of, when it was merged.");
  one = cached_with_neighbours(expandable(std::move(one), std::move(of_a_book)), cache, book_tag_kind,
                               [&](Context& context, std::int64_t first, std::int64_t last) {
                                 return answers(context, books.between(BookId{first}, BookId{last}));
                               });
  add(in_many_forms(std::move(one), books));
  add(put("/api/v1/books/{id}", "Replace a book", librarian,
          {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](Path<BookId> id, Body<NewBook> book, IfMatch seen, Caller by) {
            return versioned(books.replace(*id, *book, *seen, by));
          }));
  add(patch("/api/v1/books/{id}", "Change a book", librarian,
            {ErrorKind::not_found, refused, ErrorKind::stale},
            [&](Path<BookId> id, Body<BookChanges> changes, IfMatch seen, Caller by) {
              return versioned(books.change(*id, *changes, *seen, by));
            }));
  add(del("/api/v1/books/{id}", "Delete a book", librarian, {ErrorKind::not_found, refused, ErrorKind::stale},
          [&](Path<BookId> id, IfMatch seen, Caller by) { return books.remove(*id, *seen, by); }));

  return routes;
}

cache::Tag catalogue_tag() { return cache::Tag("catalogue"); }

void keep_cache_true(events::Bus& bus, cache::BodyCache& cache) {
  bus.subscribe("", [&cache](const events::Event& event) {
    // Answers about many books show the names of people, in their reviews; a name seldom changes.
    if (event.type == "user.updated" || event.type == "user.deleted") cache.clear();
    // What librarians say about searching changes answers of the whole catalogue.
    if (event.type == "search.settings_changed") cache.drop(catalogue_tag());
    if (!event.book) return;
    cache.drop(cache::Tag(book_tag_kind, event.book->value));
    cache.drop(catalogue_tag());
  });
}

}  // namespace lumina::books
