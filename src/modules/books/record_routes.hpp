// The API of records over time: history, deleted books, merges, duplicates; and where merged books went.
#pragma once
#include "core/http/openapi.hpp"
#include "core/http/route.hpp"
#include "modules/books/record_service.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> record_routes(RecordService& records);

// A route whose first path parameter is a book: 301 to the same route of the successor when the book is not
// found and was merged.
http::Route redirecting(http::Route route, RecordService& records);
// For the OpenAPI document.
std::vector<http::OtherAnswer> redirecting_answers();

}  // namespace lumina::books
