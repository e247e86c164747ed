// The API of circulation.
#pragma once
#include "core/cache/body_cache.hpp"
#include "core/http/route.hpp"
#include "modules/borrows/service.hpp"

#include <vector>

namespace lumina::borrows {

// The cached answers show a book: they carry the tag ("book", id), which an event about the book drops.
std::vector<http::Route> borrow_routes(BorrowService& borrows, cache::BodyCache& cache);

}  // namespace lumina::borrows
