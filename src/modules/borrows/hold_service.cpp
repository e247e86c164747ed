#include "modules/borrows/hold_service.hpp"

#include "modules/borrows/branch_repository.hpp"
#include "modules/borrows/forecast_service.hpp"
#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/hold_repository.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/repository.hpp"

namespace lumina::borrows {
namespace {

constexpr auto no_such_book = "Book not found";
constexpr auto no_such_person = "User not found";
constexpr auto no_such_hold = "Hold not found";
constexpr int due_batch = 100;

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

Failure fault(std::string_view field, std::string_view message, std::string_view type) {
  return invalid({{{"body", std::string(field)}, std::string(message), std::string(type)}});
}
Failure not_in_future(std::string_view field) { return fault(field, "must be in the future", "range"); }
Failure unknown_branch() {
  return fault("pickup_branch_id", "is no branch of this library", "unknown_branch");
}

// Why this person cannot wait for this book.
Status may_hold(db::Transaction& tx, UserId user, BookId book) {
  const auto active = tx.one<bool>("SELECT is_active FROM users WHERE id = $1 AND deleted_at IS NULL", user);
  if (!active) return not_found(no_such_person);
  if (!std::get<0>(*active))
    return fail(ErrorKind::forbidden, "account_inactive", "The account has been deactivated");
  if (tx.one<BorrowId>("SELECT id FROM borrows WHERE user_id = $1 AND book_id = $2 AND status <> 'returned'",
                       user, book))
    return fail(ErrorKind::refused, "active_borrow_exists",
                "You already have an active borrow for this book");
  return {};
}

Status suspend_step(db::Transaction& tx, HoldQueue& queue, const Hold& hold, std::optional<Timestamp> until,
                    std::string_view field, Timestamp now) {
  if (hold.status == HoldStatus::ready)
    return fail(ErrorKind::refused, "hold_ready", "A copy is kept already; pick it up or cancel the hold");
  if (until && *until <= now) return not_in_future(field);
  HoldRepository(tx).suspend(hold.id, until);
  queue.tell("hold.suspended", hold.id, hold.user_id, hold.book_id);
  return {};
}

void resume_step(db::Transaction& tx, HoldQueue& queue, const Hold& hold) {
  if (hold.status != HoldStatus::suspended) return;
  HoldRepository(tx).resume(hold.id);
  queue.tell("hold.resumed", hold.id, hold.user_id, hold.book_id);
}

Result<Page<Hold>> page_of(db::Transaction& tx, const HoldFilter& filter, bool with_user,
                           const PageRequest& page) {
  HoldRepository holds(tx);
  auto listing = holds.list(filter, with_user, page);
  if (listing.bad_cursor) return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  Page<Hold> out;
  out.total = holds.count(filter);
  out.items = std::move(listing.holds);
  out.next_cursor = std::move(listing.next_cursor);
  return out;
}

bool may_see(const Hold& hold, const Caller& by) {
  return hold.user_id == by.id() || by.can(Permission::loans_manage);
}

}  // namespace

Task<Result<Hold>> HoldService::place(BookId book, NewHold hold, Caller by) {
  if (hold.user_id && *hold.user_id != by.id() && !by.can(Permission::loans_manage))
    return ready<Hold>(fail(ErrorKind::forbidden, "forbidden", "Only librarians can act for somebody else"));
  return place_at_end(book, std::move(hold), std::move(by));
}

Task<Result<Hold>> HoldService::place_at_end(BookId book, NewHold hold, Caller by) {
  auto work = [this, book, &hold, &by](db::Transaction& tx) -> Result<Hold> {
    const UserId user = hold.user_id.value_or(by.id());
    const Timestamp now = clock_.now();
    if (rule_book_ != nullptr) {
      const auto rules = rule_book_->current(tx);
      if (auto may = check_hold(tx, *rules, user, book); !may) return Failure(std::move(may.error()));
    }
    HoldQueue queue(tx, journal_, rules_, now, by);
    BorrowRepository(tx).hold_borrower(user);  // nobody deletes the account meanwhile
    if (!queue.lock(book)) return not_found(no_such_book);
    if (auto may = may_hold(tx, user, book); !may) return Failure(std::move(may.error()));
    if (hold.expires_at && *hold.expires_at <= now) return not_in_future("expires_at");
    BranchRepository branches(tx);
    const auto branch =
        hold.pickup_branch_id ? branches.keep(*hold.pickup_branch_id) : branches.default_branch();
    if (!branch) return unknown_branch();
    HoldRepository holds(tx);
    const auto id = holds.insert(user, book, *branch, hold, now);
    if (!id) return fail(ErrorKind::refused, "hold_exists", "You are in line for this book already");
    queue.tell("hold.placed", *id, user, book);
    queue.settle(book);
    return *holds.find(*id, false);
  };
  auto placed = co_await database_.write(std::move(work));
  if (!placed || !forecasts_) co_return std::move(placed);
  // Not while writing: a forecast takes a moment. Without one the hold is placed all the same.
  auto look_ahead = [this, &placed](db::Transaction& tx) -> Result<Hold> {
    Hold hold = *placed;
    forecasts_->add_to(tx, hold);
    return hold;
  };
  auto foreseen = co_await database_.read(std::move(look_ahead));
  co_return foreseen ? std::move(foreseen) : std::move(placed);
}

Task<Result<Hold>> HoldService::find(HoldId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<Hold> {
    auto hold = HoldRepository(tx).find(id, by.can(Permission::loans_manage));
    if (!hold || !may_see(*hold, by)) return not_found(no_such_hold);
    if (forecasts_) forecasts_->add_to(tx, *hold);
    return std::move(*hold);
  };
  return database_.read(std::move(work));
}

Task<Result<Hold>> HoldService::alter(HoldId id, Step step, Caller by) {
  auto work = [this, id, step = std::move(step), by = std::move(by)](db::Transaction& tx) -> Result<Hold> {
    HoldRepository holds(tx);
    const Timestamp now = clock_.now();
    const bool staff = by.can(Permission::loans_manage);
    auto hold = holds.find(id, false);
    if (!hold || !may_see(*hold, by)) return not_found(no_such_hold);
    HoldQueue queue(tx, journal_, rules_, now, by);
    if (!queue.lock(hold->book_id)) return not_found(no_such_book);
    if (tx.postgresql()) hold = holds.find(id, false);
    if (hold->ended_at) return fail(ErrorKind::refused, "hold_ended", "This hold has ended");
    if (auto done = step(tx, queue, *hold, now); !done) return Failure(std::move(done.error()));
    queue.settle(hold->book_id);
    return *holds.find(id, staff);
  };
  return database_.write(std::move(work));
}

Task<Result<Hold>> HoldService::change(HoldId id, HoldChanges changes, Caller by) {
  using BranchState = schema::Patch<BranchId>::State;
  if (changes.pickup_branch_id.state == BranchState::null)
    return ready<Hold>(fault("pickup_branch_id", "must not be null", "type"));
  if (changes.suspended.state == schema::Patch<bool>::State::null)
    return ready<Hold>(fault("suspended", "must not be null", "type"));
  const bool until_named = changes.suspended_until.mentioned();
  if (until_named && changes.suspended.mentioned() && !changes.suspended.value)
    return ready<Hold>(fault("suspended_until", "says nothing for a hold that is not suspended", "value"));
  auto step = [changes = std::move(changes), until_named](db::Transaction& tx, HoldQueue& queue,
                                                          const Hold& hold, Timestamp now) -> Status {
    Hold next = hold;
    changes.pickup_branch_id.apply(next.pickup_branch_id);
    changes.expires_at.apply(next.expires_at);
    changes.note.apply(next.note);
    if (changes.pickup_branch_id.mentioned() && !BranchRepository(tx).keep(next.pickup_branch_id))
      return unknown_branch();
    if (changes.expires_at.mentioned() && next.expires_at && *next.expires_at <= now)
      return not_in_future("expires_at");
    HoldRepository(tx).set_details(next);
    if (until_named || (changes.suspended.mentioned() && changes.suspended.value)) {
      std::optional<Timestamp> until;
      changes.suspended_until.apply(until);
      if (auto done = suspend_step(tx, queue, hold, until, "suspended_until", now); !done) return done;
    } else if (changes.suspended.mentioned()) {
      resume_step(tx, queue, hold);
    }
    queue.tell("hold.updated", hold.id, hold.user_id, hold.book_id);
    return {};
  };
  return alter(id, std::move(step), std::move(by));
}

Task<Result<Hold>> HoldService::suspend(HoldId id, std::optional<Timestamp> until, Caller by) {
  auto step = [until](db::Transaction& tx, HoldQueue& queue, const Hold& hold, Timestamp now) {
    return suspend_step(tx, queue, hold, until, "until", now);
  };
  return alter(id, std::move(step), std::move(by));
}

Task<Result<Hold>> HoldService::resume(HoldId id, Caller by) {
  auto step = [](db::Transaction& tx, HoldQueue& queue, const Hold& hold, Timestamp) -> Status {
    resume_step(tx, queue, hold);
    return {};
  };
  return alter(id, std::move(step), std::move(by));
}

Task<Result<Hold>> HoldService::cancel(HoldId id, Caller by) {
  auto step = [](db::Transaction&, HoldQueue& queue, const Hold& hold, Timestamp) -> Status {
    queue.end(hold, HoldStatus::cancelled);
    return {};
  };
  return alter(id, std::move(step), std::move(by));
}

Task<Result<Hold>> HoldService::move(HoldId id, int position, Caller by) {
  auto step = [position](db::Transaction& tx, HoldQueue& queue, const Hold& hold, Timestamp) -> Status {
    HoldRepository(tx).move(hold.book_id, hold.id, position);
    queue.tell("hold.moved", hold.id, hold.user_id, hold.book_id);
    return {};
  };
  return alter(id, std::move(step), std::move(by));
}

Task<Result<Page<Hold>>> HoldService::own(UserId user, OwnHolds filter, PageRequest page) {
  auto work = [this, filter = HoldFilter{user, {}, {}, filter.status},
               page = std::move(page)](db::Transaction& tx) -> Result<Page<Hold>> {
    auto found = page_of(tx, filter, false, page);
    if (found && forecasts_)
      for (Hold& hold : found->items) forecasts_->add_to(tx, hold);
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Hold>>> HoldService::open(UserId user) {
  auto work = [this, user](db::Transaction& tx) {
    auto found = HoldRepository(tx).open_of(user);
    if (forecasts_)
      for (Hold& hold : found) forecasts_->add_to(tx, hold);
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Hold>>> HoldService::all(HoldFilter filter, PageRequest page) {
  auto work = [filter, page = std::move(page)](db::Transaction& tx) {
    return page_of(tx, filter, true, page);
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Hold>>> HoldService::line(BookId book) {
  auto work = [book](db::Transaction& tx) -> Result<std::vector<Hold>> {
    if (!tx.one<BookId>("SELECT id FROM books WHERE id = $1 AND deleted_at IS NULL", book))
      return not_found(no_such_book);
    return HoldRepository(tx).line(book);
  };
  return database_.read(std::move(work));
}

Task<Result<std::int64_t>> HoldService::settle_due() {
  const Caller scheduler = Caller::system("settle-holds");
  std::int64_t touched = 0;
  BookId last{};
  while (true) {
    auto find_due = [this, last](db::Transaction& tx) -> std::vector<BookId> {
      return HoldRepository(tx).due_books(clock_.now(), last, due_batch);
    };
    const auto books = co_await database_.read(std::move(find_due));
    if (!books) co_return Failure(books.error());
    for (const BookId book : *books) {
      auto work = [this, book, &scheduler](db::Transaction& tx) {
        HoldQueue queue(tx, journal_, rules_, clock_.now(), scheduler);
        queue.lock(book);
        queue.expire(book);
      };
      const auto done = co_await database_.write(std::move(work));
      if (!done) co_return Failure(done.error());
      ++touched;
      last = book;
    }
    if (books->size() < due_batch) co_return touched;
  }
}

}  // namespace lumina::borrows
