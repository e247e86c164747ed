#include "modules/borrows/desk_service.hpp"

#include "modules/borrows/branch_repository.hpp"
#include "modules/borrows/copy_repository.hpp"
#include "modules/borrows/desk_repository.hpp"
#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/repository.hpp"

#include <algorithm>

namespace lumina::borrows {
namespace {

using namespace std::chrono_literals;

// Clocks of desks may be a little fast.
constexpr auto clock_tolerance = 5min;

Failure unknown_barcode() {
  return fail(ErrorKind::not_found, "unknown_barcode", "No copy has this barcode");
}
Failure unknown_patron() {
  return fail(ErrorKind::not_found, "unknown_patron", "No person has this id, e-mail address or card");
}

// Whether it was out of circulation in a way that turning up at the desk ends.
bool found_again(CopyStatus stored) {
  return stored == CopyStatus::lost || stored == CopyStatus::missing ||
         stored == CopyStatus::claimed_returned;
}

}  // namespace

Result<Borrow> DeskService::lend(db::Transaction& tx, const Checkout& checkout, Timestamp at,
                                 const Caller& by) {
  const auto person = DeskRepository(tx).find_patron(checkout.patron);
  if (!person) return unknown_patron();
  const auto copy = CopyRepository(tx).find_by_barcode(checkout.barcode);
  if (!copy) return unknown_barcode();
  return loans_.lend_copy(tx, {person->id, copy->id, at, checkout.due_date, checkout.override_reason}, by);
}

Task<Result<Borrow>> DeskService::checkout(Checkout checkout, Caller by) {
  auto work = [this, checkout = std::move(checkout),
               by = std::move(by)](db::Transaction& tx) -> Result<Borrow> {
    const Timestamp now = clock_.now();
    if (checkout.due_date &&
        (*checkout.due_date <= now || *checkout.due_date > now + std::chrono::days(longest_desk_loan_days)))
      return invalid({{{"body", "due_date"}, "must be in the future, at most a year", "range"}});
    return lend(tx, checkout, now, by);
  };
  return database_.write(std::move(work));
}

Result<CheckedIn> DeskService::take_back(db::Transaction& tx, const Checkin& checkin, Timestamp at,
                                         const Caller& by) {
  CopyRepository copies(tx);
  const auto copy = copies.find_by_barcode(checkin.barcode);
  if (!copy) return unknown_barcode();
  if (checkin.branch_id && !BranchRepository(tx).keep(*checkin.branch_id))
    return invalid({{{"body", "branch_id"}, "is no branch of this library", "unknown_branch"}});
  CheckedIn out;
  auto closed = loans_.close_copy(tx, *copy, at, by);
  if (closed) {
    out.borrow = std::move(*closed);
  } else {
    const auto state = copies.state(copy->id);
    if (closed.error().code != "not_on_loan" || !state || !found_again(state->stored))
      return Failure(std::move(closed.error()));
    HoldQueue(tx, journal_, rules_, clock_.now(), by).came_back(copy->book_id, copy->id);
  }
  HoldRepository holds(tx);
  if (const auto kept = holds.ready_for(copy->id)) out.hold = holds.find(kept->id, true);
  out.copy = *copies.find(copy->id);
  return out;
}

Task<Result<CheckedIn>> DeskService::checkin(Checkin checkin, Caller by) {
  auto work = [this, checkin = std::move(checkin), by = std::move(by)](db::Transaction& tx) {
    return take_back(tx, checkin, clock_.now(), by);
  };
  return database_.write(std::move(work));
}

Task<Result<PatronSummary>> DeskService::patron(std::string who) {
  auto work = [this, who = std::move(who)](db::Transaction& tx) -> Result<PatronSummary> {
    auto person = DeskRepository(tx).find_patron(who);
    if (!person) return unknown_patron();
    PatronSummary out;
    out.user = {person->id, std::move(person->full_name), std::move(person->email)};
    out.is_active = person->active;
    out.loans = BorrowRepository(tx).open_of(person->id);
    for (Borrow& loan : out.loans) {
      show_as_of(loan, clock_.now());
      out.overdue_loans += loan.is_overdue;
    }
    out.holds = HoldRepository(tx).open_of(person->id);
    if (!out.is_active) out.blocks.push_back({"account_inactive", "The account has been deactivated"});
    for (auto& error : loans_.blocks(tx, person->id))
      out.blocks.push_back({std::move(error.code), std::move(error.detail)});
    return out;
  };
  return database_.read(std::move(work));
}

Result<std::optional<BorrowId>> DeskService::act(db::Transaction& tx, const OfflineTransaction& t,
                                                 const Caller& by) {
  if (t.at > clock_.now() + clock_tolerance)
    return fail(ErrorKind::refused, "in_the_future", "The client's clock is ahead of ours");
  const Timestamp at = std::min(t.at, clock_.now());
  if (t.kind == OfflineKind::checkin) {
    auto done = take_back(tx, {t.barcode, {}}, at, by);
    if (!done) return Failure(std::move(done.error()));
    return done->borrow ? std::optional(done->borrow->id) : std::nullopt;
  }
  if (!t.patron) return fail(ErrorKind::refused, "unknown_patron", "A checkout needs the patron");
  if (t.due_date && (*t.due_date <= at || *t.due_date > at + std::chrono::days(longest_desk_loan_days)))
    return fail(ErrorKind::refused, "bad_due_date", "The due date must follow the loan, by a year at most");
  auto done = lend(tx, {*t.patron, t.barcode, {}, t.due_date}, at, by);
  if (!done) return Failure(std::move(done.error()));
  return done->id;
}

Task<Result<OfflineResult>> DeskService::replay_one(OfflineTransaction t, Caller by) {
  auto work = [this, &t, &by](db::Transaction& tx) -> Result<OfflineResult> {
    DeskRepository desk(tx);
    if (!desk.claim(t, by.id(), clock_.now())) return *desk.known(t.client_id);
    auto loan = act(tx, t, by);
    if (!loan) return Failure(std::move(loan.error()));
    if (*loan) desk.set_loan(t.client_id, **loan);
    return OfflineResult{t.client_id, OfflineOutcome::done, {}, {}, *loan};
  };
  auto done = co_await database_.write(std::move(work));
  if (done || done.error().kind == ErrorKind::unavailable || done.error().kind == ErrorKind::storage_full)
    co_return std::move(done);
  auto note = [this, &t, &by, &error = done.error()](db::Transaction& tx) -> Result<OfflineResult> {
    DeskRepository(tx).note_conflict(t, by.id(), clock_.now(), error.code, error.detail);
    journal_.record(tx, by, {.type = "circulation.conflict", .resource = "offline_transaction"});
    return OfflineResult{t.client_id, OfflineOutcome::conflict, error.code, error.detail, {}};
  };
  auto noted = co_await database_.write(std::move(note));
  co_return std::move(noted);
}

Task<Result<OfflineReport>> DeskService::replay(OfflineBatch batch, Caller by) {
  std::vector<std::pair<Timestamp, std::size_t>> order;  // equal times in the order of the list
  for (const auto& transaction : batch.transactions) order.emplace_back(transaction.at, order.size());
  std::ranges::sort(order);
  OfflineReport report;
  for (const auto& [at, index] : order) {
    auto one = replay_one(batch.transactions[index], by);
    auto result = co_await std::move(one);
    // What was done stays done, and will be known when the client tells all of it again.
    if (!result) co_return Failure(std::move(result.error()));
    switch (result->outcome) {
      case OfflineOutcome::done:
        ++report.done;
        break;
      case OfflineOutcome::duplicate:
        ++report.duplicates;
        break;
      case OfflineOutcome::conflict:
        ++report.conflicts;
        break;
    }
    report.results.push_back(std::move(*result));
  }
  co_return report;
}

}  // namespace lumina::borrows
