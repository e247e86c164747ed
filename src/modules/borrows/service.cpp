#include "modules/borrows/service.hpp"

#include "modules/borrows/hold_queue.hpp"
#include "modules/borrows/repository.hpp"

#include <fmt/format.h>

namespace lumina::borrows {
namespace {

constexpr auto no_such_book = "Book not found";
constexpr auto no_such_person = "User not found";
constexpr auto no_such_loan = "Borrow not found";
constexpr auto nothing_to_return = "No active borrow found for this book";
constexpr int overdue_batch = 200;
// Each attempt that lends nothing while a copy is free lost it to somebody who got it.
constexpr int most_attempts = 100;

Failure already_borrowed() {
  return fail(ErrorKind::refused, "already_borrowed", "Book is already borrowed");
}

events::Change about(std::string_view type, BorrowId id, UserId user, BookId book) {
  return {.type = type, .resource = "borrow", .resource_id = id.value, .subject = user, .book = book};
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

Failure loan_limit(const LoanRules& rules) {
  return fail(ErrorKind::forbidden, "loan_limit",
              fmt::format("The limit of {} books at a time is reached", rules.max_loans));
}

// Why this person cannot have this book; in the order in which it is worth saying.
Status may_borrow(BorrowRepository& loans, UserId user, const std::optional<Standing>& standing,
                  const LoanRules& rules) {
  if (!standing) return not_found(no_such_book);
  if (!standing->borrower_active) return not_found(no_such_person);
  if (!*standing->borrower_active)
    return fail(ErrorKind::forbidden, "account_inactive", "The account has been deactivated");
  if (standing->own_loan)
    return fail(ErrorKind::refused, "active_borrow_exists",
                "You already have an active borrow for this book");
  if (rules.max_loans > 0 && loans.open_loans(user) >= rules.max_loans)
    return loan_limit(rules);
  if (!standing->copy()) return already_borrowed();
  return {};
}

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

struct BorrowService::Request {
  BookId book;
  UserId user;
  int days;
};

Task<Result<Borrow>> BorrowService::borrow(BookId book, const LoanTerms& query, const LoanTerms& body,
                                           Caller by) {
  const auto user = whose(body.user_id ? body.user_id : query.user_id, by);
  if (!user) return ready<Borrow>(Failure(user.error()));
  const int days = body.loan_period_days.value_or(query.loan_period_days.value_or(rules_.period_days));
  const Request request{book, *user, days};
  return database_.dialect() == db::Dialect::sqlite ? lend_in_turn(request, std::move(by))
                                                    : lend_at_once(request, std::move(by));
}

Status BorrowService::may_borrow_copy(db::Transaction& tx, std::optional<Standing> standing, UserId user,
                                      CopyId copy) {
  if (standing) standing->held_copy = copy;
  BorrowRepository loans(tx);
  return may_borrow(loans, user, standing, rules_);
}

std::vector<Error> BorrowService::blocks(db::Transaction& tx, UserId user) {
  std::vector<Error> all;
  if (rules_.max_loans > 0 && BorrowRepository(tx).open_loans(user) >= rules_.max_loans)
    all.push_back(loan_limit(rules_).error());
  return all;
}

// SQLite writes one unit after the other, and PostgreSQL locks the line of the book: what was read still stands when it
// is written.
Task<Result<Borrow>> BorrowService::lend_in_turn(Request request, Caller by) {
  auto work = [this, request, by = std::move(by)](db::Transaction& tx) -> Result<Borrow> {
    BorrowRepository loans(tx);
    const Timestamp now = clock_.now();
    HoldQueue queue(tx, journal_, hold_rules_, now, by);
    if (tx.postgresql()) {
      if (rules_.max_loans > 0) loans.hold_borrower(request.user);
      if (!queue.lock(request.book)) return not_found(no_such_book);
    }
    auto standing = loans.standing(request.book, request.user);
    if (auto may = may_borrow(loans, request.user, standing, rules_); !may)
      return Failure(std::move(may.error()));
    if (standing->held_copy) queue.release(request.book, *standing->held_copy);
    const NewBorrow loan{request.user, request.book, now, due_after(now, request.days)};
    const auto id = loans.insert(loan, *standing->copy());
    if (!id) return already_borrowed();
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
  // Counting a person's loans and adding one needs a transaction that keeps others from adding meanwhile.
  const bool limited = rules_.max_loans > 0;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto work = [this, request, limited, attempt, &by](db::Transaction& tx) -> Result<std::optional<Lent>> {
      BorrowRepository loans(tx);
      if (limited) {
        loans.hold_borrower(request.user);
        const auto standing = loans.standing(request.book, request.user);
        if (auto may = may_borrow(loans, request.user, standing, rules_); !may)
          return Failure(std::move(may.error()));
      }
      const Timestamp now = clock_.now();
      const NewBorrow loan{request.user, request.book, now, due_after(now, request.days)};
      auto change = about("borrow.created", {}, request.user, request.book);
      const auto contended = attempt % 2 == 0 ? Contended::pass_over : Contended::wait;
      auto made = loans.insert_at_once(loan, contended, journal_.attachment(by, change));
      if (made) {
        change.resource_id = made->loan.id.value;
        journal_.publish_later(tx, change, now);
      }
      return made;
    };
    auto made = co_await database_.write(std::move(work),
                                         limited ? db::Atomicity::transaction : db::Atomicity::single);
    if (!made) co_return Failure(std::move(made.error()));
    if (*made) {
      // The loan stands whatever becomes of the line now; what is not settled here, settle_due() finds.
      if ((*made)->holds_open > 0) (void)co_await settle_line(request.book, {}, by);
      co_return std::move((*made)->loan);
    }
    auto ask = [this, request](db::Transaction& tx) -> Result<bool> {
      BorrowRepository loans(tx);
      const auto standing = loans.standing(request.book, request.user);
      if (auto may = may_borrow(loans, request.user, standing, rules_); !may)
        return Failure(std::move(may.error()));
      return standing->held_copy.has_value();
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

Task<Result<Borrow>> BorrowService::give_back(BookId book, const ReturnTerms& query, const ReturnTerms& body,
                                              Caller by) {
  const auto user = whose(body.user_id ? body.user_id : query.user_id, by);
  if (!user) return ready<Borrow>(Failure(user.error()));
  return take_back(book, *user, std::move(by));
}

Task<Result<Borrow>> BorrowService::take_back(BookId book, UserId user, Caller by) {
  auto work = [this, book, user, &by](db::Transaction& tx) -> Result<Closed> {
    BorrowRepository loans(tx);
    const Timestamp now = clock_.now();
    auto change = about("borrow.returned", {}, user, book);
    auto closed = tx.postgresql() ? loans.close_at_once(user, book, now, journal_.attachment(by, change))
                                  : loans.close(user, book, now);
    if (!closed) return not_found(nothing_to_return);
    change.resource_id = closed->loan.id.value;
    if (tx.postgresql()) {
      journal_.publish_later(tx, change, now);
    } else {
      journal_.record(tx, by, change);
      if (closed->unsettled()) {
        HoldQueue queue(tx, journal_, hold_rules_, now, by);
        queue.came_back(book, closed->loan.copy_id);
      }
    }
    return std::move(*closed);
  };
  auto closed = co_await database_.write(std::move(work), db::Atomicity::single);
  if (!closed) co_return Failure(std::move(closed.error()));
  // The book is back whatever becomes of the line now; the copy is set aside, and settle_due() finds it.
  if (closed->unsettled() && database_.dialect() == db::Dialect::postgresql)
    (void)co_await settle_line(book, closed->loan.copy_id, by);
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
    const auto due = renewed_due_date(*loan, rules_, now);
    if (!due) return Failure(due.error());
    if (HoldRepository(tx).somebody_waits(loan->book_id))
      return fail(ErrorKind::refused, "on_hold", "Somebody waits for this book; please return it in time");
    loans.renew(id, *due);
    journal_.record(tx, by, about("borrow.renewed", id, loan->user_id, loan->book_id));
    loan->due_date = *due;
    ++loan->renewals;
    show_as_of(*loan, now);
    return std::move(*loan);
  };
  return database_.write(std::move(work));
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
