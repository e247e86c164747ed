// The API of records over time: history, deleted books, merges, duplicates; and where merged books went.
#pragma once
#include "core/http/openapi.hpp"
#include "core/http/route.hpp"
#include "modules/books/record_service.hpp"

#include <string_view>
#include <vector>

namespace lumina::books {

std::vector<http::Route> record_routes(RecordService& records);

// Whether the first parameter of a path is a book.
bool is_about_a_book(std::string_view path);

// A route whose first path parameter is a book: 301, or 308 for other methods than GET, to the same route of
// the successor when the book is not found and was merged.
http::Route redirecting(http::Route route, RecordService& records);
// For the OpenAPI document.
std::vector<http::OtherAnswer> redirecting_answers(const std::vector<http::Route>& routes);

}  // namespace lumina::books
