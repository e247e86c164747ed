// POST /api/v1/batch.
#pragma once
#include "core/db/database.hpp"
#include "core/http/route.hpp"
#include "core/http/router.hpp"

#include <functional>
#include <vector>

namespace lumina::calls {

// The router holds these routes too, so it is asked for when a batch comes.
std::vector<http::Route> batch_routes(db::Database& database, std::function<const http::Router&()> router);

}  // namespace lumina::calls
