#include "modules/books/changed_books.hpp"

#include "modules/books/repository.hpp"

namespace lumina::books {
namespace {

struct Row {
  BookId id;
  Timestamp at;
  std::optional<Timestamp> deleted;
};
const db::Columns<Row> columns{{"id", &Row::id}, {"updated_at", &Row::at}, {"deleted_at", &Row::deleted}};

ChangedBook with_book(db::Transaction& tx, const Row& row) {
  ChangedBook out{row.id, row.at, {}};
  if (!row.deleted) out.book = BookRepository(tx).find(row.id);
  return out;
}

}  // namespace

std::vector<ChangedBook> changed_after(db::Transaction& tx, ChangePlace place, Timestamp end, int most) {
  static const std::string sql = "SELECT " + columns.list() +
                                 " FROM books WHERE (updated_at, id) > ($1, $2) AND updated_at < $3 "
                                 "ORDER BY updated_at, id LIMIT CAST($4 AS BIGINT)";
  std::vector<ChangedBook> out;
  for (const Row& row : tx.list(columns, sql, place.at, place.id, end, most))
    out.push_back(with_book(tx, row));
  return out;
}

std::int64_t count_changed(db::Transaction& tx, Timestamp from, Timestamp end) {
  return std::get<0>(*tx.one<std::int64_t>(
      "SELECT count(*) FROM books WHERE updated_at >= $1 AND updated_at < $2", from, end));
}

std::optional<ChangedBook> changed(db::Transaction& tx, BookId id) {
  static const std::string sql = "SELECT " + columns.list() + " FROM books WHERE id = $1";
  const auto row = tx.find(columns, sql, id);
  return row ? std::optional(with_book(tx, *row)) : std::nullopt;
}

std::optional<Timestamp> first_change(db::Transaction& tx) {
  const auto row = tx.one<std::optional<std::int64_t>>("SELECT min(updated_at) FROM books");
  if (!row || !std::get<0>(*row)) return {};
  return Timestamp{*std::get<0>(*row)};
}

}  // namespace lumina::books
