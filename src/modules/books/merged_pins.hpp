// Pinned books in merges: the pins of a book that goes are those of the one that stays.
#pragma once
#include "core/db/transaction.hpp"
#include "core/events/journal.hpp"

#include <string>

namespace lumina::books {

// In the merge's unit of work. The note names the queries that moved; a query that has the other book pinned
// already keeps it in its place.
std::string move_pins(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                      const Caller& by);
void move_pins_back(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                    const std::string& note, const Caller& by);

}  // namespace lumina::books
