// The API of the desk.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/desk_service.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> desk_routes(DeskService& desk);

}  // namespace lumina::borrows
