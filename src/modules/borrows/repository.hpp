// SQL of circulation: loans, and the counters of a book that loans move.
//
// Also reads books, copies and users. Absent is std::nullopt; a lost race is an absent row, not an exception.
// Loans come back with `status` as stored: borrows::show_as_of says what it is now.
//
// Locks on PostgreSQL are taken in one order everywhere: loan, copy, counters of the book.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/loan_query.hpp"
#include "modules/borrows/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::borrows {

// What decides whether somebody may borrow a book.
struct Standing {
  std::string title, author;
  std::optional<bool> borrower_active;  // nothing: no such person
  std::optional<BorrowId> own_loan;     // of this book, open
  std::optional<CopyId> free_copy;
  std::optional<CopyId> held_copy;  // kept for this person
  int holds_open = 0;               // people in line for the book, this one included

  std::optional<CopyId> copy() const { return held_copy ? held_copy : free_copy; }
};

// A loan just made or ended, and what the line of the book makes of it.
struct Moved {
  Borrow loan;
  CopyStatus copy = CopyStatus::available;  // as stored
  int holds_open = 0;
  // Whether the copy has to be put in order: somebody waits for it, or it was lost and is found.
  bool unsettled() const { return holds_open > 0 || copy != CopyStatus::available; }
};

struct NewBorrow {
  UserId user;
  BookId book;
  Timestamp borrow_date, due_date;
};

class BorrowRepository {
 public:
  explicit BorrowRepository(db::Transaction& tx) : tx_(tx) {}

  // Nothing when there is no such book.
  std::optional<Standing> standing(BookId book, UserId user);
  // The first due first.
  std::vector<Borrow> open_of(UserId user);
  // PostgreSQL: until the end of the transaction nobody else lends to this person under a limit.
  void hold_borrower(UserId user);

  // Lends this copy and moves the counters; nothing when it is out or the person has the book.
  std::optional<BorrowId> insert(const NewBorrow& loan, CopyId copy);

  // Closes the open loan of this person and book; nothing when there is none.
  std::optional<Moved> close(UserId user, BookId book, Timestamp now);

  // Stays as it is until the end of a writing transaction.
  std::optional<Borrow> find(BorrowId id);
  void renew(BorrowId id, Timestamp due_date);

  struct Due {
    BorrowId id;
    UserId user;
  };
  // Stores `overdue` for up to `most` loans that became so, and says which.
  std::vector<Due> mark_overdue(Timestamp now, int most);

  struct Listing {
    std::vector<Borrow> loans;
    std::optional<std::string> next_cursor;
    bool bad_cursor = false;
  };
  Listing list(const LoanFilter& filter, Order order, bool with_user, const PageRequest& page, Timestamp now);
  std::int64_t count(const LoanFilter& filter, Order order, Timestamp now);
  // The counts alone.
  BorrowHistory history(UserId user, Timestamp now);

  std::optional<Availability> availability(BookId book);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
