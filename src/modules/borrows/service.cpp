#include "modules/borrows/service.hpp"

#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/ledger_charges.hpp"
#include "modules/borrows/lending_check.hpp"
#include "modules/borrows/repository.hpp"

#include <fmt/format.h>

namespace lumina::borrows {
namespace {

constexpr auto no_such_book = "Book not found";
constexpr auto no_such_loan = "Borrow not found";
constexpr auto nothing_to_return = "No active borrow found for this book";
constexpr int overdue_batch = 200;
// Each attempt that lends nothing while a copy is free lost it to somebody who got it.
constexpr int most_attempts = 100;

Failure already_borrowed() {
  return fail(ErrorKind::refused, "already_borrowed", "Book is already borrowed");
}

events::Change about(std::string_view type, BorrowId id, std::optional<UserId> user, BookId book) {
  return {.type = type, .resource = "borrow", .resource_id = id.value, .subject = user, .book = book};
}

// Whether it happened is not known, and no event of this process will tell: what is shown of the book is read
// anew, here and now.
Failure after_doubts(events::Journal& journal, BookId book, Error error) {
  if (error.code == "outcome_unknown")
    journal.bus().publish({.type = "borrow.in_doubt", .user = {}, .book = book, .at = {}});
  return Failure(std::move(error));
}

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

// Whose loan it is about: somebody else's is the business of staff.
Result<UserId> whose(std::optional<UserId> named, const Caller& by) {
  if (!named || *named == by.id()) return by.id();
  if (!by.can(Permission::loans_manage))
    return fail(ErrorKind::forbidden, "forbidden", "Only librarians can act for somebody else");
  return *named;
}

Failure first_of(std::vector<Error>& reasons) { return Failure(std::move(reasons.front())); }

Result<Page<Borrow>> page_of(db::Transaction& tx, const LoanFilter& filter, Order order, bool with_user,
                             const PageRequest& page, Timestamp now) {
  BorrowRepository loans(tx);
  auto listing = loans.list(filter, order, with_user, page, now);
  if (listing.bad_cursor) return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  Page<Borrow> out;
  out.total = loans.count(filter, order, now);
  out.items = std::move(listing.loans);
  out.next_cursor = std::move(listing.next_cursor);
  for (Borrow& loan : out.items) show_as_of(loan, now);
  return out;
}

}  // namespace

BorrowService::BorrowService(db::Database& database, const Clock& clock, events::Journal& journal,
                             RuleBook& rules, HoldRules hold_rules)
    : database_(database),
      clock_(clock),
      journal_(journal),
      rules_(rules),
      hold_rules_(hold_rules),
      moves_(database, [this](db::Transaction& tx, const std::vector<LoanMove>& moves) {
        return move_loans(tx, journal_, moves, clock_.now());
      }) {}

struct BorrowService::Request {
  BookId book;
  UserId user;
  std::optional<int> days;  // as asked for
};

Task<Result<Borrow>> BorrowService::borrow(BookId book, const LoanTerms& query, const LoanTerms& body,
                                           Caller by) {
  const auto user = whose(body.user_id ? body.user_id : query.user_id, by);
  if (!user) return ready<Borrow>(Failure(user.error()));
  const auto days = body.loan_period_days ? body.loan_period_days : query.loan_period_days;
  const Request request{book, *user, days};
  return database_.dialect() == db::Dialect::sqlite ? lend_in_turn(request, std::move(by))
                                                    : lend_at_once(request, std::move(by));
}

std::vector<Error> BorrowService::blocks(db::Transaction& tx, UserId user) {
  const auto rules = rules_.current(tx);
  const auto state = RuleRepository(tx).borrower_state(user);
  return refusals(state, *rules->in_force, rules->in_force->choose(state.category, {}), {}, clock_.now());
}

// SQLite writes one unit after the other, and PostgreSQL locks the line of the book: what was read still
// stands when it is written.
Task<Result<Borrow>> BorrowService::lend_in_turn(Request request, Caller by) {
  auto work = [this, request, by = std::move(by)](db::Transaction& tx) -> Result<Borrow> {
    BorrowRepository loans(tx);
    const auto rules = rules_.current(tx);
    const Timestamp now = clock_.now();
    HoldQueue queue(tx, journal_, hold_rules_, now, by);
    if (tx.postgresql()) {
      // Nobody else adds a loan while this person's are counted, and nobody deletes the account.
      loans.hold_borrower(request.user);
      if (!queue.lock(request.book)) return not_found(no_such_book);
    }
    auto check = check_lending(tx, *rules, {request.book, request.user, request.days, {}}, now);
    if (!check.allowed()) return first_of(check.reasons);
    auto& standing = check.standing;
    if (standing->held_copy) queue.release(request.book, *standing->held_copy);
    const NewBorrow loan{request.user, request.book, now, check.due_date};
    const auto id = loans.insert(loan, *standing->copy());
    if (!id) return already_borrowed();
    if (check.rule_version > 0)
      RuleRepository(tx).stamp_loan(*id, check.rule_version, check.rule_id, check.due_date);
    journal_.record(tx, by, about("borrow.created", *id, request.user, request.book));
    if (standing->holds_open > 0) queue.settle(request.book);
    Borrow made;
    made.id = *id;
    made.user_id = request.user;
    made.book_id = request.book;
    made.copy_id = *standing->copy();
    made.borrow_date = loan.borrow_date;
    made.due_date = loan.due_date;
    made.book = {request.book, std::move(standing->title), std::move(standing->author)};
    return made;
  };
  return database_.write(std::move(work));
}

Task<Result<Borrow>> BorrowService::lend_at_once(Request request, Caller by) {
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    // One statement knows nothing of rules, blocks and calendars.
    if (!rules_.plain()) {
      auto lent = lend_in_turn(request, std::move(by));
      co_return co_await std::move(lent);
    }
    // One that lost a copy to somebody waits, the second time, for whoever is about to have it.
    const auto kind = attempt % 2 == 0 ? MoveKind::lend : MoveKind::lend_waiting;
    const int days = request.days.value_or(rules_.configured().period_days);
    auto made = co_await moves_.submit({kind, request.book, request.user, by, days});
    if (!made) co_return after_doubts(journal_, request.book, std::move(made.error()));
    if (*made) {
      // The loan stands whatever becomes of the line now; what is not settled here, settle_due() finds.
      if ((*made)->holds_open > 0) (void)co_await settle_line(request.book, {}, by);
      co_return std::move((*made)->loan);
    }
    auto ask = [this, request](db::Transaction& tx) -> Result<bool> {
      const auto rules = rules_.current(tx);
      auto check = check_lending(tx, *rules, {request.book, request.user, request.days, {}}, clock_.now());
      if (!check.allowed()) return first_of(check.reasons);
      return check.standing->held_copy.has_value();
    };
    const auto kept_for_them = co_await database_.read(std::move(ask));
    if (!kept_for_them) co_return Failure(kept_for_them.error());
    if (*kept_for_them) {
      auto lent = lend_in_turn(request, std::move(by));
      co_return co_await std::move(lent);
    }
  }
  co_return Failure(Error{
      ErrorKind::unavailable, "database_busy", "Too many people want this book at once; try again", {}, 1});
}

Task<Result<Preview>> BorrowService::preview(PreviewRequest request, Caller by) {
  const auto user = whose(request.user_id, by);
  if (!user) return ready<Preview>(Failure(user.error()));
  if (request.book_id.has_value() == request.barcode.has_value())
    return ready<Preview>(invalid({{{"body", "book_id"}, "give either book_id or barcode", "missing"}}));
  auto work = [this, request = std::move(request), user = *user](db::Transaction& tx) -> Result<Preview> {
    LendingQuestion question{request.book_id.value_or(BookId{}), user, request.loan_period_days, {}};
    if (request.barcode) {
      const auto copy = RuleRepository(tx).find_copy(*request.barcode);
      if (!copy) return fail(ErrorKind::not_found, "unknown_barcode", "No copy has this barcode");
      question.book = copy->book;
      question.copy = copy->id;
    }
    const auto rules = rules_.current(tx);
    auto check = check_lending(tx, *rules, question, clock_.now());
    if (!check.reasons.empty() && check.reasons.front().kind == ErrorKind::not_found)
      return first_of(check.reasons);
    Preview preview;
    preview.allowed = check.allowed();
    for (auto& reason : check.reasons)
      preview.reasons.push_back({std::move(reason.code), std::move(reason.detail)});
    preview.rule_id = check.rule_id;
    preview.rule_version = check.rule_version;
    preview.rule = check.rule;
    preview.due_date = check.due_date;
    return preview;
  };
  return database_.read(std::move(work));
}

Task<Result<Borrow>> BorrowService::give_back(BookId book, const ReturnTerms& query, const ReturnTerms& body,
                                              Caller by) {
  const auto user = whose(body.user_id ? body.user_id : query.user_id, by);
  if (!user) return ready<Borrow>(Failure(user.error()));
  return take_back(book, *user, std::move(by));
}

Task<Result<Borrow>> BorrowService::take_back(BookId book, UserId user, Caller by) {
  // Only where a late loan may cost something does a return need a transaction of several statements.
  const bool at_once = database_.dialect() == db::Dialect::postgresql && !rules_.may_charge();
  return at_once ? take_back_at_once(book, user, std::move(by))
                 : take_back_in_turn(book, user, std::move(by));
}

Task<Result<Borrow>> BorrowService::take_back_in_turn(BookId book, UserId user, Caller by) {
  auto work = [this, book, user, by = std::move(by)](db::Transaction& tx) -> Result<Borrow> {
    const Timestamp now = clock_.now();
    HoldQueue queue(tx, journal_, hold_rules_, now, by);
    if (tx.postgresql() && !queue.lock(book)) return not_found(nothing_to_return);
    auto closed = BorrowRepository(tx).close(user, book, now);
    if (!closed) return not_found(nothing_to_return);
    journal_.record(tx, by, about("borrow.returned", closed->loan.id, user, book));
    if (rules_.may_charge() && closed->loan.due_date < now)
      settle_return(tx, journal_, by, *rules_.current(tx), closed->loan.id, now);
    if (closed->unsettled()) queue.came_back(book, closed->loan.copy_id);
    return std::move(closed->loan);
  };
  return database_.write(std::move(work));
}

Task<Result<Borrow>> BorrowService::take_back_at_once(BookId book, UserId user, Caller by) {
  auto answer = co_await moves_.submit({MoveKind::take_back, book, user, by});
  if (!answer) co_return after_doubts(journal_, book, std::move(answer.error()));
  auto& closed = *answer;
  if (!closed) co_return not_found(nothing_to_return);
  // The book is back whatever becomes of the line now; the copy is set aside, and settle_due() finds it.
  if (closed->unsettled()) (void)co_await settle_line(book, closed->loan.copy_id, by);
  co_return std::move(closed->loan);
}

Task<Status> BorrowService::settle_line(BookId book, std::optional<CopyId> came_back, Caller by) {
  auto work = [this, book, came_back, by = std::move(by)](db::Transaction& tx) -> Status {
    HoldQueue queue(tx, journal_, hold_rules_, clock_.now(), by);
    if (!queue.lock(book)) return not_found(no_such_book);
    if (came_back)
      queue.came_back(book, *came_back);
    else
      queue.settle(book);
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<Borrow>> BorrowService::renew(BorrowId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<Borrow> {
    BorrowRepository loans(tx);
    auto loan = loans.find(id);
    if (!loan || (loan->user_id != by.id() && !by.can(Permission::loans_manage)))
      return not_found(no_such_loan);
    const Timestamp now = clock_.now();
    const auto rules = rules_.current(tx);
    auto check = check_renewal(tx, *rules, *loan, now);
    if (!check.allowed()) return first_of(check.reasons);
    loans.renew(id, check.due_date);
    if (check.rule_version > 0)
      RuleRepository(tx).stamp_loan(id, check.rule_version, check.rule_id, check.due_date);
    journal_.record(tx, by, about("borrow.renewed", id, loan->user_id, loan->book_id));
    loan->due_date = check.due_date;
    ++loan->renewals;
    show_as_of(*loan, now);
    return std::move(*loan);
  };
  return database_.write(std::move(work));
}

Task<Result<RenewalPreview>> BorrowService::preview_renewal(BorrowId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<RenewalPreview> {
    const auto loan = BorrowRepository(tx).find(id);
    if (!loan || (loan->user_id != by.id() && !by.can(Permission::loans_manage)))
      return not_found(no_such_loan);
    const auto rules = rules_.current(tx);
    auto check = check_renewal(tx, *rules, *loan, clock_.now());
    RenewalPreview preview;
    preview.allowed = check.allowed();
    for (auto& reason : check.reasons)
      preview.reasons.push_back({std::move(reason.code), std::move(reason.detail)});
    preview.renewals = loan->renewals;
    preview.max_renewals = check.rule.max_renewals;
    preview.due_date = check.due_date;
    return preview;
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Borrow>>> BorrowService::own(UserId user, OwnLoans filter, PageRequest page) {
  auto work = [this, filter = LoanFilter{user, {}, filter.status},
               page = std::move(page)](db::Transaction& tx) {
    return page_of(tx, filter, Order::newest_first, false, page, clock_.now());
  };
  return database_.read(std::move(work));
}

Task<Result<BorrowHistory>> BorrowService::history(UserId user, HistoryPart part) {
  auto work = [this, user, part](db::Transaction& tx) -> Result<BorrowHistory> {
    BorrowRepository loans(tx);
    const Timestamp now = clock_.now();
    PageRequest page;
    page.skip = part.skip.value_or(0);
    page.limit = part.limit.value_or(100);
    BorrowHistory history = loans.history(user, now);
    history.borrows = loans.list({user, {}, {}}, Order::newest_first, false, page, now).loans;
    for (Borrow& loan : history.borrows) show_as_of(loan, now);
    return history;
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Borrow>>> BorrowService::all(LoanFilter filter, PageRequest page) {
  auto work = [this, filter, page = std::move(page)](db::Transaction& tx) {
    return page_of(tx, filter, Order::newest_first, true, page, clock_.now());
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Borrow>>> BorrowService::overdue(LoanFilter filter, PageRequest page) {
  auto work = [this, filter, page = std::move(page)](db::Transaction& tx) {
    return page_of(tx, filter, Order::longest_overdue_first, true, page, clock_.now());
  };
  return database_.read(std::move(work));
}

Task<Result<Availability>> BorrowService::availability(BookId book) {
  auto work = [book](db::Transaction& tx) -> Result<Availability> {
    if (auto found = BorrowRepository(tx).availability(book)) return *found;
    return not_found(no_such_book);
  };
  return database_.read(std::move(work));
}

Task<Result<std::int64_t>> BorrowService::mark_overdue() {
  const Caller scheduler = Caller::system("mark-overdue");
  std::int64_t all = 0;
  while (true) {
    auto work = [this, &scheduler](db::Transaction& tx) -> std::int64_t {
      const auto marked = BorrowRepository(tx).mark_overdue(clock_.now(), overdue_batch);
      for (const auto& loan : marked)
        journal_.record(tx, scheduler,
                        {.type = "borrow.overdue",
                         .resource = "borrow",
                         .resource_id = loan.id.value,
                         .subject = loan.user});
      return static_cast<std::int64_t>(marked.size());
    };
    const auto marked = co_await database_.write(std::move(work));
    if (!marked) co_return Failure(marked.error());
    all += *marked;
    if (*marked < overdue_batch) co_return all;
  }
}

}  // namespace lumina::borrows
