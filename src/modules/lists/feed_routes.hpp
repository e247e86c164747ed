// What reading devices and feed readers ask of lists: KOReader's progress sync, and public lists as Atom
// feeds.
#pragma once
#include "core/http/openapi.hpp"
#include "core/http/route.hpp"
#include "modules/lists/service.hpp"
#include "modules/lists/sync.hpp"

#include <vector>

namespace lumina::lists {

std::vector<http::Route> sync_routes(SyncService& sync);
std::vector<http::Route> feed_routes(ListService& lists);
// What the devices' protocol answers in its own way, for the OpenAPI document.
std::vector<http::OtherAnswer> sync_answers();

}  // namespace lumina::lists
