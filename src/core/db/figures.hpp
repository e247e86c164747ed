// Figures that the databases of this process keep together, for the page of metrics:
// luminalib_db_query_duration_seconds, how long units of work ran, those of one group commit as one.
#pragma once
#include "core/telemetry/metrics.hpp"

namespace lumina::db {

// Lives as long as the process. Thread-safe.
const metrics::Registry& figures();

}  // namespace lumina::db
