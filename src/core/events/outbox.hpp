// What happened, as rows that others read: the outbox in one stable order, whoever reads and whenever.
//
// SQLite: by id, which one writer gives in the order of commits. PostgreSQL: by (transaction, id), and only
// behind the oldest transaction that is still open, so that nothing is passed over that commits late.
#pragma once
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::events {

// A place between two events. As text "745-12": the id of the event in front of it.
struct Cursor {
  std::uint64_t xid = 0;  // 0 on SQLite
  std::int64_t id = 0;
  auto operator<=>(const Cursor&) const = default;

  std::string text() const;
  static std::optional<Cursor> parse(std::string_view);
};

struct Recorded {
  Cursor at;
  std::string origin;
  Event event;
};

class Outbox {
 public:
  explicit Outbox(db::Transaction& tx) : tx_(tx) {}
  // Where it stands: behind everything that can be read now.
  Cursor end();
  // `types`: only those; "borrow.*" stands for all that begin so. Empty: all.
  std::vector<Recorded> after(const Cursor& cursor, const std::vector<std::string>& types, std::int64_t most);

 private:
  db::Transaction& tx_;
};

// Whether an event of this type is meant by such a list.
bool wanted(const std::vector<std::string>& types, std::string_view type);

// Removes events that were kept long enough.
Task<Status> prune_outbox(db::Database& database, Timestamp older_than);

}  // namespace lumina::events
