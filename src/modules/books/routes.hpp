// The API of the catalogue.
#pragma once
#include "core/cache/body_cache.hpp"
#include "core/events/bus.hpp"
#include "core/http/expand.hpp"
#include "core/http/route.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/spool.hpp"
#include "modules/books/importer.hpp"
#include "modules/books/service.hpp"

#include <vector>

namespace lumina::books {

// `of_a_book`: what other modules add to GET /books/{id}?expand=.
std::vector<http::Route> book_routes(BookService& books, Importer& importer, jobs::Queue& queue,
                                     jobs::Spool& spool, cache::BodyCache& cache,
                                     std::vector<http::Expansion> of_a_book = {});

// What cached answers of the catalogue name as shown: one book, or any of them. Drops both when an event
// concerns a book, its stock, its loans or its reviews.
cache::Tag catalogue_tag();
constexpr const char* book_tag_kind = "book";
void keep_cache_true(events::Bus& bus, cache::BodyCache& cache);

}  // namespace lumina::books
