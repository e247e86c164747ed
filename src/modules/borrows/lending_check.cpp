#include "modules/borrows/lending_check.hpp"

#include "modules/borrows/hold_repository.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {
namespace {

Error forbidden(std::string code, std::string detail) {
  return Error{ErrorKind::forbidden, std::move(code), std::move(detail), {}, 0};
}
Error refused(std::string code, std::string detail) {
  return Error{ErrorKind::refused, std::move(code), std::move(detail), {}, 0};
}

std::string books(std::int64_t n) { return n == 1 ? "1 book" : fmt::format("{} books", n); }

void append_blocks(std::vector<Error>& reasons, const BorrowerState& state, const RuleChoice& choice,
                   Timestamp now) {
  for (auto& block : blocks_against(state, choice, now))
    reasons.push_back(forbidden("blocked", std::move(block.detail)));
}

}  // namespace

std::vector<Error> refusals(const BorrowerState& state, const RuleSet& rules, const RuleChoice& choice,
                            const CopyKind& kind, Timestamp now) {
  std::vector<Error> reasons;
  const auto overall = rules.choose(state.category, {});
  const auto open = static_cast<std::int64_t>(state.loans.size());
  if (const int most = overall.values.max_loans; most != no_limit && open >= most) {
    reasons.push_back(
        forbidden("loan_limit", fmt::format("The limit of {} at a time is reached", books(most))));
  } else if (const Rule* row = choice.source(&Rule::max_loans);
             row != nullptr && (row->item_type || row->branch_id)) {
    // A row for a type or branch limits what a person has of that type or branch.
    const auto of_this_kind = std::ranges::count_if(state.loans, [&](const BorrowerState::Open& loan) {
      return (!row->item_type || loan.kind.item_type == row->item_type) &&
             (!row->branch_id || loan.kind.branch_id == row->branch_id);
    });
    if (const int kind_most = choice.values.max_loans; kind_most != no_limit && of_this_kind >= kind_most)
      reasons.push_back(
          forbidden("loan_limit", fmt::format("The limit of {}{} at a time is reached", books(kind_most),
                                              kind.item_type ? " of the type " + *kind.item_type : "")));
  }
  append_blocks(reasons, state, choice, now);
  return reasons;
}

std::vector<BlockReason> blocks_against(const BorrowerState& state, const RuleChoice& choice, Timestamp now) {
  using enum BlockReason::Kind;
  std::vector<BlockReason> reasons;
  for (const auto& reason : state.blocks) reasons.push_back({manual, "Blocked by the library: " + reason});
  if (const auto most = choice.values.max_fine_balance_minor; most != no_limit && state.balance_minor > most)
    reasons.push_back(
        {fines, fmt::format("Blocked by fines: {} are owed, in minor units of the currency, and at most {} "
                            "may be",
                            state.balance_minor, most)});
  const auto overdue_loans = std::ranges::count_if(
      state.loans, [&](const BorrowerState::Open& loan) { return loan.due_date < now; });
  if (const int from = choice.values.overdue_block; from != no_limit && overdue_loans >= from)
    reasons.push_back(
        {overdue, fmt::format("Blocked by overdue loans: {} must come back", books(overdue_loans))});
  return reasons;
}

LendingCheck check_lending(db::Transaction& tx, const RuleBook::Snapshot& rules,
                           const LendingQuestion& question, Timestamp now) {
  LendingCheck check;
  RuleRepository repository(tx);
  check.standing = BorrowRepository(tx).standing(question.book, question.user);
  const auto& standing = check.standing;
  const auto& copy = question.copy ? question.copy : standing ? standing->copy() : std::nullopt;
  const RuleSet& set = *rules.in_force;
  check.rule_version = set.version();

  BorrowerState state;
  const bool looks_at_person =
      !set.empty() || rules.any_blocks || set.choose({}, {}).values.max_loans != no_limit;
  if (looks_at_person) state = repository.borrower_state(question.user);
  if (copy && (!set.empty() || !rules.calendars.empty())) check.kind = repository.kind_of(*copy);
  const auto choice = set.choose(state.category, check.kind);
  check.rule = choice.values;
  check.rule_id = choice.rule_id();
  const auto planned = due_after(now, question.days.value_or(choice.values.loan_period_days));
  check.due_date = rules.calendar(check.kind.branch_id).due(planned);

  if (!standing) {
    check.reasons.push_back(Error{ErrorKind::not_found, "not_found", "Book not found", {}, 0});
    return check;
  }
  if (!standing->borrower_active) {
    check.reasons.push_back(Error{ErrorKind::not_found, "not_found", "User not found", {}, 0});
    return check;
  }
  if (!*standing->borrower_active)
    check.reasons.push_back(forbidden("account_inactive", "The account has been deactivated"));
  if (standing->own_loan)
    check.reasons.push_back(
        refused("active_borrow_exists", "You already have an active borrow for this book"));
  if (looks_at_person)
    for (auto& reason : refusals(state, set, choice, check.kind, now))
      check.reasons.push_back(std::move(reason));
  const bool lendable = question.copy
                            ? standing->held_copy == question.copy || repository.is_free(*question.copy)
                            : standing->copy().has_value();
  if (!lendable) check.reasons.push_back(refused("already_borrowed", "Book is already borrowed"));
  return check;
}

RenewalCheck check_renewal(db::Transaction& tx, const RuleBook::Snapshot& rules, const Borrow& loan,
                           Timestamp now) {
  RenewalCheck check;
  RuleRepository repository(tx);
  const RuleSet& set = *rules.in_force;
  const bool looks_at_person = !set.empty() || rules.any_blocks;
  BorrowerState state;
  CopyKind kind;
  if (looks_at_person) state = repository.borrower_state(loan.user_id.value_or(UserId{}));
  if (!set.empty() || !rules.calendars.empty()) kind = repository.kind_of(loan.copy_id);
  const auto choice = set.choose(state.category, kind);
  check.rule = choice.values;
  check.rule_version = set.version();
  check.rule_id = choice.rule_id();
  check.due_date = loan.due_date;
  const auto due = renewed_due_date(loan, choice.values, now);
  if (!due) check.reasons.push_back(due.error());
  if (!loan.return_date && HoldRepository(tx).somebody_waits(loan.book_id))
    check.reasons.push_back(refused("on_hold", "Somebody waits for this book; please return it in time"));
  if (looks_at_person && !loan.return_date) append_blocks(check.reasons, state, choice, now);
  if (check.allowed()) check.due_date = rules.calendar(kind.branch_id).due(*due);
  return check;
}

Status check_hold(db::Transaction& tx, const RuleBook::Snapshot& rules, UserId user, BookId book) {
  const RuleSet& set = *rules.in_force;
  if (set.empty()) return {};
  RuleRepository repository(tx);
  repository.hold_person(user);
  const auto category = repository.borrower_state(user).category;
  const auto values = set.choose(category, repository.kind_of_book(book)).values;
  if (!values.holds_allowed)
    return Failure(forbidden("holds_not_allowed", "The rules of the library allow no holds on this"));
  const int most = set.choose(category, {}).values.max_holds;
  if (most != no_limit && repository.open_holds(user) >= most)
    return Failure(forbidden("hold_limit", fmt::format("The limit of {} holds at a time is reached", most)));
  return {};
}

}  // namespace lumina::borrows
