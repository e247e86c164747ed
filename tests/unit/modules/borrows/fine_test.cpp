#include "modules/borrows/fine.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace lumina::borrows {
namespace {

constexpr auto day = std::chrono::hours(24);
const Timestamp due = parse_rfc3339("2026-12-20T10:00:00Z").value();

TEST_CASE("a fine is the late days times the rate, from the first when grace is over, up to the cap",
          "[D19]") {
  RuleValues rule;
  rule.fine_per_day_minor = 25;
  const Calendar always_open;
  CHECK(overdue_fine(rule, always_open, due, due - day) == 0);
  CHECK(overdue_fine(rule, always_open, due, due) == 0);
  CHECK(overdue_fine(rule, always_open, due, due + day) == 25);
  CHECK(overdue_fine(rule, always_open, due, due + day * 20) == 500);
  rule.fine_grace_days = 3;
  CHECK(overdue_fine(rule, always_open, due, due + day * 3) == 0);
  CHECK(overdue_fine(rule, always_open, due, due + day * 4) == 100);
  rule.fine_cap_minor = 90;
  CHECK(overdue_fine(rule, always_open, due, due + day * 4) == 90);
  rule.fine_cap_minor = 0;
  CHECK(overdue_fine(rule, always_open, due, due + day * 4) == 0);
  rule.fine_cap_minor = no_limit;
  rule.fine_per_day_minor = 1'000'000'000;
  CHECK(overdue_fine(rule, always_open, due, due + day * 10'000'000) == 36'525'000'000'000);
}

TEST_CASE("a fine never shrinks with time and never passes its cap", "[D19]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    RuleValues rule;
    rule.fine_per_day_minor = random() % 100;
    rule.fine_grace_days = static_cast<int>(random() % 5);
    rule.fine_cap_minor = static_cast<std::int64_t>(random() % 1000) - 1;
    CalendarDocument document;
    document.time_zone = random() % 2 == 0 ? "America/New_York" : "Europe/Berlin";
    document.closed = {{"2026-12-24", "2026-12-27", {}}, {"2027-03-14", "2027-03-28", {}}};
    if (random() % 2 == 0) document.weekly_hours = {{Weekday::monday, "10:00", "12:00"}};
    const auto calendar = Calendar::make(document).value();
    std::int64_t before = 0;
    for (int hours = 0; hours < 24 * 120; hours += 1 + static_cast<int>(random() % 40)) {
      const auto fine = overdue_fine(rule, calendar, due, due + std::chrono::hours(hours));
      REQUIRE(fine >= before);
      if (rule.fine_cap_minor != no_limit) REQUIRE(fine <= rule.fine_cap_minor);
      before = fine;
    }
  }
}

}  // namespace
}  // namespace lumina::borrows
