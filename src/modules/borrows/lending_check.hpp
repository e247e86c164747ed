// Whether somebody may borrow a book now, on which terms, and everything that stands against it.
//
// One function for borrowing and for asking beforehand, so that they agree: borrowing refuses with the first
// reason.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/db/transaction.hpp"
#include "modules/borrows/repository.hpp"
#include "modules/borrows/rule_book.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lumina::borrows {

struct LendingCheck {
  std::optional<Standing> standing;
  std::vector<Error> reasons;  // in the order in which they are worth saying
  std::int64_t rule_version = 0;
  std::optional<std::int64_t> rule_id;
  RuleValues rule;
  CopyKind kind;  // of the copy that was looked at
  Timestamp due_date;
  bool allowed() const { return reasons.empty(); }
};

struct LendingQuestion {
  BookId book;
  UserId user;
  std::optional<int> days;     // as asked for; default: the rule's
  std::optional<CopyId> copy;  // this very copy; default: any free one
};

LendingCheck check_lending(db::Transaction& tx, const RuleBook::Snapshot& rules,
                           const LendingQuestion& question, Timestamp now);

struct RenewalCheck {
  std::vector<Error> reasons;
  std::int64_t rule_version = 0;
  std::optional<std::int64_t> rule_id;
  RuleValues rule;
  Timestamp due_date;  // after the renewal; the present one when refused
  bool allowed() const { return reasons.empty(); }
};
// Whether this loan may be renewed now. Renewing takes the rules in force; limits of loans do not count,
// blocks do.
RenewalCheck check_renewal(db::Transaction& tx, const RuleBook::Snapshot& rules, const Borrow& loan,
                           Timestamp now);

// Whether the rules let this person wait for this book. On PostgreSQL the person is locked where there are
// rules, so that two holds placed at once do not pass the limit together.
Status check_hold(db::Transaction& tx, const RuleBook::Snapshot& rules, UserId user, BookId book);

// Why the rules refuse this person this kind of copy. Pure.
std::vector<Error> refusals(const BorrowerState& state, const RuleSet& rules, const RuleChoice& choice,
                            const CopyKind& kind, Timestamp now);
// The part of it that also stands against renewals: staff's blocks, debts, overdue books.
struct BlockReason {
  enum class Kind : std::uint8_t { manual, fines, overdue };
  Kind kind;
  std::string detail;
};
std::vector<BlockReason> blocks_against(const BorrowerState& state, const RuleChoice& choice, Timestamp now);

}  // namespace lumina::borrows
