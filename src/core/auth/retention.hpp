// Personal data that is kept for some days only: where requests came from, and with which program.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"

#include <cstdint>

namespace lumina::auth {

// Blanks the addresses of audit rows, and addresses and programs of sessions, that are older; gives how many
// rows. Works in small units, so that others write meanwhile. Who did what stays (decision 7).
Task<Result<std::int64_t>> forget_addresses(db::Database& database, Timestamp before);

}  // namespace lumina::auth
