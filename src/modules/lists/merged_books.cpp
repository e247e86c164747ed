#include "modules/lists/merged_books.hpp"

#include <vector>

namespace lumina::lists {
namespace {

bool move_place(db::Transaction& tx, std::int64_t list, BookId from, BookId into) {
  return tx.execute(
             "UPDATE collection_books SET book_id = $3 WHERE collection_id = $1 AND book_id = $2 AND NOT "
             "EXISTS "
             "(SELECT 1 FROM collection_books o WHERE o.collection_id = $1 AND o.book_id = $3)",
             list, from, into) > 0;
}

}  // namespace

std::string move_places(db::Transaction& tx, BookId from, BookId into) {
  std::vector<std::int64_t> lists;
  tx.each<std::int64_t>(
      [&](std::int64_t list) { lists.push_back(list); },
      "SELECT collection_id FROM collection_books WHERE book_id = $1 ORDER BY collection_id", from);
  std::vector<std::string> moved;
  for (const auto list : lists)
    if (move_place(tx, list, from, into)) moved.push_back(std::to_string(list));
  return db::pack_list(moved);
}

void move_places_back(db::Transaction& tx, BookId from, BookId into, const std::string& note) {
  for (const auto& list : db::unpack_list(note)) move_place(tx, std::stoll(list), into, from);
}

}  // namespace lumina::lists
