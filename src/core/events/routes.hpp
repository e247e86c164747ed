// The API of events: the list of what happened, and the stream of what happens.
#pragma once
#include "core/events/hub.hpp"
#include "core/http/route.hpp"

#include <vector>

namespace lumina::events {

std::vector<http::Route> event_routes(db::Database& database, Hub& hub);

}  // namespace lumina::events
