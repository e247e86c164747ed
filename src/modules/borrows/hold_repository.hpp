// SQL of holds: reading them, and the single steps from which hold_queue makes whole changes.
//
// Also reads books, copies, borrows and users. Absent is std::nullopt. A book's holds are changed only while
// its line is locked (HoldQueue::lock); these functions do not lock.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/borrows/hold_model.hpp"

#include <optional>
#include <vector>

namespace lumina::borrows {

class HoldRepository {
 public:
  explicit HoldRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Hold> find(HoldId id, bool with_user);
  struct Listing {
    std::vector<Hold> holds;
    std::optional<std::string> next_cursor;
    bool bad_cursor = false;
  };
  // Newest first.
  Listing list(const HoldFilter& filter, bool with_user, const PageRequest& page);
  std::int64_t count(const HoldFilter& filter);
  // The open holds of a book in line, with the people.
  std::vector<Hold> line(BookId book);
  // Open holds of a person, the oldest first.
  std::vector<Hold> open_of(UserId user);

  // Whether anybody waits, not suspended, for a copy of the book.
  bool somebody_waits(BookId book);
  // A step of a hold, and whom to tell.
  struct Moved {
    HoldId id;
    UserId user;
  };
  // For whom the copy is kept.
  std::optional<Moved> ready_for(CopyId copy);
  // At the end of the line; nothing when the person has an open hold of the book.
  std::optional<HoldId> insert(UserId user, BookId book, BranchId pickup, const NewHold& hold, Timestamp now);
  void set_details(const Hold& hold);
  void suspend(HoldId id, std::optional<Timestamp> until);
  void resume(HoldId id);
  void end(HoldId id, HoldStatus how, Timestamp now);
  // The person whose copy is gone is back in line, in the old place.
  std::optional<Moved> unready(CopyId copy);
  // Puts the hold at this place, from 1, and everybody else in order around it.
  void move(BookId book, HoldId id, int position);

  struct Fulfilled {
    HoldId id;
    UserId user;
    BorrowId loan;
  };
  // Holds in the lines of several editions, placed as one wish. `claim` makes sure, to the end of the unit of
  // work, that no other of them gets a copy; false when one did. `end_others` ends those that still wait.
  void join(HoldId id, std::int64_t group);
  bool claim(HoldId id);
  struct Superseded {
    HoldId id;
    UserId user;
    BookId book;
  };
  std::vector<Superseded> end_others(HoldId id, Timestamp now);
  // Of those who have the book by now.
  std::vector<Fulfilled> fulfil(BookId book, Timestamp now);
  // Of those whose account was deleted or deactivated.
  std::vector<Moved> end_of_the_gone(BookId book, Timestamp now);
  // Whose time is over: not picked up, or not wanted any more.
  std::vector<Moved> expire(BookId book, Timestamp now);
  std::vector<Moved> resume_due(BookId book, Timestamp now);

  struct Next {
    HoldId id;
    UserId user;
    BranchId pickup;
  };
  // The first in line who is not passed over.
  std::optional<Next> next(BookId book);
  // A copy that nobody has and that is kept for nobody; at this branch if there is one.
  std::optional<CopyId> free_copy(BookId book, BranchId preferred);
  void make_ready(HoldId id, CopyId copy, Timestamp now, Timestamp pickup_until);
  // Copies that were kept for somebody who is gone are free.
  void release_copies(BookId book, Timestamp now);
  // The counters of the book: its copies and its line.
  void recount(BookId book);

  // Books behind `after` where time has changed something, in order of id.
  std::vector<BookId> due_books(Timestamp now, BookId after, int most);

 private:
  std::vector<Moved> moved(std::string_view sql, BookId book, Timestamp now);
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
