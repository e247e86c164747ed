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
    "WHERE (xid, id) > ($1::text::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot()) "
    "AND ($3::text = '[]' OR EXISTS (SELECT 1 FROM jsonb_array_elements_text($3::text::jsonb) AS "
    "wanted(value) "
    "WHERE wanted.value = outbox.type OR (wanted.value LIKE '%*' AND left(outbox.type, length(wanted.value) "
    "- 1) = "
    "left(wanted.value, length(wanted.value) - 1)))) ORDER BY xid, id LIMIT $4::bigint";

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
    const auto xmin =
        std::get<0>(*tx_.one<std::string>("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"));
    read_number(xmin, cursor.xid);
  } else {
    cursor.id = std::get<0>(*tx_.one<std::int64_t>("SELECT coalesce(max(id), 0) FROM outbox"));
  }
  return cursor;
}

std::vector<Recorded> Outbox::after(const Cursor& cursor, const std::vector<std::string>& types,
                                    std::int64_t most) {
  std::vector<Recorded> rows;
  tx_.each<std::string, std::int64_t, std::string, std::string, std::int64_t, std::optional<UserId>,
           std::optional<BookId>, std::string, Timestamp>(
      [&](std::string xid, std::int64_t id, std::string origin, std::string type, std::int64_t resource,
          std::optional<UserId> user, std::optional<BookId> book, std::string payload, Timestamp at) {
        Recorded row{
            {0, id}, std::move(origin), Event{std::move(type), resource, user, book, std::move(payload), at}};
        read_number(xid, row.at.xid);
        rows.push_back(std::move(row));
      },
      tx_.postgresql() ? of_postgresql : of_sqlite, std::to_string(cursor.xid), cursor.id, types, most);
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
