#include "modules/ai/merged_books.hpp"

#include <optional>
#include <vector>

namespace lumina::ai {
namespace {

bool move_one(db::Transaction& tx, events::Journal& journal, std::int64_t id, BookId from, BookId into,
              const Caller& by) {
  if (tx.execute("UPDATE documents SET book_id = $3, version = version + 1 WHERE id = $1 AND book_id = $2",
                 id, from, into) == 0)
    return false;
  std::optional<UserId> owner;
  tx.each<UserId>([&](UserId user) { owner = user; },
                  "SELECT user_id FROM documents WHERE id = $1 AND user_id IS NOT NULL", id);
  journal.record(tx, by,
                 {.type = "document.updated",
                  .resource = "document",
                  .resource_id = id,
                  .subject = owner,
                  .book = into});
  return true;
}

}  // namespace

std::string move_documents(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                           const Caller& by) {
  std::vector<std::int64_t> all;
  tx.each<std::int64_t>([&](std::int64_t id) { all.push_back(id); },
                        "SELECT id FROM documents WHERE book_id = $1 ORDER BY id", from);
  std::vector<std::string> moved;
  for (const auto id : all)
    if (move_one(tx, journal, id, from, into, by)) moved.push_back(std::to_string(id));
  return db::pack_list(moved);
}

void move_documents_back(db::Transaction& tx, events::Journal& journal, BookId from, BookId into,
                         const std::string& note, const Caller& by) {
  for (const auto& id : db::unpack_list(note)) move_one(tx, journal, std::stoll(id), into, from, by);
}

}  // namespace lumina::ai
