#include "modules/books/repository.hpp"

#include "core/text/fold.hpp"
#include "modules/books/book_row.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/raw_json_column.hpp"

#include <algorithm>

namespace lumina::books {
namespace {

const db::Columns<Book> book_columns{{"b.id", &Book::id},
                                     {"b.title", &Book::title},
                                     {"b.author", &Book::author},
                                     {"b.isbn", &Book::isbn},
                                     {"b.genre", &Book::genre},
                                     {"b.year_published", &Book::year_published},
                                     {"b.description", &Book::description},
                                     {"b.summary", &Book::summary},
                                     {"b.language", &Book::language},
                                     {"b.publisher", &Book::publisher},
                                     {"b.page_count", &Book::page_count},
                                     {"b.tags", &Book::tags},
                                     {"b.cover_url", &Book::cover_url},
                                     {"b.series", &Book::series},
                                     {"b.series_index", &Book::series_index},
                                     {"b.subjects", &Book::subjects},
                                     {"b.ddc", &Book::ddc},
                                     {"b.lcc", &Book::lcc},
                                     {"b.metadata", &Book::metadata},
                                     {"b.work_id", &Book::work_id},
                                     {"s.copies_total", &Book::copies_total},
                                     {"s.copies_available", &Book::copies_available},
                                     {"s.average_rating", &Book::average_rating},
                                     {"s.review_count", &Book::review_count},
                                     {"b.created_at", &Book::created_at},
                                     {"b.updated_at", &Book::updated_at},
                                     {"b.version", &Book::version}};

constexpr auto from_books = " FROM books b JOIN book_stats s ON s.book_id = b.id WHERE ";

}  // namespace

std::optional<Book> BookRepository::find(BookId id) {
  static const std::string sql =
      "SELECT " + book_columns.list() + from_books + "b.id = $1 AND b.deleted_at IS NULL";
  return tx_.find(book_columns, sql, id);
}

std::vector<Book> BookRepository::between(BookId first, BookId last) {
  static const std::string sql =
      "SELECT " + book_columns.list() + from_books + "b.id BETWEEN $1 AND $2 AND b.deleted_at IS NULL";
  return tx_.list(book_columns, sql, first, last);
}

std::vector<Book> BookRepository::after(BookId id, int most) {
  static const std::string sql = "SELECT " + book_columns.list() + from_books +
                                 "b.id > $1 AND b.deleted_at IS NULL ORDER BY b.id LIMIT CAST($2 AS BIGINT)";
  return tx_.list(book_columns, sql, id, most);
}

BookRepository::Listing BookRepository::list(const BookFilter& filter, const PageRequest& page) {
  Listing listing;
  auto conditions = conditions_of(filter);
  const auto order = order_of(filter);
  if (page.cursor && !continue_after(order, *page.cursor, conditions)) {
    listing.bad_cursor = true;
    return listing;
  }
  const auto limit = conditions.bind(page.limit), offset = conditions.bind(page.skip);
  // The rows that OFFSET skips are walked in an index; only the page itself reads whole rows.
  const std::string sql =
      "SELECT " + book_columns.list() + " FROM (SELECT b.id" + from_books + conditions.where + " ORDER BY " +
      order_by(order) + " LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" + offset +
      " AS BIGINT)) page JOIN books b ON b.id = page.id JOIN book_stats s ON s.book_id = b.id "
      "ORDER BY " +
      order_by(order);
  listing.books = tx_.list(book_columns, sql, conditions.values);
  if (static_cast<std::int64_t>(listing.books.size()) == page.limit) {
    const Book& last = listing.books.back();
    const std::string key_sql = "SELECT " + std::string(order.expression) + from_books + "b.id = $1";
    db::Value key;
    if (order.code == 'i')
      key = db::to_value(std::get<0>(*tx_.one<std::optional<std::int64_t>>(key_sql, last.id)));
    else if (order.code == 'd')
      key = db::to_value(std::get<0>(*tx_.one<std::optional<double>>(key_sql, last.id)));
    else
      key = db::to_value(std::get<0>(*tx_.one<std::optional<std::string>>(key_sql, last.id)));
    listing.next_cursor = encode_cursor(order, key, last.id.value);
  }
  return listing;
}

std::int64_t BookRepository::count(const BookFilter& filter) {
  const auto conditions = conditions_of(filter);
  std::int64_t n = 0;
  const std::string stats = filter.available ? " JOIN book_stats s ON s.book_id = b.id" : "";
  tx_.each_of<std::int64_t>([&](std::int64_t c) { n = c; },
                            "SELECT count(*) FROM books b" + stats + " WHERE " + conditions.where,
                            conditions.values);
  return n;
}

std::int64_t BookRepository::count(const Conditions& conditions) {
  std::int64_t n = 0;
  tx_.each_of<std::int64_t>([&](std::int64_t c) { n = c; },
                            "SELECT count(*) FROM books b WHERE " + conditions.where, conditions.values);
  return n;
}

std::vector<Book> BookRepository::page(Conditions conditions, std::string_view order, std::int64_t skip,
                                       std::int64_t most) {
  const auto limit = conditions.bind(most), offset = conditions.bind(skip);
  const std::string sql = "SELECT " + book_columns.list() + from_books + conditions.where + " ORDER BY " +
                          std::string(order) + " LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" + offset +
                          " AS BIGINT)";
  return tx_.list(book_columns, sql, conditions.values);
}

Facets BookRepository::facets(const BookFilter& filter, int most_values) {
  Facets facets;
  facets.total = count(filter);
  const auto fill = [&](Facet& facet, const std::string& expression) {
    auto conditions = conditions_of(filter);
    const auto limit = conditions.bind(db::to_value(most_values));
    std::int64_t shown = 0;
    tx_.each_of<std::optional<std::string>, std::int64_t>(
        [&](std::optional<std::string> value, std::int64_t n) {
          facet.values.push_back({std::move(value), n});
          shown += n;
        },
        "SELECT " + expression + " AS value, count(*) AS n" + from_books + conditions.where +
            " GROUP BY 1 ORDER BY n DESC, value LIMIT CAST(" + limit + " AS BIGINT)",
        conditions.values);
    facet.other = facets.total - shown;
  };
  fill(facets.genre, "b.genre");
  fill(facets.author, "b.author");
  fill(facets.year_published, "CAST(b.year_published AS TEXT)");
  fill(facets.language, "b.language");
  return facets;
}

std::optional<BookId> BookRepository::insert(const BookRow& row, Timestamp now) {
  const NewBook& b = row.book;
  const auto made = tx_.one<BookId>(
      "INSERT INTO books (title, author, isbn, genre, year_published, description, language, publisher, "
      "page_count, "
      "tags, cover_url, title_key, author_key, match_key, created_at, updated_at, series, series_index, "
      "series_key, subjects, ddc, ddc_key, lcc, lcc_key, metadata, author_match, author_sort) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18, $19, "
      "$20, $21, $22, $23, $24, $25, $26) "
      "ON CONFLICT (isbn) WHERE deleted_at IS NULL DO NOTHING RETURNING id",
      b.title, b.author, b.isbn, b.genre, b.year_published, b.description, b.language, b.publisher,
      b.page_count, b.tags, b.cover_url, row.title_key, row.author_key, row.match_key, now, b.series,
      b.series_index, row.series_key, b.subjects, b.ddc, row.ddc_key, b.lcc, row.lcc_key, b.metadata.text,
      row.author_match, row.author_sort);
  if (!made) return {};
  const BookId id = std::get<0>(*made);
  const int copies = b.copies.value_or(1);
  tx_.execute("INSERT INTO book_stats (book_id, copies_total, copies_available) VALUES ($1, $2, $2)", id,
              copies);
  // A barcode that somebody gave to another copy by hand is passed over.
  for (int made_copies = 0, n = 1; made_copies < copies; ++n)
    made_copies += static_cast<int>(
        tx_.execute("INSERT INTO copies (book_id, barcode, created_at, updated_at) VALUES ($1, $2, $3, $3) "
                    "ON CONFLICT (barcode) DO NOTHING",
                    id, generated_barcode(id, n), now));
  write_parts(id, b);
  return id;
}

void BookRepository::write_parts(BookId id, const NewBook& book) {
  for (const auto& tag : book.tags)
    tx_.execute("INSERT INTO book_tags (book_id, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, tag);
  // In the order of their keys: two books with the same new subjects wait for each other, never in a ring.
  std::vector<std::pair<std::string, std::string>> subjects;
  for (const auto& subject : book.subjects) subjects.emplace_back(text::fold(subject), subject);
  std::ranges::sort(subjects);
  for (const auto& [key, name] : subjects) {
    tx_.execute("INSERT INTO subjects (name, name_key) VALUES ($1, $2) ON CONFLICT (name_key) DO NOTHING",
                name, key);
    tx_.execute(
        "INSERT INTO book_subjects (book_id, subject_id) SELECT CAST($1 AS BIGINT), id FROM subjects WHERE "
        "name_key = $2 ON CONFLICT DO NOTHING",
        id, key);
  }
  for (const auto& [name, value] : metadata_leaves(book.metadata.text))
    if (can_be_kept(name) && can_be_kept(value))
      tx_.execute(
          "INSERT INTO book_metadata (name, value, book_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", name,
          value, id);
}

void BookRepository::erase_parts(BookId id) {
  tx_.execute("DELETE FROM book_tags WHERE book_id = $1", id);
  tx_.execute("DELETE FROM book_subjects WHERE book_id = $1", id);
  tx_.execute("DELETE FROM book_metadata WHERE book_id = $1", id);
}

BookRepository::Change BookRepository::update(BookId id, std::int64_t version, const BookRow& row,
                                              Timestamp now) {
  const NewBook& b = row.book;
  if (b.isbn) {
    const auto holder = find_by_isbn(*b.isbn);
    if (holder && *holder != id) return Change::duplicate_isbn;
  }
  const auto changed = tx_.execute(
      "UPDATE books SET title = $1, author = $2, isbn = $3, genre = $4, year_published = $5, description = "
      "$6, "
      "language = $7, publisher = $8, page_count = $9, tags = $10, cover_url = $11, title_key = $12, "
      "author_key = $13, "
      "match_key = $14, updated_at = $15, version = version + 1, series = $18, series_index = $19, "
      "series_key "
      "= $20, subjects = $21, ddc = $22, ddc_key = $23, lcc = $24, lcc_key = $25, metadata = $26, "
      "author_match = $27, author_sort = $28 WHERE id = $16 AND version = $17 AND deleted_at IS NULL",
      b.title, b.author, b.isbn, b.genre, b.year_published, b.description, b.language, b.publisher,
      b.page_count, b.tags, b.cover_url, row.title_key, row.author_key, row.match_key, now, id, version,
      b.series, b.series_index, row.series_key, b.subjects, b.ddc, row.ddc_key, b.lcc, row.lcc_key,
      b.metadata.text, row.author_match, row.author_sort);
  if (changed == 0) return find(id) ? Change::stale : Change::absent;
  erase_parts(id);
  write_parts(id, b);
  return Change::done;
}

// Copies before counters, the order in which everybody locks them. Whoever adds a copy from here on waits for
// the counters, and finds the book gone; one that was added while we waited is not ours, so we begin anew.
void BookRepository::lock_copies(BookId id) {
  if (!tx_.postgresql()) return;
  std::int64_t locked = 0;
  tx_.each<CopyId>([&](CopyId) { ++locked; },
                   "SELECT id FROM copies WHERE book_id = $1 ORDER BY id FOR NO KEY UPDATE", id);
  tx_.one<BookId>("SELECT book_id FROM book_stats WHERE book_id = $1 FOR NO KEY UPDATE", id);
  const auto there = tx_.one<std::int64_t>("SELECT count(*) FROM copies WHERE book_id = $1", id);
  if (std::get<0>(*there) != locked) throw db::TryAgain("the copies of a book changed meanwhile");
}

BookRepository::Removal BookRepository::erase(BookId id, Timestamp now, std::vector<ErasedCopy>* copies) {
  lock_copies(id);
  if (copies)
    tx_.each<CopyId, std::optional<std::string>, std::string>(
        [&](CopyId copy, std::optional<std::string> barcode, std::string status) {
          copies->push_back({copy, std::move(barcode), std::move(status)});
        },
        "SELECT id, barcode, status FROM copies WHERE book_id = $1 ORDER BY id", id);
  tx_.execute("UPDATE copies SET status = 'withdrawn', barcode = NULL, updated_at = $2 WHERE book_id = $1",
              id, now);
  const auto emptied = tx_.execute(
      "UPDATE book_stats SET copies_total = 0, copies_available = 0 WHERE book_id = $1 AND active_borrows = "
      "0 AND "
      "holds_open = 0",
      id);
  if (emptied == 0) {
    const auto lent = tx_.one<int>(
        "SELECT s.active_borrows FROM book_stats s JOIN books b ON b.id = s.book_id "
        "WHERE b.id = $1 AND b.deleted_at IS NULL",
        id);
    if (!lent) return Removal::absent;
    return std::get<0>(*lent) > 0 ? Removal::on_loan : Removal::on_hold;
  }
  const auto gone = tx_.execute(
      "UPDATE books SET deleted_at = $2, updated_at = $2, version = version + 1 WHERE id = $1 AND deleted_at "
      "IS NULL",
      id, now);
  if (gone == 0) return Removal::absent;
  erase_parts(id);
  return Removal::done;
}

bool BookRepository::put_back(BookId id, Timestamp now) {
  const auto taken = tx_.one<BookId>(
      "SELECT o.id FROM books b JOIN books o ON o.isbn = b.isbn AND o.deleted_at IS NULL WHERE b.id = $1",
      id);
  if (taken) return false;
  tx_.execute(
      "UPDATE books SET deleted_at = NULL, merged_into = NULL, removed_by = NULL, updated_at = $2, version = "
      "version + 1 WHERE id = $1",
      id, now);
  if (const auto book = find(id)) write_parts(id, editable(*book));
  return true;
}

std::optional<BookId> BookRepository::find_by_isbn(std::string_view isbn13) {
  const auto row = tx_.one<BookId>("SELECT id FROM books WHERE isbn = $1 AND deleted_at IS NULL", isbn13);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

std::optional<BookId> BookRepository::find_by_match_key(std::string_view key) {
  const auto row =
      tx_.one<BookId>("SELECT id FROM books WHERE match_key = $1 AND deleted_at IS NULL LIMIT 1", key);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

}  // namespace lumina::books
