// Many loans and returns in one statement of PostgreSQL: what one lends or takes back, and its answer.
//
// A statement changes the loan, the counters of the book and, of a returned copy that people wait for, its
// status, and journals each change. Used by way of a db::Combiner, whose rule it relies on: no two moves of
// one statement are about the same book. Database threads only.
#pragma once
#include "core/base/caller.hpp"
#include "core/db/transaction.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/repository.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lumina::borrows {

// lend passes over copies that others are taking at this moment; lend_waiting waits for them.
enum class MoveKind : std::uint8_t { lend, lend_waiting, take_back };

struct LoanMove {
  MoveKind kind;
  BookId key;  // the book
  UserId user;
  Caller by;
  int days = 0;  // of the loan
};

// Does moves of one kind; an answer for each, in order. Nothing for a loan that could not be made now (ask
// BorrowRepository::standing() why) and for a return of what the person does not have.
std::vector<std::optional<Moved>> move_loans(db::Transaction& tx, events::Journal& journal,
                                             const std::vector<LoanMove>& moves, Timestamp now);

}  // namespace lumina::borrows
