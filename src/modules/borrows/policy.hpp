// The rules of lending, pure: when a loan is due, what it is called at a moment, whether it may be renewed.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "modules/borrows/model.hpp"
#include "modules/borrows/rule_model.hpp"

namespace lumina::borrows {

// What the configuration of the server says; the rules that a library sets go before it.
struct LoanRules {
  int period_days = 14;
  std::int64_t max_loans = 0;  // at a time and person; 0: no limit
  int max_renewals = 3;
  int pickup_days = 7;
};

// Whole days of 24 hours in UTC, so that no change of clocks shortens a loan.
Timestamp due_after(Timestamp start, int days);
// Sets `status` and `is_overdue` to what they are at that moment. A loan is overdue once its due date has
// passed.
void show_as_of(Borrow& loan, Timestamp now);
// The due date after a renewal, which never comes earlier than the present one, or why there is none.
Result<Timestamp> renewed_due_date(const Borrow& loan, const RuleValues& rules, Timestamp now);

}  // namespace lumina::borrows
