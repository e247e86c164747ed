// The API of the audit log: reading for those who may, and notes from outside.
#pragma once
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/http/route.hpp"

#include <vector>

namespace lumina::audit {

std::vector<http::Route> audit_routes(db::Database& database, events::Journal& journal);

}  // namespace lumina::audit
