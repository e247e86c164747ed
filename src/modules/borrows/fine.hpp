// What a late loan costs. Pure.
#pragma once
#include "core/base/clock.hpp"
#include "modules/borrows/calendar.hpp"
#include "modules/borrows/rule_model.hpp"

#include <cstdint>

namespace lumina::borrows {

// The fine in minor units for a loan due then that came back, or is looked at, at `back`: the days late on
// which the library was open times the day's rate. Nothing within the grace days; after them every late day
// counts. Never more than the cap, never less at a later moment.
std::int64_t overdue_fine(const RuleValues& rule, const Calendar& calendar, Timestamp due, Timestamp back);

}  // namespace lumina::borrows
