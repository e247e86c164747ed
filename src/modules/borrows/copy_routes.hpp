// The API of copies and branches.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/branch_service.hpp"
#include "modules/borrows/copy_service.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> copy_routes(CopyService& copies, BranchService& branches);

}  // namespace lumina::borrows
