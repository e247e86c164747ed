#include "modules/books/merged_pins.hpp"

#include <string_view>
#include <vector>

namespace lumina::books {
namespace {

bool move_pin(db::Transaction& tx, std::string_view key, BookId from, BookId into) {
  return tx.execute(
             "UPDATE search_pins SET book_id = $3 WHERE query_key = $1 AND book_id = $2 AND NOT EXISTS "
             "(SELECT 1 FROM search_pins o WHERE o.query_key = $1 AND o.book_id = $3)",
             key, from, into) > 0;
}

void tell(db::Transaction& tx, events::Journal& journal, const Caller& by) {
  journal.record(tx, by, {.type = "search.settings_changed", .resource = "SearchPins"});
}

}  // namespace

std::string move_pins(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                      const Caller& by) {
  std::vector<std::string> keys, moved;
  tx.each<std::string>([&](std::string key) { keys.push_back(std::move(key)); },
                       "SELECT query_key FROM search_pins WHERE book_id = $1 ORDER BY query_key", from);
  for (auto& key : keys)
    if (move_pin(tx, key, from, into)) moved.push_back(std::move(key));
  if (!moved.empty()) tell(tx, journal, by);
  return db::pack_list(moved);
}

void move_pins_back(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                    const std::string& note, const Caller& by) {
  bool moved = false;
  for (const auto& key : db::unpack_list(note)) moved = move_pin(tx, key, into, from) || moved;
  if (moved) tell(tx, journal, by);
}

}  // namespace lumina::books
