// What the documents of a book do when it becomes part of another, inside that unit of work, and when that is
// undone: they go along, so that who has the loan keeps what only borrowers may read. No locks of its own:
// whoever merges holds the books.
#pragma once
#include "core/db/transaction.hpp"
#include "core/events/journal.hpp"

#include <string>

namespace lumina::ai {

std::string move_documents(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                           const Caller& by);
void move_documents_back(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                         const std::string& note, const Caller& by);

}  // namespace lumina::ai
