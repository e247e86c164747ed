#include "modules/borrows/repository.hpp"

namespace lumina::borrows {
namespace {

Borrow to_loan(LoanRow row, bool with_user) {
  row.book = {row.book_id, std::move(row.title), std::move(row.author)};
  if (with_user && row.user_id)
    row.user = Borrower{*row.user_id, std::move(row.full_name), std::move(row.email)};
  return std::move(static_cast<Borrow&>(row));
}

}  // namespace

std::optional<Standing> BorrowRepository::standing(BookId book, UserId user) {
  std::optional<Standing> found;
  tx_.each<std::string, std::string, std::optional<bool>, std::optional<BorrowId>, std::optional<CopyId>,
           std::optional<CopyId>, int>(
      [&](std::string title, std::string author, std::optional<bool> active, std::optional<BorrowId> own,
          std::optional<CopyId> copy, std::optional<CopyId> kept, int holds_open) {
        found = Standing{std::move(title), std::move(author), active, own, copy, kept, holds_open};
      },
      standing_sql, book, user);
  return found;
}

std::vector<Borrow> BorrowRepository::open_of(UserId user) {
  static const std::string sql =
      "SELECT " + loan_columns.list() +
      " FROM borrows w JOIN books b ON b.id = w.book_id JOIN users u ON u.id = w.user_id "
      "WHERE w.user_id = $1 AND w.status <> 'returned' ORDER BY w.due_date, w.id";
  std::vector<Borrow> loans;
  for (auto& row : tx_.list(loan_columns, sql, user)) loans.push_back(to_loan(std::move(row), false));
  return loans;
}

void BorrowRepository::hold_borrower(UserId user) {
  if (tx_.postgresql()) tx_.one<UserId>("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user);
}

std::optional<BorrowId> BorrowRepository::insert(const NewBorrow& loan, CopyId copy) {
  const auto made = tx_.one<BorrowId>(
      "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT DO NOTHING RETURNING id",
      loan.user, loan.book, copy, loan.borrow_date, loan.due_date);
  if (!made) return {};
  tx_.execute(
      "UPDATE book_stats SET copies_available = copies_available - 1, active_borrows = active_borrows + 1, "
      "total_borrows = total_borrows + 1 WHERE book_id = $1",
      loan.book);
  return std::get<0>(*made);
}

std::optional<Moved> BorrowRepository::close(UserId user, BookId book, Timestamp now) {
  std::optional<Moved> closed;
  tx_.each<BorrowId, CopyId, Timestamp, Timestamp, int, std::string, std::string>(
      [&](BorrowId id, CopyId copy, Timestamp borrowed, Timestamp due, int renewals, std::string title,
          std::string author) {
        Borrow& b = closed.emplace().loan;
        b.id = id;
        b.user_id = user;
        b.book_id = book;
        b.copy_id = copy;
        b.borrow_date = borrowed;
        b.due_date = due;
        b.return_date = now;
        b.status = LoanStatus::returned;
        b.renewals = renewals;
        b.book = {book, std::move(title), std::move(author)};
      },
      "UPDATE borrows SET return_date = $3, status = 'returned' "
      "WHERE user_id = $1 AND book_id = $2 AND status <> 'returned' "
      "RETURNING id, copy_id, borrow_date, due_date, renewals, "
      "(SELECT title FROM books WHERE id = $2), (SELECT author FROM books WHERE id = $2)",
      user, book, now);
  if (!closed) return {};
  tx_.each<CopyStatus, int>(
      [&](CopyStatus status, int holds_open) {
        closed->copy = status;
        closed->holds_open = holds_open;
      },
      "UPDATE book_stats SET active_borrows = active_borrows - 1, copies_available = copies_available + "
      "(SELECT count(*) FROM copies WHERE id = $2 AND status = 'available') WHERE book_id = $1 "
      "RETURNING (SELECT status FROM copies WHERE id = $2), holds_open",
      book, closed->loan.copy_id);
  return closed;
}

std::optional<Borrow> BorrowRepository::find(BorrowId id) {
  static const std::string sql = "SELECT " + loan_columns.list() +
                                 " FROM borrows w JOIN books b ON b.id = w.book_id LEFT JOIN users u ON u.id "
                                 "= w.user_id WHERE w.id = $1";
  const bool lock = tx_.postgresql() && tx_.writable();
  static const std::string locking = sql + " FOR UPDATE OF w";
  auto row = tx_.find(loan_columns, lock ? locking : sql, id);
  if (!row) return {};
  return to_loan(std::move(*row), false);
}

void BorrowRepository::renew(BorrowId id, Timestamp due_date) {
  tx_.execute("UPDATE borrows SET due_date = $2, renewals = renewals + 1, status = 'active' WHERE id = $1",
              id, due_date);
}

std::vector<BorrowRepository::Due> BorrowRepository::mark_overdue(Timestamp now, int most) {
  std::vector<Due> marked;
  tx_.each<BorrowId, UserId>(
      [&](BorrowId id, UserId user) { marked.push_back({id, user}); },
      "UPDATE borrows SET status = 'overdue' WHERE status = 'active' AND id IN "
      "(SELECT id FROM borrows WHERE status IN ('active', 'overdue') AND status = 'active' AND due_date < $1 "
      "ORDER BY due_date LIMIT CAST($2 AS BIGINT)) RETURNING id, user_id",
      now, most);
  return marked;
}

BorrowRepository::Listing BorrowRepository::list(const LoanFilter& filter, Order order, bool with_user,
                                                 const PageRequest& page, Timestamp now) {
  Listing listing;
  const auto statement = page_statement(filter, order, page, now);
  if (!statement) {
    listing.bad_cursor = true;
    return listing;
  }
  for (auto& row : tx_.list(loan_columns, statement->sql, statement->values))
    listing.loans.push_back(to_loan(std::move(row), with_user));
  if (static_cast<std::int64_t>(listing.loans.size()) == page.limit)
    listing.next_cursor = encode_cursor(order, listing.loans.back());
  return listing;
}

std::int64_t BorrowRepository::count(const LoanFilter& filter, Order order, Timestamp now) {
  const auto statement = count_statement(filter, order, now);
  std::int64_t n = 0;
  tx_.each_of<std::int64_t>([&](std::int64_t c) { n = c; }, statement.sql, statement.values);
  return n;
}

BorrowHistory BorrowRepository::history(UserId user, Timestamp now) {
  BorrowHistory h;
  tx_.each<std::int64_t, std::int64_t, std::int64_t>(
      [&](std::int64_t all, std::int64_t returned, std::int64_t overdue) {
        h.total_borrows = all;
        h.returned_borrows = returned;
        h.overdue_borrows = overdue;
        h.active_borrows = all - returned - overdue;
      },
      history_sql, user, now);
  return h;
}

std::optional<Availability> BorrowRepository::availability(BookId book) {
  std::optional<Availability> found;
  tx_.each<std::int64_t, std::int64_t, int, int, int, std::optional<Timestamp>>(
      [&](std::int64_t active, std::int64_t total, int copies, int available, int holds,
          std::optional<Timestamp> next) {
        found = Availability{book, available > 0, active, total, copies, available, holds, next};
      },
      availability_sql, book);
  return found;
}

}  // namespace lumina::borrows
