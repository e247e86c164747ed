// The API of rules, patron categories, patrons and calendars: all for staff.
#pragma once
#include "core/http/route.hpp"
#include "modules/borrows/rule_service.hpp"
#include "modules/borrows/simulation.hpp"

#include <vector>

namespace lumina::borrows {

std::vector<http::Route> rule_routes(RuleService& rules, SimulationService& simulation);

}  // namespace lumina::borrows
