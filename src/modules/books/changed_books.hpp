// SQL for harvesters: books in the order of their last change, deleted ones included.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/books/model.hpp"

#include <optional>
#include <vector>

namespace lumina::books {

struct ChangedBook {
  BookId id;
  Timestamp at;              // of the last change
  std::optional<Book> book;  // nothing: deleted
};

// A place in the order of changes; what follows it comes next.
struct ChangePlace {
  Timestamp at{0};
  BookId id{0};
};

// Changes behind `place` and before `end`, oldest first.
std::vector<ChangedBook> changed_after(db::Transaction& tx, ChangePlace place, Timestamp end, int most);
std::int64_t count_changed(db::Transaction& tx, Timestamp from, Timestamp end);
std::optional<ChangedBook> changed(db::Transaction& tx, BookId id);
// Of the oldest change; nothing without books.
std::optional<Timestamp> first_change(db::Transaction& tx);

}  // namespace lumina::books
