// Privacy of loan histories: some days after a book came back, who had it is forgotten.
//
// The loan stays for statistics without its borrower; a keyed one-way mark of person and book stays instead,
// so that the right to review the book outlives the history and nobody can list what a person read. Loans
// whose fines are not settled keep their borrower until they are. The loans of an account that was erased are
// cut at once, without marks.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace lumina::borrows {

class LoanPrivacy {
 public:
  // `key`: 32 secret bytes that must stay the same, or marks say nothing any more. `history_days`: 0 keeps
  // histories.
  LoanPrivacy(db::Database& database, const Clock& clock, events::Journal& journal, std::string key,
              std::int64_t history_days);

  // Inside somebody else's unit of work: whether this person ever borrowed this book, by a loan or by a mark.
  bool has_borrowed(db::Transaction& tx, UserId user, BookId book) const;

  // The daily job: cuts what is old enough; gives the number of loans. Safe to run at any time and in several
  // processes at once.
  Task<Result<std::int64_t>> cut_histories();
  // Cuts the loans, cards and feeds of accounts that were erased since the last call.
  Task<Result<std::int64_t>> forget_erased_accounts();

 private:
  struct Old;
  std::string mark_of(UserId user, BookId book) const;
  Task<Result<std::int64_t>> cut(bool erased_accounts);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const std::string key_;
  const std::int64_t history_days_;
  std::atomic<bool> accounts_erased_{true};
};

}  // namespace lumina::borrows
