// What lists do when one book becomes part of another, inside that unit of work, and when that is undone: the
// places of the book that goes become the other's, in lists that do not have that one already.
#pragma once
#include "core/db/transaction.hpp"

#include <string>

namespace lumina::lists {

std::string move_places(db::Transaction& tx, BookId from, BookId into);
void move_places_back(db::Transaction& tx, BookId from, BookId into, const std::string& note);

}  // namespace lumina::lists
