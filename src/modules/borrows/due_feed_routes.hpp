// The API of the calendar of one's due dates.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/due_feed.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> due_feed_routes(DueFeedService& feeds);

}  // namespace lumina::borrows
