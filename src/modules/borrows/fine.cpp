#include "modules/borrows/fine.hpp"

#include <algorithm>

namespace lumina::borrows {

std::int64_t overdue_fine(const RuleValues& rule, const Calendar& calendar, Timestamp due, Timestamp back) {
  if (rule.fine_per_day_minor == 0) return 0;
  const int days = calendar.days_late(due, back);
  if (days <= rule.fine_grace_days) return 0;
  const std::int64_t amount = rule.fine_per_day_minor * days;
  return rule.fine_cap_minor == no_limit ? amount : std::min(amount, rule.fine_cap_minor);
}

}  // namespace lumina::borrows
