// What reviews do when one book becomes part of another, inside that unit of work, and when that is undone.
//
// A person has one review of a book: of somebody who reviewed both, the review of the book that goes stays
// with it, unseen, until the merge is undone. No locks of its own: whoever merges holds the books.
#pragma once
#include "core/base/error.hpp"
#include "core/db/transaction.hpp"

#include <string>

namespace lumina::reviews {

std::string move_reviews(db::Transaction& tx, BookId from, BookId into);
void move_reviews_back(db::Transaction& tx, BookId from, BookId into, const std::string& note);

}  // namespace lumina::reviews
