#include "core/events/follower.hpp"

#include <vector>

namespace lumina::events {

void Follower::start_here() {
  auto work = [](db::Transaction& tx) {
    return std::get<0>(*tx.one<std::string>("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"));
  };
  if (auto xid = database_.read_now(std::move(work))) last_xid_ = *xid;
}

Task<std::size_t> Follower::catch_up() {
  struct Row {
    std::string xid;
    std::int64_t id = 0;
    std::string origin;
    Event event;
  };
  auto work = [xid = last_xid_, id = last_id_](db::Transaction& tx) {
    std::vector<Row> rows;
    tx.each<std::string, std::int64_t, std::string, std::string, std::int64_t, std::optional<UserId>,
            std::optional<BookId>, std::string, Timestamp>(
        [&](std::string x, std::int64_t i, std::string origin, std::string type, std::int64_t resource,
            std::optional<UserId> user, std::optional<BookId> book, std::string payload, Timestamp at) {
          rows.push_back({std::move(x), i, std::move(origin),
                          Event{std::move(type), resource, user, book, std::move(payload), at}});
        },
        "SELECT xid::text, id, origin, type, coalesce(resource_id, 0), user_id, book_id, payload, at FROM outbox "
        "WHERE (xid, id) > ($1::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot()) "
        "ORDER BY xid, id LIMIT 1000",
        xid, id);
    return rows;
  };
  const auto rows = co_await database_.read(std::move(work));
  if (!rows) co_return 0;
  for (const Row& row : *rows)
    if (row.origin != own_origin_) bus_.publish(row.event);
  if (!rows->empty()) {
    last_xid_ = rows->back().xid;
    last_id_ = rows->back().id;
  }
  co_return rows->size();
}

Task<Status> prune_outbox(db::Database& database, Timestamp older_than) {
  auto work = [older_than](db::Transaction& tx) -> Status {
    tx.execute("DELETE FROM outbox WHERE at < $1", older_than);
    return {};
  };
  return database.write(std::move(work));
}

}  // namespace lumina::events
