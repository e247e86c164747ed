#include "modules/borrows/policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {

Timestamp due_after(Timestamp start, int days) { return start + std::chrono::hours(24) * days; }

void show_as_of(Borrow& loan, Timestamp now) {
  loan.is_overdue = !loan.return_date && loan.due_date < now;
  if (loan.return_date)
    loan.status = LoanStatus::returned;
  else
    loan.status = loan.is_overdue ? LoanStatus::overdue : LoanStatus::active;
}

Result<Timestamp> renewed_due_date(const Borrow& loan, const RuleValues& rules, Timestamp now) {
  if (loan.return_date) return fail(ErrorKind::refused, "loan_ended", "The book has been returned already");
  if (loan.due_date < now)
    return fail(ErrorKind::refused, "loan_overdue", "An overdue book cannot be renewed; please return it");
  if (loan.renewals >= rules.max_renewals)
    return fail(ErrorKind::refused, "renewal_limit",
                rules.max_renewals == 0
                    ? "Loans cannot be renewed here"
                    : fmt::format("A loan can be renewed {} times at most", rules.max_renewals));
  return std::max(loan.due_date, due_after(now, rules.renewal_period_days));
}

}  // namespace lumina::borrows
