// Lending: who may borrow what, when it is due, how it comes back.
//
// Public functions are awaited on an io thread; each is one unit of work, but for borrow and return on
// PostgreSQL: one statement for all who ask at that moment (loan_moves.hpp) and, when that lends nothing, a
// look at why, or when people are in line for the book, the settling of the line (hold_queue.hpp). A person
// for whom a copy is kept gets that one. Two people never get one copy: that is a unique index, and whoever
// loses the race is told what stands then. Every loan, return and renewal is journalled with its change.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/combiner.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/hold_model.hpp"
#include "modules/borrows/loan_moves.hpp"
#include "modules/borrows/model.hpp"
#include "modules/borrows/policy.hpp"
#include "modules/borrows/rule_book.hpp"

namespace lumina::borrows {

struct Standing;

class BorrowService {
 public:
  BorrowService(db::Database& database, const Clock& clock, events::Journal& journal, RuleBook& rules,
                HoldRules hold_rules = {});

  // What the body says goes before the query. Staff may name another person.
  Task<Result<Borrow>> borrow(BookId book, const LoanTerms& query, const LoanTerms& body, Caller by);
  Task<Result<Borrow>> give_back(BookId book, const ReturnTerms& query, const ReturnTerms& body, Caller by);
  // One's own loan; staff may renew anybody's.
  Task<Result<Borrow>> renew(BorrowId id, Caller by);

  // What renewing would answer now.
  Task<Result<RenewalPreview>> preview_renewal(BorrowId id, Caller by);
  // Whether borrowing would succeed now, and if not, everything that stands against it.
  Task<Result<Preview>> preview(PreviewRequest request, Caller by);

  Task<Result<Page<Borrow>>> own(UserId user, OwnLoans filter, PageRequest page);
  Task<Result<BorrowHistory>> history(UserId user, HistoryPart part);
  Task<Result<Page<Borrow>>> all(LoanFilter filter, PageRequest page);
  // Longest overdue first.
  Task<Result<Page<Borrow>>> overdue(LoanFilter filter, PageRequest page);
  Task<Result<Availability>> availability(BookId book);

  // For the desk's units of work (copy_lending.cpp).
  struct CopyLoan {
    UserId user;
    CopyId copy;
    Timestamp at;                       // of the loan: now, or when a desk without a connection made it
    std::optional<Timestamp> due_date;  // otherwise as the rules say
    std::optional<std::string> override_reason;  // sets aside limits and blocks, and somebody else's hold
  };
  // Lends this very copy. Refused with on_loan, on_hold_for_other or copy_unavailable, or as borrow() is.
  Result<Borrow> lend_copy(db::Transaction& tx, const CopyLoan& loan, const Caller& by);
  // Ends the loan of this copy, whoever has it. Refused with not_on_loan.
  Result<Borrow> close_copy(db::Transaction& tx, const Copy& copy, Timestamp at, const Caller& by);
  // What keeps a person from borrowing anything at present.
  std::vector<Error> blocks(db::Transaction& tx, UserId user);

  // The daily job: stores and tells ("borrow.overdue") what became overdue; gives how many. Safe to run at
  // any time and in several processes at once.
  Task<Result<std::int64_t>> mark_overdue();

 private:
  struct Request;
  Task<Result<Borrow>> lend_in_turn(Request request, Caller by);
  Task<Result<Borrow>> lend_at_once(Request request, Caller by);
  Task<Result<Borrow>> take_back(BookId book, UserId user, Caller by);
  Task<Result<Borrow>> take_back_in_turn(BookId book, UserId user, Caller by);
  Task<Result<Borrow>> take_back_at_once(BookId book, UserId user, Caller by);
  Task<Status> settle_line(BookId book, std::optional<CopyId> came_back, Caller by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  RuleBook& rules_;
  const HoldRules hold_rules_;
  db::Combiner<LoanMove, std::optional<Moved>> moves_;  // PostgreSQL
};

}  // namespace lumina::borrows
