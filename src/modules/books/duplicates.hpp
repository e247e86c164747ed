// Finds books that look as if they were catalogued twice.
//
// Three kinds, with how sure each is: the same title and author and no two ISBNs (1.0); the same title and
// author under different ISBNs (0.6: editions, mostly); titles of one author that differ by a subtitle (0.85)
// or by one or two slips of the finger (0.8, 0.75). Authors are compared without spelling differences
// (normalize.hpp). Pairs that a librarian told apart are left out. Reads all titles in the order of their
// authors: some 100 ms for 100,000 books.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/books/record_model.hpp"

#include <string_view>
#include <vector>

namespace lumina::books {

// Groups that are at least so sure, the surest first, without what fill_duplicates() reads.
std::vector<DuplicateGroup> find_duplicates(db::Transaction& tx, double least);
void fill_duplicates(db::Transaction& tx, std::vector<DuplicateGroup>& groups);

// How sure it is that these are two spellings of one title: 0 when they are not. Folded titles.
double title_likeness(std::string_view one, std::string_view other);

}  // namespace lumina::books
