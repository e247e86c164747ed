#include "modules/lists/repository.hpp"

#include "core/text/fold.hpp"

#include <charconv>

namespace lumina::lists {
namespace {

struct Row : Stored {
  UserId owner_id;
  std::string owner_name;
};

db::Columns<Row> columns_with(std::string_view items) {
  return {{"c.id", &Row::id},
          {"c.kind", &Row::kind},
          {"c.name", &Row::name},
          {"c.slug", &Row::slug},
          {"c.description", &Row::description},
          {"c.is_public", &Row::is_public},
          {items, &Row::items},
          {"c.link_token", &Row::link_token},
          {"c.query", &Row::stored_query},
          {"c.created_at", &Row::created_at},
          {"c.updated_at", &Row::updated_at},
          {"c.version", &Row::version},
          {"c.owner_id", &Row::owner_id},
          {"u.full_name", &Row::owner_name},
          {"p.access", &Row::granted}};
}
const auto columns = columns_with(
    "(SELECT count(*) FROM collection_books i JOIN books b ON b.id = i.book_id "
    "WHERE i.collection_id = c.id AND b.deleted_at IS NULL)");
// Counting costs as much as the list is long: not where only rights are looked at.
const auto uncounted = columns_with("0");

struct ItemRow : Item {
  BookId id;
  std::string title, author;
  std::optional<std::string> cover_url;
  std::optional<double> average_rating;
  int copies_available = 0;
};

const db::Columns<ItemRow> item_columns{{"b.id", &ItemRow::id},
                                        {"b.title", &ItemRow::title},
                                        {"b.author", &ItemRow::author},
                                        {"b.cover_url", &ItemRow::cover_url},
                                        {"s.average_rating", &ItemRow::average_rating},
                                        {"coalesce(s.copies_available, 0)", &ItemRow::copies_available},
                                        {"i.position", &ItemRow::position},
                                        {"i.note", &ItemRow::note},
                                        {"i.added_by", &ItemRow::added_by},
                                        {"i.added_at", &ItemRow::added_at}};

// $1 is who asks.
constexpr auto from_collections =
    " FROM collections c JOIN users u ON u.id = c.owner_id "
    "LEFT JOIN collection_permissions p ON p.collection_id = c.id AND p.user_id = $1 ";
constexpr auto from_items =
    " FROM collection_books i JOIN books b ON b.id = i.book_id LEFT JOIN book_stats s ON s.book_id = b.id "
    "WHERE i.collection_id = $1 AND b.deleted_at IS NULL ";
constexpr auto seen =
    "WHERE (c.is_public = 1 OR c.owner_id = $1 OR p.user_id IS NOT NULL) "
    "AND (CAST($2 AS TEXT) IS NULL OR c.kind = CAST($2 AS TEXT)) "
    "AND (CAST($3 AS BIGINT) IS NULL OR c.owner_id = CAST($3 AS BIGINT)) "
    "AND (CAST($4 AS TEXT) IS NULL OR c.slug LIKE CAST($4 AS TEXT) OR lower(c.name) LIKE CAST($4 AS TEXT)) ";

Stored finished(Row row) {
  row.owner = {row.owner_id, std::move(row.owner_name)};
  if (row.stored_query) row.query = schema::RawJson{*row.stored_query};
  return static_cast<Stored&&>(row);
}
Item finished(ItemRow row) {
  row.book = {row.id,
              std::move(row.title),
              std::move(row.author),
              std::move(row.cover_url),
              row.average_rating,
              row.copies_available};
  return static_cast<Item&&>(row);
}

// An id when it is one, else a slug that no list has.
std::int64_t as_id(std::string_view reference) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(reference.data(), reference.data() + reference.size(), id);
  return error == std::errc{} && end == reference.data() + reference.size() ? id : 0;
}

std::string containing(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text::fold(text))
    if (c != '%' && c != '_' && c != '\\') pattern += c;
  return pattern + "%";
}

}  // namespace

std::optional<Stored> CollectionRepository::find(std::string_view reference, UserId asking) {
  static const std::string by_id = "SELECT " + columns.list() + from_collections + "WHERE c.id = $2";
  static const std::string by_slug = "SELECT " + columns.list() + from_collections + "WHERE c.slug = $2";
  const auto id = as_id(reference);
  auto row = id > 0 ? tx_.find(columns, by_id, asking, id) : tx_.find(columns, by_slug, asking, reference);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

std::optional<Stored> CollectionRepository::open(std::string_view reference, UserId asking) {
  static const std::string by_id = "SELECT " + uncounted.list() + from_collections + "WHERE c.id = $2";
  static const std::string by_slug = "SELECT " + uncounted.list() + from_collections + "WHERE c.slug = $2";
  const auto id = as_id(reference);
  if (tx_.postgresql() && tx_.writable()) {
    if (id > 0)
      tx_.one<CollectionId>("SELECT id FROM collections WHERE id = $1 FOR UPDATE", id);
    else
      tx_.one<CollectionId>("SELECT id FROM collections WHERE slug = $1 FOR UPDATE", reference);
  }
  auto row =
      id > 0 ? tx_.find(uncounted, by_id, asking, id) : tx_.find(uncounted, by_slug, asking, reference);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

std::int64_t CollectionRepository::size(CollectionId id) {
  static const std::string sql = std::string("SELECT count(*)") + from_items;
  return std::get<0>(*tx_.one<std::int64_t>(sql, id));
}

std::optional<Stored> CollectionRepository::find_by_link(std::string_view token, UserId asking) {
  static const std::string sql = "SELECT " + columns.list() + from_collections + "WHERE c.link_token = $2";
  auto row = tx_.find(columns, sql, asking, token);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

Page<Stored> CollectionRepository::list(const CollectionFilter& filter, UserId asking,
                                        const PageRequest& page) {
  static const std::string rows = "SELECT " + columns.list() + from_collections + seen +
                                  "ORDER BY c.id DESC LIMIT CAST($5 AS BIGINT) OFFSET CAST($6 AS BIGINT)";
  static const std::string total = std::string("SELECT count(*)") + from_collections + seen;
  const auto owner = filter.mine.value_or(false) ? std::optional(asking) : std::nullopt;
  const auto name = filter.q ? std::optional(containing(*filter.q)) : std::nullopt;
  Page<Stored> out;
  for (auto& row : tx_.list(columns, rows, asking, filter.kind, owner, name, page.limit, page.skip))
    out.items.push_back(finished(std::move(row)));
  out.total = std::get<0>(*tx_.one<std::int64_t>(total, asking, filter.kind, owner, name));
  return out;
}

std::int64_t CollectionRepository::count_of(UserId owner) {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM collections WHERE owner_id = $1", owner));
}

std::optional<CollectionId> CollectionRepository::insert(const NewCollection& made, std::string_view slug,
                                                         UserId owner, Timestamp now) {
  const auto kind = made.kind.value_or(Kind::reading);
  const auto row = tx_.one<CollectionId>(
      "INSERT INTO collections (owner_id, kind, name, slug, description, is_public, created_at, updated_at, "
      "query) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT DO NOTHING RETURNING id",
      owner, kind, made.name, slug, made.description, made.is_public.value_or(kind == Kind::curated), now,
      made.query ? std::optional(made.query->text) : std::nullopt);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

void CollectionRepository::update(const Stored& c, Timestamp now) {
  tx_.execute(
      "UPDATE collections SET name = $2, description = $3, is_public = $4, updated_at = $5, version = "
      "version + 1, query = $6 "
      "WHERE id = $1",
      c.id, c.name, c.description, c.is_public, now, c.query ? std::optional(c.query->text) : std::nullopt);
}

void CollectionRepository::set_link(CollectionId id, const std::optional<std::string>& token, Timestamp now) {
  tx_.execute("UPDATE collections SET link_token = $2, updated_at = $3 WHERE id = $1", id, token, now);
}

void CollectionRepository::touch(CollectionId id, Timestamp now) {
  tx_.execute("UPDATE collections SET updated_at = $2 WHERE id = $1", id, now);
}

void CollectionRepository::erase(CollectionId id) {
  tx_.execute("DELETE FROM collection_books WHERE collection_id = $1", id);
  tx_.execute("DELETE FROM collection_permissions WHERE collection_id = $1", id);
  tx_.execute("DELETE FROM collections WHERE id = $1", id);
}

Page<Item> CollectionRepository::items(CollectionId id, const PageRequest& page) {
  static const std::string rows =
      "SELECT " + item_columns.list() + from_items +
      "ORDER BY i.position, i.book_id LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  Page<Item> out;
  for (auto& row : tx_.list(item_columns, rows, id, page.limit, page.skip))
    out.items.push_back(finished(std::move(row)));
  out.total = size(id);
  return out;
}

std::optional<Item> CollectionRepository::item(CollectionId id, BookId book) {
  static const std::string sql = "SELECT " + item_columns.list() + from_items + "AND i.book_id = $2";
  auto row = tx_.find(item_columns, sql, id, book);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

void CollectionRepository::put(CollectionId id, BookId book, const std::optional<std::string>& note,
                               UserId by, Timestamp now) {
  tx_.execute(
      "INSERT INTO collection_books (collection_id, book_id, position, note, added_by, added_at) "
      "SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), coalesce(max(position), 0) + 1, CAST($3 AS TEXT), "
      "CAST($4 AS BIGINT), CAST($5 AS BIGINT) FROM collection_books WHERE collection_id = CAST($1 AS BIGINT) "
      "ON CONFLICT (collection_id, book_id) DO UPDATE SET note = coalesce(excluded.note, "
      "collection_books.note)",
      id, book, note, by, now);
}

bool CollectionRepository::take(CollectionId id, BookId book) {
  return tx_.execute("DELETE FROM collection_books WHERE collection_id = $1 AND book_id = $2", id, book) > 0;
}

std::vector<BookId> CollectionRepository::order(CollectionId id) {
  std::vector<BookId> books;
  tx_.each<BookId>([&](BookId book) { books.push_back(book); },
                   "SELECT i.book_id FROM collection_books i JOIN books b ON b.id = i.book_id "
                   "WHERE i.collection_id = $1 AND b.deleted_at IS NULL ORDER BY i.position, i.book_id",
                   id);
  return books;
}

void CollectionRepository::place(CollectionId id, BookId book, std::int64_t position) {
  tx_.execute("UPDATE collection_books SET position = $3 WHERE collection_id = $1 AND book_id = $2", id, book,
              position);
}

std::vector<Grant> CollectionRepository::grants(CollectionId id) {
  std::vector<Grant> all;
  tx_.each<UserId, Access>(
      [&](UserId user, Access access) { all.push_back({user, access}); },
      "SELECT user_id, access FROM collection_permissions WHERE collection_id = $1 ORDER BY user_id", id);
  return all;
}

bool CollectionRepository::grant(CollectionId id, UserId user, Access access, Timestamp now) {
  return tx_.execute(
             "INSERT INTO collection_permissions (collection_id, user_id, access, granted_at) "
             "SELECT CAST($1 AS BIGINT), u.id, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM users u "
             "WHERE u.id = $2 AND u.deleted_at IS NULL "
             "ON CONFLICT (collection_id, user_id) DO UPDATE SET access = excluded.access",
             id, user, access, now) > 0;
}

bool CollectionRepository::revoke(CollectionId id, UserId user) {
  return tx_.execute("DELETE FROM collection_permissions WHERE collection_id = $1 AND user_id = $2", id,
                     user) > 0;
}

Statistics CollectionRepository::statistics(CollectionId id) {
  Statistics out;
  const auto row = tx_.one<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::optional<double>>(
      "SELECT count(*), coalesce(sum(CASE WHEN s.copies_available > 0 THEN 1 ELSE 0 END), 0), "
      "CAST(coalesce(sum(s.total_borrows), 0) AS BIGINT), CAST(coalesce(sum(b.page_count), 0) AS BIGINT), "
      "round(avg(s.average_rating) * 100) / 100.0 "
      "FROM collection_books i JOIN books b ON b.id = i.book_id LEFT JOIN book_stats s ON s.book_id = b.id "
      "WHERE i.collection_id = $1 AND b.deleted_at IS NULL",
      id);
  if (row) std::tie(out.items, out.available, out.loans, out.pages, out.average_rating) = *row;
  return out;
}

std::int64_t CollectionRepository::loans_of(BookId book) {
  const auto row = tx_.one<std::int64_t>("SELECT total_borrows FROM book_stats WHERE book_id = $1", book);
  return row ? std::get<0>(*row) : 0;
}

std::vector<ListedIn> CollectionRepository::holding(BookId book, UserId owner) {
  std::vector<ListedIn> all;
  tx_.each<CollectionId, std::string, Kind>(
      [&](CollectionId id, std::string name, Kind kind) { all.push_back({id, std::move(name), kind}); },
      "SELECT c.id, c.name, c.kind FROM collection_books i JOIN collections c ON c.id = i.collection_id "
      "WHERE i.book_id = $1 AND c.owner_id = $2 ORDER BY c.id",
      book, owner);
  return all;
}

void CollectionRepository::forget(UserId user) {
  tx_.execute("DELETE FROM collection_permissions WHERE user_id = $1", user);
  tx_.execute(
      "DELETE FROM collection_permissions WHERE collection_id IN "
      "(SELECT id FROM collections WHERE owner_id = $1 AND kind <> 'curated')",
      user);
  tx_.execute(
      "DELETE FROM collection_books WHERE collection_id IN "
      "(SELECT id FROM collections WHERE owner_id = $1 AND kind <> 'curated')",
      user);
  tx_.execute("DELETE FROM collections WHERE owner_id = $1 AND kind <> 'curated'", user);
}

}  // namespace lumina::lists
