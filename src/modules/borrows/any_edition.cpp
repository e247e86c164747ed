// Waiting for any edition of a work.
#include "modules/borrows/branch_repository.hpp"
#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/hold_repository.hpp"
#include "modules/borrows/hold_service.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/repository.hpp"
#include "modules/borrows/rule_book.hpp"

#include <algorithm>

namespace lumina::borrows {
namespace {

std::vector<BookId> editions(db::Transaction& tx, books::WorkId work) {
  std::vector<BookId> all;
  tx.each<BookId>([&](BookId id) { all.push_back(id); },
                  "SELECT id FROM books WHERE work_id = $1 AND deleted_at IS NULL ORDER BY id", work);
  return all;
}

Status may_wait(db::Transaction& tx, UserId user, books::WorkId work) {
  const auto active = tx.one<bool>("SELECT is_active FROM users WHERE id = $1 AND deleted_at IS NULL", user);
  if (!active) return not_found("User not found");
  if (!std::get<0>(*active))
    return fail(ErrorKind::forbidden, "account_inactive", "The account has been deactivated");
  if (tx.one<BorrowId>(
          "SELECT o.id FROM borrows o JOIN books b ON b.id = o.book_id WHERE o.user_id = $1 AND b.work_id "
          "= $2 AND o.status <> 'returned'",
          user, work))
    return fail(ErrorKind::refused, "active_borrow_exists", "You already have an edition of this work");
  if (tx.one<HoldId>(
          "SELECT h.id FROM holds h JOIN books b ON b.id = h.book_id WHERE h.user_id = $1 AND b.work_id = $2 "
          "AND h.ended_at IS NULL",
          user, work))
    return fail(ErrorKind::refused, "hold_exists", "You are in line for an edition of this work already");
  return {};
}

}  // namespace

Task<Result<Hold>> HoldService::place_any(books::WorkId work, NewHold hold, Caller by) {
  if (hold.user_id && *hold.user_id != by.id() && !by.can(Permission::loans_manage))
    co_return fail(ErrorKind::forbidden, "forbidden", "Only librarians can act for somebody else");
  auto unit = [this, work, hold = std::move(hold), by = std::move(by)](db::Transaction& tx) -> Result<Hold> {
    const UserId user = hold.user_id.value_or(by.id());
    const Timestamp now = clock_.now();
    const auto all = editions(tx, work);
    if (all.empty()) return not_found("Work not found");
    if (rule_book_ != nullptr) {
      const auto rules = rule_book_->current(tx);
      if (auto may = check_hold(tx, *rules, user, all.front()); !may) return Failure(std::move(may.error()));
    }
    HoldQueue queue(tx, journal_, rules_, now, by);
    BorrowRepository(tx).hold_borrower(user);  // nobody deletes the account meanwhile
    for (const auto book : all)
      if (!queue.lock(book)) throw db::TryAgain("an edition was deleted meanwhile");
    if (auto may = may_wait(tx, user, work); !may) return Failure(std::move(may.error()));
    if (hold.expires_at && *hold.expires_at <= now)
      return invalid({{{"body", "expires_at"}, "must be in the future", "range"}});
    BranchRepository branches(tx);
    const auto branch =
        hold.pickup_branch_id ? branches.keep(*hold.pickup_branch_id) : branches.default_branch();
    if (!branch)
      return invalid({{{"body", "pickup_branch_id"}, "is no branch of this library", "unknown_branch"}});
    const auto group = std::get<0>(*tx.one<std::int64_t>(
        "INSERT INTO hold_groups (user_id, work_id, created_at) VALUES ($1, $2, $3) RETURNING id", user, work,
        now));
    HoldRepository holds(tx);
    std::vector<HoldId> placed;
    for (const auto book : all) {
      const auto id = holds.insert(user, book, *branch, hold, now);
      if (!id) return fail(ErrorKind::refused, "hold_exists", "You are in line for this book already");
      holds.join(*id, group);
      queue.tell("hold.placed", *id, user, book);
      placed.push_back(*id);
    }
    for (const auto book : all) queue.settle(book);
    std::vector<Hold> open;
    for (const auto id : placed)
      if (auto found = holds.find(id, false); found && !found->ended_at) open.push_back(std::move(*found));
    return *std::ranges::min_element(open, {}, [](const Hold& h) {
      return std::pair(h.status != HoldStatus::ready, h.position.value_or(0));
    });
  };
  co_return co_await database_.write(std::move(unit));
}

}  // namespace lumina::borrows
