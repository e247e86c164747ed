// The API of the audit log: reading for those who may, and notes from outside.
#pragma once
#include <vector>

#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/http/route.hpp"

namespace lumina::audit {

std::vector<http::Route> audit_routes(db::Database& database, events::Journal& journal);

}  // namespace lumina::audit
