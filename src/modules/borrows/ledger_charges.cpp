#include "modules/borrows/ledger_charges.hpp"

#include "modules/borrows/fine.hpp"
#include "modules/borrows/policy.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <fmt/format.h>

namespace lumina::borrows {
namespace {

events::Change about(std::string_view type, const LedgerRepository::LateLoan& loan, std::string_view kind,
                     std::int64_t amount) {
  return {.type = type,
          .resource = "borrow",
          .resource_id = loan.id.value,
          .subject = loan.user,
          .payload = fmt::format(R"({{"amount_minor":{},"kind":"{}"}})", amount, kind)};
}

}  // namespace

std::int64_t charge_overdue(db::Transaction& tx, events::Journal& journal, const Caller& by,
                            const RuleBook::Snapshot& rules, const LedgerRepository::LateLoan& loan,
                            Timestamp until) {
  const RuleSet& set = rules.of_version(loan.rule_version);
  if (!set.charges()) return 0;
  const auto kind = RuleRepository(tx).kind_of(loan.copy);
  const auto choice = set.choose(loan.category, kind);
  const auto amount = overdue_fine(choice.values, rules.calendar(kind.branch_id), loan.due_date, until);
  if (amount == 0) return 0;
  const auto difference = LedgerRepository(tx).charge_up_to(loan, FineKind::overdue, amount, until);
  if (difference > 0) journal.record(tx, by, about("fine.charged", loan, "overdue", difference));
  return difference;
}

std::int64_t charge_lost(db::Transaction& tx, events::Journal& journal, const Caller& by,
                         const RuleBook::Snapshot& rules, const LedgerRepository::LateLoan& loan,
                         Timestamp now) {
  const RuleSet& set = rules.of_version(loan.rule_version);
  const auto kind = RuleRepository(tx).kind_of(loan.copy);
  const auto price = set.choose(loan.category, kind).values.replacement_cost_minor;
  if (price == 0) return 0;
  const auto charged = LedgerRepository(tx).charge_up_to(loan, FineKind::lost, price, now);
  if (charged > 0) journal.record(tx, by, about("fine.charged", loan, "lost", charged));
  return charged;
}

void settle_return(db::Transaction& tx, events::Journal& journal, const Caller& by,
                   const RuleBook::Snapshot& rules, BorrowId id, Timestamp now) {
  LedgerRepository ledger(tx);
  const auto loan = ledger.loan(id);
  if (!loan || loan->rule_version == 0) return;
  const auto lost = ledger.fine_of_loan(id, FineKind::lost);
  if (!lost) {
    charge_overdue(tx, journal, by, rules, *loan, now);
    return;
  }
  const auto kind = RuleRepository(tx).kind_of(loan->copy);
  const int days = rules.of_version(loan->rule_version).choose(loan->category, kind).values.lost_credit_days;
  const bool in_time = days == no_limit || (days > 0 && now <= due_after(lost->created_at, days));
  if (in_time && lost->outstanding_minor > 0 &&
      ledger.settle(*lost, LineKind::credit, lost->outstanding_minor, "The copy came back", by.user, now))
    journal.record(tx, by, about("fine.credited", *loan, "lost", lost->outstanding_minor));
}

}  // namespace lumina::borrows
