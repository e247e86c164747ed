// The API of searching.
#pragma once
#include "core/cache/body_cache.hpp"
#include "core/http/route.hpp"
#include "core/jobs/dead_letters.hpp"
#include "modules/books/search_log.hpp"
#include "modules/books/search_service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> search_routes(SearchService& search, SearchLog& log, cache::BodyCache& cache,
                                       jobs::DeadLetters& dead_letters);

}  // namespace lumina::books
