#include "modules/borrows/simulation.hpp"

#include "modules/borrows/fine.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/policy.hpp"
#include "modules/borrows/rule_repository.hpp"
#include "modules/borrows/rule_service.hpp"

#include <algorithm>

namespace lumina::borrows {

using schema::Field;

namespace {

constexpr int default_days = 90;
constexpr double day_ms = 86'400'000;

}  // namespace

std::vector<Field> SimulationRequest::fields() {
  return {{"rules",
           &SimulationRequest::rules,
           "The proposed rules, as they would be put",
           {schema::items(0, 1000)}},
          {"days",
           &SimulationRequest::days,
           "Loans of so many last days (default 90)",
           {schema::range(1, 3650)}}};
}
std::vector<Field> RefusalCount::fields() {
  return {{"code", &RefusalCount::code, "The reason that borrowing would have answered"},
          {"category", &RefusalCount::category, "Patron category"},
          {"loans", &RefusalCount::loans, "How many loans"}};
}
std::vector<Field> SimulatedOutcome::fields() {
  return {{"loans_lent", &SimulatedOutcome::loans_lent, "Loans that would have been made"},
          {"loans_refused", &SimulatedOutcome::loans_refused, "Loans that would have been refused"},
          {"refusals", &SimulatedOutcome::refusals, "These, by reason and category"},
          {"loans_fined", &SimulatedOutcome::loans_fined, "Loans that would have cost a fine"},
          {"fines_minor", &SimulatedOutcome::fines_minor, "All fines, in minor units"},
          {"renewals_refused", &SimulatedOutcome::renewals_refused, "Renewals over the limit"},
          {"mean_loan_days", &SimulatedOutcome::mean_loan_days, "From lending to the due date, on average"},
          {"holds_waited", &SimulatedOutcome::holds_waited, "Holds that waited for one of these copies"},
          {"mean_wait_days", &SimulatedOutcome::mean_wait_days, "How long these waited, on average"},
          {"longest_wait_days", &SimulatedOutcome::longest_wait_days, "The longest of these waits"}};
}
std::vector<Field> SimulationReport::fields() {
  return {{"from", &SimulationReport::from, "Loans from this time on"},
          {"to", &SimulationReport::to, "Until this time"},
          {"loans_seen", &SimulationReport::loans_seen, "How many loans were lent again"},
          {"loans_without_borrower", &SimulationReport::loans_without_borrower,
           "Of these, loans whose history was cut: limits could not be tried on them"},
          {"in_force", &SimulationReport::in_force, "Under the rules in force"},
          {"proposed", &SimulationReport::proposed, "Under the proposed rules"}};
}

std::int64_t Simulation::fine_of(const Lent& lent, Timestamp at) const {
  const Timestamp end = lent.returned ? std::min(*lent.returned, at) : at;
  return overdue_fine(lent.rule, calendars_.calendar(lent.kind.branch_id), lent.due, end);
}

void Simulation::expect(const std::vector<PastWait>& waits) {
  for (const auto& wait : waits) waits_[wait.loan].push_back(wait);
}

void Simulation::end_waits(const PastLoan& loan, std::optional<std::int64_t> later_ms) {
  const auto found = waits_.find(loan.id);
  if (found == waits_.end()) return;
  for (const auto& wait : found->second) {
    // Nobody waits less than nothing, and no copy comes back before it was lent.
    const std::int64_t ready =
        later_ms ? std::max(wait.ready.ms + *later_ms, loan.borrowed.ms) : wait.placed.ms;
    const double days = static_cast<double>(std::max<std::int64_t>(0, ready - wait.placed.ms)) / day_ms;
    ++sums_.holds_waited;
    wait_days_ += days;
    sums_.longest_wait_days = std::max(sums_.longest_wait_days, days);
  }
}

void Simulation::lend(const PastLoan& loan) {
  const bool counts = loan.borrowed >= from_;
  const auto choice = rules_.choose(loan.category, loan.kind);
  Person nobody;
  Person& person = loan.user ? people_[*loan.user] : nobody;
  std::erase_if(person.open, [&](const Lent& lent) {
    const bool back = lent.returned && *lent.returned <= loan.borrowed;
    if (back) person.fines += fine_of(lent, loan.borrowed);
    return back;
  });

  if (counts && loan.user) {
    BorrowerState state;
    state.category = loan.category;
    state.balance_minor = person.fines;
    for (const Lent& lent : person.open) {
      state.loans.push_back({lent.kind, lent.due});
      state.balance_minor += fine_of(lent, loan.borrowed);
    }
    const auto reasons = refusals(state, rules_, choice, loan.kind, loan.borrowed);
    if (!reasons.empty()) {
      ++sums_.loans_refused;
      ++refusals_[{reasons.front().code, loan.category}];
      end_waits(loan, std::nullopt);
      return;
    }
  }
  const Calendar& calendar = calendars_.calendar(loan.kind.branch_id);
  Lent lent{loan.kind, calendar.due(due_after(loan.borrowed, choice.values.loan_period_days)), loan.returned,
            choice.values};
  const int renewed = std::min(loan.renewals, choice.values.max_renewals);
  for (int i = 0; i < renewed; ++i)
    lent.due = calendar.due(due_after(lent.due, choice.values.renewal_period_days));
  person.open.push_back(lent);
  end_waits(loan, lent.due.ms - loan.due.ms);
  if (!counts) return;
  ++sums_.loans_lent;
  sums_.renewals_refused += loan.renewals - renewed;
  loan_days_ += static_cast<double>(lent.due.ms - loan.borrowed.ms) / day_ms;
  if (const auto fine = fine_of(lent, now_); fine > 0) {
    ++sums_.loans_fined;
    sums_.fines_minor += fine;
  }
}

SimulatedOutcome Simulation::outcome() const {
  SimulatedOutcome out = sums_;
  for (const auto& [reason, loans] : refusals_) out.refusals.push_back({reason.first, reason.second, loans});
  if (out.loans_lent > 0) out.mean_loan_days = loan_days_ / static_cast<double>(out.loans_lent);
  if (out.holds_waited > 0) out.mean_wait_days = wait_days_ / static_cast<double>(out.holds_waited);
  return out;
}

Task<Result<SimulationReport>> SimulationService::simulate(SimulationRequest request) {
  auto work = [this, request = std::move(request)](db::Transaction& tx) -> Result<SimulationReport> {
    if (auto faults = rule_faults(tx, request.rules); !faults.empty()) return invalid(std::move(faults));
    const auto snapshot = rules_.current(tx);
    const RuleSet proposed(snapshot->in_force->version() + 1, request.rules, rules_.defaults());
    SimulationReport report;
    report.to = clock_.now();
    report.from = report.to - std::chrono::hours(24) * request.days.value_or(default_days);
    Simulation now(*snapshot->in_force, *snapshot, report.from, report.to);
    Simulation then(proposed, *snapshot, report.from, report.to);
    const auto waits = RuleRepository(tx).past_waits(report.from);
    now.expect(waits);
    then.expect(waits);
    RuleRepository(tx).past_loans(report.from, [&](const PastLoan& loan) {
      if (loan.borrowed >= report.from) {
        ++report.loans_seen;
        report.loans_without_borrower += loan.user ? 0 : 1;
      }
      now.lend(loan);
      then.lend(loan);
    });
    report.in_force = now.outcome();
    report.proposed = then.outcome();
    return report;
  };
  return database_.read(std::move(work));
}

}  // namespace lumina::borrows
