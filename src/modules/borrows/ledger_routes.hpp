// The API of fines, accounts and blocks.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/ledger_service.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> ledger_routes(LedgerService& ledger);

}  // namespace lumina::borrows
