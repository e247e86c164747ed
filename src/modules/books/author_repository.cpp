#include "modules/books/author_repository.hpp"

#include "core/base/text.hpp"
#include "modules/books/normalize.hpp"

namespace lumina::books {
namespace {

const db::Columns<Author> columns{{"a.id", &Author::id},
                                  {"a.name", &Author::name},
                                  {"a.note", &Author::note},
                                  {"a.viaf", &Author::viaf},
                                  {"(SELECT count(*) FROM author_names n JOIN books b ON b.author_match = "
                                   "n.name_key AND b.deleted_at IS NULL "
                                   "WHERE n.author_id = a.id)",
                                   &Author::books},
                                  {"a.created_at", &Author::created_at},
                                  {"a.updated_at", &Author::updated_at},
                                  {"a.version", &Author::version}};

}  // namespace

void AuthorRepository::fill_names(Author& author) {
  tx_.each<std::string>(
      [&](std::string name) {
        if (name != author.name) author.variants.push_back(std::move(name));
      },
      "SELECT name FROM author_names WHERE author_id = $1 ORDER BY name_key", author.id);
}

std::optional<Author> AuthorRepository::find(AuthorId id) {
  static const std::string sql = "SELECT " + columns.list() + " FROM authors a WHERE a.id = $1";
  auto author = tx_.find(columns, sql, id);
  if (author) fill_names(*author);
  return author;
}

std::optional<Author> AuthorRepository::find_locked(AuthorId id) {
  if (tx_.postgresql()) tx_.one<AuthorId>("SELECT id FROM authors WHERE id = $1 FOR UPDATE", id);
  return find(id);
}

Page<Author> AuthorRepository::list(const AuthorFilter& filter, const PageRequest& page) {
  // Keys hold letters, digits and spaces only, so nothing in them is special to LIKE.
  static const std::string sql =
      "SELECT " + columns.list() +
      " FROM authors a WHERE CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM author_names n WHERE "
      "n.author_id "
      "= a.id AND ' ' || n.name_key LIKE '% ' || CAST($1 AS TEXT) || '%') ORDER BY a.name, a.id "
      "LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  std::optional<std::string> words;
  if (filter.q) words = plain_words(*filter.q);
  Page<Author> out;
  out.items = tx_.list(columns, sql, words, page.limit, page.skip);
  for (auto& author : out.items) fill_names(author);
  out.total = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM authors a WHERE CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM author_names n "
      "WHERE n.author_id = a.id AND ' ' || n.name_key LIKE '% ' || CAST($1 AS TEXT) || '%')",
      words));
  return out;
}

AuthorId AuthorRepository::insert(const NewAuthor& author, Timestamp now) {
  return std::get<0>(
      *tx_.one<AuthorId>("INSERT INTO authors (name, note, viaf, created_at, updated_at) VALUES ($1, $2, $3, "
                         "$4, $4) RETURNING id",
                         author.name, author.note, author.viaf, now));
}

void AuthorRepository::update(const Author& author, Timestamp now) {
  tx_.execute(
      "UPDATE authors SET name = $2, note = $3, viaf = $4, updated_at = $5, version = version + 1 WHERE id = "
      "$1",
      author.id, author.name, author.note, author.viaf, now);
}

void AuthorRepository::erase(AuthorId id) {
  erase_names(id);
  tx_.execute("DELETE FROM authors WHERE id = $1", id);
}

bool AuthorRepository::add_name(AuthorId id, std::string_view name, std::string_view key) {
  tx_.execute(
      "INSERT INTO author_names (author_id, name, name_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", id,
      name, key);
  const auto owner = tx_.one<AuthorId>("SELECT author_id FROM author_names WHERE name_key = $1", key);
  return owner && std::get<0>(*owner) == id;
}

void AuthorRepository::erase_names(AuthorId id) {
  tx_.execute("DELETE FROM author_names WHERE author_id = $1", id);
}

std::vector<BookId> AuthorRepository::titles_of(std::string_view key) {
  std::vector<BookId> all;
  tx_.each<BookId>([&](BookId id) { all.push_back(id); },
                   "SELECT id FROM books WHERE author_match = $1 AND deleted_at IS NULL ORDER BY id", key);
  return all;
}

std::vector<BookId> AuthorRepository::titles(AuthorId id) {
  std::vector<BookId> all;
  tx_.each<BookId>(
      [&](BookId book) { all.push_back(book); },
      "SELECT b.id FROM author_names n JOIN books b ON b.author_match = n.name_key AND b.deleted_at "
      "IS NULL WHERE n.author_id = $1 ORDER BY b.id",
      id);
  return all;
}

}  // namespace lumina::books
