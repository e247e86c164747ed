#include "modules/borrows/ledger_service.hpp"

#include "modules/borrows/ledger_charges.hpp"
#include "modules/borrows/ledger_repository.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {
namespace {

constexpr auto no_such_fine = "Fine not found";
constexpr auto no_such_person = "User not found";
constexpr int most_lines = 1000;
constexpr int batch = 200;

events::Change about_fine(std::string_view type, const Fine& fine, std::int64_t amount) {
  return {.type = type,
          .resource = "fine",
          .resource_id = fine.id.value,
          .subject = fine.user_id,
          .payload = fmt::format(R"({{"amount_minor":{}}})", amount)};
}

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

bool may_see(UserId whose, const Caller& by) { return whose == by.id() || by.can(Permission::loans_manage); }

}  // namespace

LedgerService::LedgerService(db::Database& database, const Clock& clock, events::Journal& journal,
                             RuleBook& rules, std::string currency)
    : database_(database), clock_(clock), journal_(journal), rules_(rules), currency_(std::move(currency)) {
  journal.bus().subscribe("copy.", [this](const events::Event&) { copies_changed_ = true; });
}

Task<Result<Page<Fine>>> LedgerService::fines(FineFilter filter, PageRequest page, Caller by) {
  const UserId user = filter.user_id.value_or(by.id());
  if (!may_see(user, by))
    return ready<Page<Fine>>(
        fail(ErrorKind::forbidden, "forbidden", "Only librarians can see somebody else's fines"));
  auto work = [this, user, filter = std::move(filter), page = std::move(page)](db::Transaction& tx) {
    auto found = LedgerRepository(tx).list(user, filter.status, page);
    for (Fine& fine : found.items) fine.currency = currency_;
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<Fine>> LedgerService::find(FineId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<Fine> {
    auto fine = LedgerRepository(tx).find(id);
    if (!fine || !may_see(fine->user_id, by)) return not_found(no_such_fine);
    fine->currency = currency_;
    return std::move(*fine);
  };
  return database_.read(std::move(work));
}

Task<Result<Fine>> LedgerService::charge(NewFine fine, Caller by) {
  if (fine.kind == FineKind::overdue)
    return ready<Fine>(invalid({{{"body", "kind"}, "overdue fines are charged by the server", "one_of"}}));
  auto work = [this, fine = std::move(fine), by = std::move(by)](db::Transaction& tx) -> Result<Fine> {
    LedgerRepository ledger(tx);
    if (!RuleRepository(tx).find_patron(fine.user_id)) return not_found(no_such_person);
    std::optional<BookId> book;
    if (fine.borrow_id) {
      const auto loan = ledger.loan(*fine.borrow_id);
      if (!loan || loan->user != fine.user_id)
        return invalid({{{"body", "borrow_id"}, "is not a loan of this person", "unknown"}});
      if (fine.kind == FineKind::lost && ledger.fine_of_loan(*fine.borrow_id, FineKind::lost))
        return fail(ErrorKind::refused, "already_charged", "This loan's lost copy has been charged already");
      book = loan->book;
    }
    auto made = *ledger.find(ledger.insert(fine, book, by.user, clock_.now()));
    made.currency = currency_;
    journal_.record(tx, by, about_fine("fine.charged", made, made.amount_minor));
    return made;
  };
  return database_.write(std::move(work));
}

Task<Result<Fine>> LedgerService::pay(FineId id, Payment payment, Caller by) {
  return settle(id, LineKind::payment, payment.amount_minor, std::move(payment.note), std::move(by));
}

Task<Result<std::int64_t>> LedgerService::pay_off(UserId user, std::int64_t amount_minor,
                                                  std::optional<FineId> one, std::string receipt, Caller by) {
  auto work = [this, user, amount_minor, one, receipt = std::move(receipt),
               by = std::move(by)](db::Transaction& tx) -> Result<std::int64_t> {
    LedgerRepository ledger(tx);
    const auto owed = ledger.hold_owed(user);
    if (!receipt.empty() && ledger.knows_payment(user, receipt)) return ledger.balance(user);
    if (one && std::ranges::none_of(owed, [&](const Fine& fine) { return fine.id == *one; }))
      return not_found(no_such_fine);
    const auto note = receipt.empty() ? std::nullopt : std::optional(receipt);
    std::int64_t rest = amount_minor;
    for (const Fine& fine : owed) {
      if (rest == 0) break;
      if (one && fine.id != *one) continue;
      const auto part = std::min(rest, fine.outstanding_minor);
      if (!ledger.settle(fine, LineKind::payment, part, note, by.user, clock_.now())) continue;
      journal_.record(tx, by, about_fine("fine.paid", fine, part));
      rest -= part;
    }
    if (rest > 0) return fail(ErrorKind::refused, "overpaid", "That is more than is owed");
    return ledger.balance(user);
  };
  return database_.write(std::move(work));
}

Task<Result<Fine>> LedgerService::waive(FineId id, Waiver waiver, Caller by) {
  return settle(id, LineKind::waiver, waiver.amount_minor, std::move(waiver.reason), std::move(by));
}

Task<Result<Fine>> LedgerService::settle(FineId id, LineKind kind, std::optional<std::int64_t> amount,
                                         std::optional<std::string> note, Caller by) {
  auto work = [this, id, kind, amount, note = std::move(note),
               by = std::move(by)](db::Transaction& tx) -> Result<Fine> {
    LedgerRepository ledger(tx);
    const auto fine = ledger.find(id);
    if (!fine) return not_found(no_such_fine);
    const auto settled = amount.value_or(fine->outstanding_minor);
    if (fine->outstanding_minor == 0)
      return fail(ErrorKind::refused, "already_settled", "Nothing is owed for this any more");
    if (settled > fine->outstanding_minor ||
        !ledger.settle(*fine, kind, settled, note, by.user, clock_.now()))
      return fail(ErrorKind::refused, "overpaid", "That is more than is owed");
    journal_.record(tx, by,
                    about_fine(kind == LineKind::payment ? "fine.paid" : "fine.waived", *fine, settled));
    auto after = *ledger.find(id);
    after.currency = currency_;
    return after;
  };
  return database_.write(std::move(work));
}

std::vector<Block> LedgerService::blocks_of(db::Transaction& tx, UserId user) {
  auto all = LedgerRepository(tx).blocks(user);
  const auto rules = rules_.current(tx);
  auto state = RuleRepository(tx).borrower_state(user);
  const auto choice = rules->in_force->choose(state.category, {});
  state.blocks.clear();  // shown with their ids above
  for (auto& reason : blocks_against(state, choice, clock_.now())) {
    Block computed;
    computed.kind = reason.kind == BlockReason::Kind::fines ? "fines" : "overdue";
    computed.detail = std::move(reason.detail);
    all.push_back(std::move(computed));
  }
  return all;
}

Task<Result<Account>> LedgerService::account(UserId user) {
  auto work = [this, user](db::Transaction& tx) -> Result<Account> {
    if (!RuleRepository(tx).find_patron(user)) return not_found(no_such_person);
    LedgerRepository ledger(tx);
    Account account;
    account.user_id = user;
    account.currency = currency_;
    account.balance_minor = ledger.balance(user);
    account.lines = ledger.lines(user, most_lines);
    account.blocks = blocks_of(tx, user);
    return account;
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Block>>> LedgerService::blocks(UserId user) {
  auto work = [this, user](db::Transaction& tx) -> Result<std::vector<Block>> {
    if (!RuleRepository(tx).find_patron(user)) return not_found(no_such_person);
    return blocks_of(tx, user);
  };
  return database_.read(std::move(work));
}

Task<Result<Block>> LedgerService::block(UserId user, NewBlock block, Caller by) {
  auto work = [this, user, block = std::move(block),
               by = std::move(by)](db::Transaction& tx) -> Result<Block> {
    if (!RuleRepository(tx).find_patron(user)) return not_found(no_such_person);
    // Known before the change, so that nobody in this transaction takes over what may still be undone.
    (void)rules_.current(tx);
    LedgerRepository ledger(tx);
    const auto id = ledger.insert_block(user, block.reason, by.user, clock_.now());
    journal_.record(tx, by,
                    {.type = "block.placed", .resource = "block", .resource_id = id.value, .subject = user});
    return *ledger.find_block(id);
  };
  return database_.write(std::move(work));
}

Task<Status> LedgerService::lift(UserId user, std::optional<BlockId> one, Caller by) {
  auto work = [this, user, one, by = std::move(by)](db::Transaction& tx) -> Status {
    (void)rules_.current(tx);  // before the change, as in block()
    const auto lifted = LedgerRepository(tx).lift_blocks(user, one, by.user, clock_.now());
    if (lifted.empty()) return not_found("Block not found");
    for (const auto id : lifted)
      journal_.record(
          tx, by, {.type = "block.lifted", .resource = "block", .resource_id = id.value, .subject = user});
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<std::int64_t>> LedgerService::accrue() {
  const Caller scheduler = Caller::system("accrue-fines");
  std::int64_t all = 0;
  Timestamp after_due{0};
  BorrowId after{};
  while (true) {
    struct Step {
      std::int64_t charges = 0;
      std::size_t seen = 0;
      Timestamp due;
      BorrowId last;
    };
    auto work = [this, &scheduler, after_due, after](db::Transaction& tx) -> Step {
      const auto rules = rules_.current(tx);
      if (!rules->charges) return {};
      const Timestamp now = clock_.now();
      LedgerRepository ledger(tx);
      Step step;
      for (const auto& loan : ledger.late_loans(now, after_due, after, batch)) {
        ++step.seen;
        step.due = loan.due_date;
        step.last = loan.id;
        // A copy that was charged as lost costs no more by the day.
        if (ledger.fine_of_loan(loan.id, FineKind::lost)) continue;
        step.charges += charge_overdue(tx, journal_, scheduler, *rules, loan, now) > 0 ? 1 : 0;
      }
      return step;
    };
    const auto step = co_await database_.write(std::move(work));
    if (!step) co_return Failure(step.error());
    all += step->charges;
    if (step->seen < batch) break;
    after_due = step->due;
    after = step->last;
  }
  copies_changed_ = true;
  const auto lost = co_await bill_lost_copies();
  if (!lost) co_return Failure(lost.error());
  co_return all + *lost;
}

Task<Result<std::int64_t>> LedgerService::bill_lost_copies() {
  if (!copies_changed_.exchange(false)) co_return 0;
  const Caller scheduler = Caller::system("bill-lost-copies");
  std::int64_t all = 0;
  BorrowId after{};
  while (true) {
    struct Step {
      std::int64_t charges = 0;
      std::size_t seen = 0;
      BorrowId last;
    };
    auto work = [this, &scheduler, after](db::Transaction& tx) -> Step {
      const auto rules = rules_.current(tx);
      if (!rules->charges) return {};
      Step step;
      for (const auto& loan : LedgerRepository(tx).lost_loans(after, batch)) {
        ++step.seen;
        step.last = loan.id;
        step.charges += charge_lost(tx, journal_, scheduler, *rules, loan, clock_.now()) > 0 ? 1 : 0;
      }
      return step;
    };
    const auto step = co_await database_.write(std::move(work));
    if (!step) {
      copies_changed_ = true;  // the next call looks again
      co_return Failure(step.error());
    }
    all += step->charges;
    if (step->seen < batch) co_return all;
    after = step->last;
  }
}

}  // namespace lumina::borrows
