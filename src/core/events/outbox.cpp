#include "core/events/outbox.hpp"

#include <algorithm>
#include <charconv>

namespace lumina::events {
namespace {

// json_each has a column `type` of its own.
constexpr auto of_sqlite =
    "SELECT '0', id, origin, type, coalesce(resource_id, 0), user_id, book_id, payload, at FROM outbox "
    "WHERE CAST($1 AS TEXT) IS NOT NULL AND id > $2 AND ($3 = '[]' OR EXISTS (SELECT 1 FROM json_each($3) AS "
    "wanted "
    "WHERE wanted.value = outbox.type OR (wanted.value LIKE '%*' AND substr(outbox.type, 1, "
    "length(wanted.value) - 1) = "
    "substr(wanted.value, 1, length(wanted.value) - 1)))) ORDER BY id LIMIT $4";
constexpr auto of_postgresql =
    "SELECT xid::text, id, origin, type, coalesce(resource_id, 0), user_id, book_id, payload, at FROM outbox "
    "WHERE (xid, id) > ($1::text::xid8, $2::bigint) AND xid < $5::text::xid8 "
    "AND ($3::text = '[]' OR EXISTS (SELECT 1 FROM jsonb_array_elements_text($3::text::jsonb) AS "
    "wanted(value) "
    "WHERE wanted.value = outbox.type OR (wanted.value LIKE '%*' AND left(outbox.type, length(wanted.value) "
    "- 1) = "
    "left(wanted.value, length(wanted.value) - 1)))) ORDER BY xid, id LIMIT $4::bigint";

// The oldest transaction of this database that may still add rows: everything in front of it has committed or
// never will, and who asks next sees it. The snapshot's own xmin would also wait for transactions of other
// databases on the same server. It stands in where the transactions of another role are hidden from us.
constexpr auto oldest_open =
    "WITH now AS MATERIALIZED (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax, "
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin), "
    "open AS (SELECT a.query, (now.xmax - a.backend_xid::text::bigint) & 4294967295 AS behind "
    "FROM now, pg_stat_activity a WHERE a.datname = current_database()) "
    "SELECT (CASE WHEN bool_or(open.query = '<insufficient privilege>') THEN min(now.xmin) "
    "ELSE min(now.xmax) - coalesce(max(open.behind) FILTER (WHERE open.behind < 2147483648), 0) END)::text "
    "FROM now, open";

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string Cursor::text() const { return std::to_string(xid) + "-" + std::to_string(id); }

std::optional<Cursor> Cursor::parse(std::string_view text) {
  const auto dash = text.find('-');
  Cursor cursor;
  if (dash == std::string_view::npos || !read_number(text.substr(0, dash), cursor.xid) ||
      !read_number(text.substr(dash + 1), cursor.id) || cursor.id < 0)
    return std::nullopt;
  return cursor;
}

Cursor Outbox::end() {
  Cursor cursor;
  if (tx_.postgresql()) {
    read_number(std::get<0>(*tx_.one<std::string>(oldest_open)), cursor.xid);
  } else {
    cursor.id = std::get<0>(*tx_.one<std::int64_t>("SELECT coalesce(max(id), 0) FROM outbox"));
  }
  return cursor;
}

std::vector<Recorded> Outbox::after(const Cursor& cursor, const std::vector<std::string>& types,
                                    std::int64_t most) {
  std::vector<Recorded> rows;
  const auto on_row = [&](std::string xid, std::int64_t id, std::string origin, std::string type,
                          std::int64_t resource, std::optional<UserId> user, std::optional<BookId> book,
                          std::string payload, Timestamp at) {
    Recorded row{
        {0, id}, std::move(origin), Event{std::move(type), resource, user, book, std::move(payload), at}};
    read_number(xid, row.at.xid);
    rows.push_back(std::move(row));
  };
  const auto read = [&](std::string_view sql, const auto&... more) {
    tx_.each<std::string, std::int64_t, std::string, std::string, std::int64_t, std::optional<UserId>,
             std::optional<BookId>, std::string, Timestamp>(on_row, sql, std::to_string(cursor.xid),
                                                            cursor.id, types, most, more...);
  };
  if (tx_.postgresql()) {
    const auto horizon =
        std::get<0>(*tx_.one<std::string>(oldest_open));  // before the rows are read: see there
    read(of_postgresql, horizon);
  } else {
    read(of_sqlite);
  }
  return rows;
}

bool wanted(const std::vector<std::string>& types, std::string_view type) {
  return types.empty() || std::ranges::any_of(types, [&](const std::string& t) {
           return t == type ||
                  (t.ends_with('*') && type.starts_with(std::string_view(t).substr(0, t.size() - 1)));
         });
}

Task<Status> prune_outbox(db::Database& database, Timestamp older_than) {
  auto work = [older_than](db::Transaction& tx) -> Status {
    tx.execute("DELETE FROM outbox WHERE at < $1", older_than);
    return {};
  };
  return database.write(std::move(work));
}

}  // namespace lumina::events
