#include "modules/borrows/policy.hpp"

#include <catch2/catch.hpp>

namespace lumina::borrows {
namespace {

using namespace std::chrono_literals;

constexpr auto day = std::chrono::hours(24);
const Timestamp noon = *parse_rfc3339("2026-11-22T12:00:00Z");

Borrow lent(int days) {
  Borrow loan;
  loan.borrow_date = noon;
  loan.due_date = due_after(noon, days);
  return loan;
}

TEST_CASE("a loan of so many days is due at the same time of day, in UTC") {
  CHECK(to_rfc3339(due_after(noon, 14)) == "2026-12-06T12:00:00Z");
  CHECK(to_rfc3339(due_after(*parse_rfc3339("2028-02-15T23:59:59Z"), 14)) == "2028-02-29T23:59:59Z");
  CHECK(to_rfc3339(due_after(*parse_rfc3339("2026-03-20T00:30:00Z"), 90)) == "2026-06-18T00:30:00Z");
}

TEST_CASE("a loan is overdue from the first moment after it was due, until it comes back", "[D10]") {
  struct Row {
    std::chrono::milliseconds after_due;
    bool returned;
    LoanStatus status;
    bool is_overdue;
  };
  const auto row = GENERATE(values<Row>({{-14 * day, false, LoanStatus::active, false},
                                         {-1ms, false, LoanStatus::active, false},
                                         {0ms, false, LoanStatus::active, false},
                                         {1ms, false, LoanStatus::overdue, true},
                                         {400 * day, false, LoanStatus::overdue, true},
                                         {-1ms, true, LoanStatus::returned, false},
                                         {400 * day, true, LoanStatus::returned, false}}));
  for (const auto stored : {LoanStatus::active, LoanStatus::overdue}) {
    Borrow loan = lent(14);
    loan.status = stored;
    const Timestamp now = loan.due_date + row.after_due;
    if (row.returned) loan.return_date = now;
    show_as_of(loan, now);
    CHECK(loan.status == row.status);
    CHECK(loan.is_overdue == row.is_overdue);
  }
}

TEST_CASE("a renewal runs from today and never makes a loan shorter", "[D13]") {
  const RuleValues rules;
  const Borrow loan = lent(14);
  CHECK(renewed_due_date(loan, rules, noon + 10 * day) == noon + 24 * day);
  CHECK(renewed_due_date(loan, rules, loan.due_date) == noon + 28 * day);
  CHECK(renewed_due_date(lent(90), rules, noon + day) == noon + 90 * day);
}

TEST_CASE("what cannot be renewed is refused with its reason", "[D13]") {
  RuleValues rules;
  Borrow loan = lent(14);
  Timestamp now = noon + day;
  std::string code;
  SECTION("returned already") {
    loan.return_date = now;
    code = "loan_ended";
  }
  SECTION("overdue") {
    now = loan.due_date + 1ms;
    code = "loan_overdue";
  }
  SECTION("renewed as often as the library allows") {
    loan.renewals = 3;
    code = "renewal_limit";
  }
  SECTION("in a library that does not renew") {
    rules.max_renewals = 0;
    code = "renewal_limit";
  }
  const auto due = renewed_due_date(loan, rules, now);
  REQUIRE(!due);
  CHECK(due.error().kind == ErrorKind::refused);
  CHECK(due.error().code == code);
}

}  // namespace
}  // namespace lumina::borrows
