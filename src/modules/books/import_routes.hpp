// Routes of imports that readers start themselves, and of rows that wait to be mended.
#pragma once
#include "core/http/route.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/spool.hpp"
#include "modules/books/import_rows.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> import_routes(ImportRows& rows, jobs::Queue& queue, jobs::Spool& spool);

}  // namespace lumina::books
