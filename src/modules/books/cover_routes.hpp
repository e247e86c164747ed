// Routes of covers and of look-ups in other catalogues.
#pragma once
#include "core/http/route.hpp"
#include "modules/books/cover.hpp"
#include "modules/books/lookup.hpp"

#include <vector>

namespace lumina::books {

std::vector<http::Route> cover_routes(CoverService& covers, LookupService& lookup);

}  // namespace lumina::books
