// What other rules would have done: the library's real loans of some past days, lent again under proposed
// rules.
//
// The same functions decide as at the desk. People's category and copies' kinds are those of today; nobody is
// taken to have paid a fine within the days; a loan that is refused is not lent, so it does not count against
// later ones; whoever renewed does so again when the old due date comes. Loans of the time before that were
// still open count against limits. Waits are those of holds that a returned copy ended: a copy is taken to
// come back as long before or after its due date as it did, and at once when its loan would not have been
// made.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/borrows/rule_book.hpp"
#include "modules/borrows/rule_model.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

struct SimulationRequest {
  std::vector<Rule> rules;
  std::optional<int> days;  // 1..3650, default 90
  static constexpr std::string_view type_name = "SimulationRequest";
  static std::vector<schema::Field> fields();
};
struct RefusalCount {
  std::string code;
  std::optional<std::string> category;
  std::int64_t loans = 0;
  static constexpr std::string_view type_name = "RefusalCount";
  static std::vector<schema::Field> fields();
};
struct SimulatedOutcome {
  std::int64_t loans_lent = 0, loans_refused = 0;
  std::vector<RefusalCount> refusals;  // by first reason and category
  std::int64_t loans_fined = 0, fines_minor = 0;
  std::int64_t renewals_refused = 0;
  double mean_loan_days = 0;  // from lending to the due date, renewals included
  std::int64_t holds_waited = 0;
  double mean_wait_days = 0, longest_wait_days = 0;
  static constexpr std::string_view type_name = "SimulatedOutcome";
  static std::vector<schema::Field> fields();
};
struct SimulationReport {
  Timestamp from, to;
  std::int64_t loans_seen = 0;
  std::int64_t loans_without_borrower = 0;  // their history was cut: limits could not be tried on them
  SimulatedOutcome in_force, proposed;
  static constexpr std::string_view type_name = "SimulationReport";
  static std::vector<schema::Field> fields();
};

// Pure: lends again, in the order of lending.
class Simulation {
 public:
  Simulation(const RuleSet& rules, const RuleBook::Snapshot& calendars, Timestamp from, Timestamp now)
      : rules_(rules), calendars_(calendars), from_(from), now_(now) {}
  // Before lend(): who waited for the copies.
  void expect(const std::vector<PastWait>& waits);
  void lend(const PastLoan& loan);
  SimulatedOutcome outcome() const;

 private:
  struct Lent {
    CopyKind kind;
    Timestamp due;
    std::optional<Timestamp> returned;
    RuleValues rule;
  };
  struct Person {
    std::vector<Lent> open;
    std::int64_t fines = 0;  // of what came back
  };
  std::int64_t fine_of(const Lent& lent, Timestamp at) const;
  // The copy of this loan came back so much later than it did; nothing: it never was lent.
  void end_waits(const PastLoan& loan, std::optional<std::int64_t> later_ms);

  const RuleSet& rules_;
  const RuleBook::Snapshot& calendars_;
  Timestamp from_, now_;
  std::map<UserId, Person> people_;
  std::map<std::pair<std::string, std::optional<std::string>>, std::int64_t> refusals_;
  SimulatedOutcome sums_;
  std::map<BorrowId, std::vector<PastWait>> waits_;
  double loan_days_ = 0, wait_days_ = 0;
};

class SimulationService {
 public:
  SimulationService(db::Database& database, const Clock& clock, RuleBook& rules)
      : database_(database), clock_(clock), rules_(rules) {}
  // Changes nothing. Runs on a reading connection; loans are read one after the other.
  Task<Result<SimulationReport>> simulate(SimulationRequest request);

 private:
  db::Database& database_;
  const Clock& clock_;
  RuleBook& rules_;
};

}  // namespace lumina::borrows
