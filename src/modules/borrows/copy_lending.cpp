// Lending and taking back one very copy, inside the desk's units of work.
#include "modules/borrows/circulation_events.hpp"
#include "modules/borrows/copy_repository.hpp"
#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/ledger_charges.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/repository.hpp"
#include "modules/borrows/service.hpp"

#include <fmt/format.h>

namespace lumina::borrows {
namespace {

constexpr auto no_such_copy = "Copy not found";

// Limits and blocks are the library's own; that an account is closed or the person has the book already is
// not.
bool can_be_overridden(const Error& error) {
  return error.kind == ErrorKind::forbidden && error.code != "account_inactive";
}

events::Change about(std::string_view type, BorrowId id, std::optional<UserId> user, BookId book) {
  return {.type = type, .resource = "borrow", .resource_id = id.value, .subject = user, .book = book};
}

}  // namespace

Result<Borrow> BorrowService::lend_copy(db::Transaction& tx, const CopyLoan& loan, const Caller& by) {
  CopyRepository copies(tx);
  const auto copy = copies.find(loan.copy);
  if (!copy) return not_found(no_such_copy);
  const BookId book = copy->book_id;
  BorrowRepository loans(tx);
  loans.hold_borrower(loan.user);
  HoldQueue queue(tx, journal_, hold_rules_, clock_.now(), by);
  if (!queue.lock(book)) return not_found(no_such_copy);
  const auto state = copies.state(loan.copy);
  if (!state) return not_found(no_such_copy);
  const auto rules = rules_.current(tx);
  auto check = check_lending(tx, *rules, {book, loan.user, {}, loan.copy}, clock_.now());
  std::vector<std::string> overridden;
  for (Error& reason : check.reasons) {
    if (reason.code == "already_borrowed") continue;  // told more precisely below
    if (!loan.override_reason || !can_be_overridden(reason)) return Failure(std::move(reason));
    overridden.push_back(std::move(reason.code));
  }
  auto& standing = check.standing;
  if (state->loan) return fail(ErrorKind::refused, "on_loan", "This copy is on loan; take it back first");
  if (state->stored == CopyStatus::on_hold) {
    const auto kept_for = HoldRepository(tx).ready_for(loan.copy);
    if (kept_for && kept_for->user != loan.user) {
      if (!loan.override_reason)
        return fail(ErrorKind::refused, "on_hold_for_other", "This copy is kept for somebody else");
      overridden.emplace_back("on_hold_for_other");
      HoldRepository(tx).unready(loan.copy);
      queue.tell("hold.waiting", kept_for->id, kept_for->user, book);
    }
    queue.release(book, loan.copy);
  } else if (state->stored != CopyStatus::available) {
    return fail(ErrorKind::refused, "copy_unavailable",
                fmt::format("This copy is {}; take it back into circulation first",
                            copy_status_names[static_cast<std::size_t>(state->stored)]));
  }
  const auto& calendar = rules->calendar(check.kind.branch_id);
  const NewBorrow made{loan.user, book, loan.at,
                       loan.due_date.value_or(calendar.due(due_after(loan.at, check.rule.loan_period_days)))};
  const auto id = loans.insert(made, loan.copy);
  if (!id) return fail(ErrorKind::refused, "on_loan", "This copy is on loan; take it back first");
  if (check.rule_version > 0)
    RuleRepository(tx).stamp_loan(*id, check.rule_version, check.rule_id, made.due_date);
  journal_.record(tx, by, about("borrow.created", *id, loan.user, book));
  for (const auto& code : overridden) {
    auto change = about("circulation.overridden", *id, loan.user, book);
    change.payload = override_payload(code, *loan.override_reason);
    journal_.record(tx, by, change);
  }
  if (standing->holds_open > 0) queue.settle(book);
  Borrow borrow;
  borrow.id = *id;
  borrow.user_id = loan.user;
  borrow.book_id = book;
  borrow.copy_id = loan.copy;
  borrow.borrow_date = made.borrow_date;
  borrow.due_date = made.due_date;
  borrow.book = {book, std::move(standing->title), std::move(standing->author)};
  show_as_of(borrow, clock_.now());
  return borrow;
}

Result<Borrow> BorrowService::close_copy(db::Transaction& tx, const Copy& copy, Timestamp at,
                                         const Caller& by) {
  HoldQueue queue(tx, journal_, hold_rules_, clock_.now(), by);
  if (!queue.lock(copy.book_id)) return not_found(no_such_copy);
  const auto state = CopyRepository(tx).state(copy.id);
  auto closed = state && state->borrower ? BorrowRepository(tx).close(*state->borrower, copy.book_id, at)
                                         : std::optional<Moved>();
  if (!closed) return fail(ErrorKind::refused, "not_on_loan", "This copy is not on loan");
  if (closed->loan.borrow_date > at)
    return fail(ErrorKind::refused, "before_loan", "The copy was lent after that time");
  journal_.record(tx, by, about("borrow.returned", closed->loan.id, closed->loan.user_id, copy.book_id));
  if (rules_.may_charge() && closed->loan.due_date < at)
    settle_return(tx, journal_, by, *rules_.current(tx), closed->loan.id, at);
  if (closed->unsettled()) queue.came_back(copy.book_id, copy.id);
  return std::move(closed->loan);
}

}  // namespace lumina::borrows
