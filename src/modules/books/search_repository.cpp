#include "modules/books/search_repository.hpp"

#include "modules/books/raw_json_column.hpp"

#include <array>
#include <unordered_map>

namespace lumina::books {
namespace {

const db::Columns<IndexedBook> indexed_columns{{"b.id", &IndexedBook::id},
                                               {"b.title", &IndexedBook::title},
                                               {"b.author", &IndexedBook::author},
                                               {"b.isbn", &IndexedBook::isbn},
                                               {"b.genre", &IndexedBook::genre},
                                               {"b.year_published", &IndexedBook::year_published},
                                               {"b.description", &IndexedBook::description},
                                               {"b.summary", &IndexedBook::summary},
                                               {"b.language", &IndexedBook::language},
                                               {"b.publisher", &IndexedBook::publisher},
                                               {"b.page_count", &IndexedBook::page_count},
                                               {"b.tags", &IndexedBook::tags},
                                               {"b.cover_url", &IndexedBook::cover_url},
                                               {"b.series", &IndexedBook::series},
                                               {"b.series_index", &IndexedBook::series_index},
                                               {"b.subjects", &IndexedBook::subjects},
                                               {"b.ddc", &IndexedBook::ddc},
                                               {"b.lcc", &IndexedBook::lcc},
                                               {"b.metadata", &IndexedBook::metadata},
                                               {"b.work_id", &IndexedBook::work_id},
                                               {"s.copies_total", &IndexedBook::copies_total},
                                               {"s.copies_available", &IndexedBook::copies_available},
                                               {"s.average_rating", &IndexedBook::average_rating},
                                               {"s.review_count", &IndexedBook::review_count},
                                               {"s.total_borrows", &IndexedBook::total_borrows},
                                               {"b.created_at", &IndexedBook::created_at},
                                               {"b.updated_at", &IndexedBook::updated_at},
                                               {"b.version", &IndexedBook::version}};

struct StoredSynonyms {
  std::vector<std::string> terms;
  bool one_way = false;
};
const db::Columns<StoredSynonyms> synonym_columns{{"terms", &StoredSynonyms::terms},
                                                  {"one_way", &StoredSynonyms::one_way}};

const db::Columns<QueryFigures> figure_columns{{"query_key", &QueryFigures::query},
                                               {"sum(searches)", &QueryFigures::searches},
                                               {"sum(clicks)", &QueryFigures::clicks}};

// Ids as parameters of one of three statements, so that few are kept prepared; 0 is no book.
struct Ids {
  std::string list;
  std::vector<db::Value> values;

  explicit Ids(std::span<const std::int64_t> ids) {
    const std::size_t room = ids.size() <= 1 ? 1 : ids.size() <= 20 ? 20 : SearchRepository::most_at_once;
    for (std::size_t i = 0; i < room; ++i) {
      list += (i > 0 ? ", " : "") + bind(i < ids.size() ? ids[i] : 0);
    }
  }
  std::string bind(std::int64_t id) {
    values.push_back(db::to_value(id));
    return "$" + std::to_string(values.size());
  }
};

// The other names of their authors, from rows of (book, name).
void add_names(std::vector<IndexedBook>& books, std::vector<std::pair<BookId, std::string>> names) {
  std::unordered_map<BookId, IndexedBook*> by_id;
  for (auto& book : books) by_id.emplace(book.id, &book);
  for (auto& [id, name] : names)
    if (const auto found = by_id.find(id); found != by_id.end() && found->second->author != name)
      found->second->author_names.push_back(std::move(name));
}

Pins pins_of(db::Transaction& tx, std::string_view sql) {
  Pins out;
  tx.each<std::string, BookId>(
      [&](std::string query, BookId book) {
        if (out.pins.empty() || out.pins.back().query != query) out.pins.push_back({std::move(query), {}});
        out.pins.back().books.push_back(book);
      },
      sql);
  return out;
}

}  // namespace

std::vector<IndexedBook> SearchRepository::books(std::span<const std::int64_t> ids) {
  Ids chosen(ids);
  const std::string places = std::move(chosen.list);
  auto books = tx_.list(
      indexed_columns,
      "SELECT " + indexed_columns.list() +
          " FROM books b JOIN book_stats s ON s.book_id = b.id WHERE b.deleted_at IS NULL AND b.id IN (" +
          places + ")",
      chosen.values);
  std::vector<std::pair<BookId, std::string>> names;
  tx_.each_of<BookId, std::string>(
      [&](BookId id, std::string name) { names.emplace_back(id, std::move(name)); },
      "SELECT b.id, n.name FROM books b JOIN author_names k ON k.name_key = b.author_match JOIN author_names "
      "n "
      "ON n.author_id = k.author_id WHERE b.id IN (" +
          places + ")",
      chosen.values);
  add_names(books, std::move(names));
  return books;
}

std::vector<LiveFigures> SearchRepository::figures(std::span<const std::int64_t> ids) {
  Ids chosen(ids);
  const std::string places = std::move(chosen.list);
  std::vector<LiveFigures> out;
  tx_.each_of<std::int64_t, int, int, std::optional<double>>(
      [&](std::int64_t id, int borrows, int available, std::optional<double> rating) {
        out.push_back({id, borrows, available, rating});
      },
      "SELECT s.book_id, s.total_borrows, s.copies_available, s.average_rating FROM book_stats s "
      "WHERE s.book_id IN (" +
          places + ")",
      chosen.values);
  return out;
}

std::vector<IndexedBook> SearchRepository::books_after(std::int64_t id, std::int64_t most) {
  static const std::string sql = "SELECT " + indexed_columns.list() +
                                 " FROM books b JOIN book_stats s ON s.book_id = b.id "
                                 "WHERE b.id > $1 AND b.deleted_at IS NULL ORDER BY b.id LIMIT $2";
  auto books = tx_.list(indexed_columns, sql, id, most);
  if (books.empty()) return books;
  std::vector<std::pair<BookId, std::string>> names;
  tx_.each<BookId, std::string>(
      [&](BookId book, std::string name) { names.emplace_back(book, std::move(name)); },
      "SELECT b.id, n.name FROM author_names k JOIN author_names n ON n.author_id = k.author_id JOIN books b "
      "ON "
      "b.author_match = k.name_key WHERE b.id > $1 AND b.id <= $2",
      id, books.back().id);
  add_names(books, std::move(names));
  return books;
}

std::vector<std::int64_t> SearchRepository::ids_after(std::int64_t id, std::int64_t most) {
  std::vector<std::int64_t> ids;
  tx_.each<std::int64_t>([&](std::int64_t one) { ids.push_back(one); },
                         "SELECT id FROM books WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2", id,
                         most);
  return ids;
}

Synonyms SearchRepository::synonyms() {
  Synonyms out;
  for (auto& row : tx_.list(synonym_columns, "SELECT terms, one_way FROM search_synonyms ORDER BY id"))
    out.sets.push_back({std::move(row.terms), row.one_way});
  return out;
}

void SearchRepository::replace_synonyms(const Synonyms& synonyms) {
  tx_.execute("DELETE FROM search_synonyms");
  for (const auto& set : synonyms.sets)
    tx_.execute("INSERT INTO search_synonyms (terms, one_way) VALUES ($1, $2)", set.terms,
                set.one_way.value_or(false) ? 1 : 0);
}

StopWords SearchRepository::stop_words() {
  StopWords out;
  tx_.each<std::string>([&](std::string word) { out.words.push_back(std::move(word)); },
                        "SELECT word FROM search_stop_words ORDER BY word");
  return out;
}

void SearchRepository::replace_stop_words(const StopWords& words) {
  tx_.execute("DELETE FROM search_stop_words");
  for (const auto& word : words.words)
    tx_.execute("INSERT INTO search_stop_words (word) VALUES ($1) ON CONFLICT DO NOTHING", word);
}

Pins SearchRepository::pins() {
  return pins_of(tx_,
                 "SELECT p.query, p.book_id FROM search_pins p JOIN books b ON b.id = p.book_id "
                 "WHERE b.deleted_at IS NULL ORDER BY p.query_key, p.position");
}

Pins SearchRepository::all_pins() {
  return pins_of(tx_, "SELECT query, book_id FROM search_pins ORDER BY query_key, position");
}

bool SearchRepository::replace_pins(const Pins& pins, const std::vector<std::string>& keys) {
  tx_.execute("DELETE FROM search_pins");
  for (std::size_t i = 0; i < pins.pins.size(); ++i) {
    std::int64_t position = 0;
    for (const BookId book : pins.pins[i].books) {
      const auto made = tx_.execute(
          "INSERT INTO search_pins (query_key, query, position, book_id) "
          "SELECT $1, $2, $3, b.id FROM books b WHERE b.id = $4 AND b.deleted_at IS NULL",
          keys[i], pins.pins[i].query, position++, book);
      if (made == 0) return false;
    }
  }
  return true;
}

void SearchRepository::add_counts(std::string_view day, const std::vector<QueryCount>& counts) {
  for (const auto& c : counts)
    tx_.execute(
        "INSERT INTO search_queries (day, query_key, searches, misses) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (day, query_key) DO UPDATE SET searches = search_queries.searches + excluded.searches, "
        "misses = search_queries.misses + excluded.misses",
        day, c.query_key, c.searches, c.misses);
}

bool SearchRepository::add_click(std::string_view day, std::string_view query_key, BookId book) {
  const auto kept = tx_.execute(
      "INSERT INTO search_clicks (day, query_key, book_id, clicks) "
      "SELECT $1, $2, b.id, 1 FROM books b WHERE b.id = $3 AND b.deleted_at IS NULL "
      "ON CONFLICT (day, query_key, book_id) DO UPDATE SET clicks = search_clicks.clicks + 1",
      day, query_key, book);
  if (kept == 0) return false;
  tx_.execute(
      "INSERT INTO search_queries (day, query_key, clicks) VALUES ($1, $2, 1) "
      "ON CONFLICT (day, query_key) DO UPDATE SET clicks = search_queries.clicks + 1",
      day, query_key);
  return true;
}

SearchReport SearchRepository::report(std::string_view from_day, int limit) {
  SearchReport out;
  const auto sums =
      tx_.one<std::optional<std::int64_t>, std::optional<std::int64_t>, std::optional<std::int64_t>>(
          "SELECT CAST(sum(searches) AS BIGINT), CAST(sum(misses) AS BIGINT), CAST(sum(clicks) AS BIGINT) "
          "FROM search_queries WHERE day >= $1",
          from_day);
  if (sums) {
    out.searches = std::get<0>(*sums).value_or(0);
    out.without_result = std::get<1>(*sums).value_or(0);
    out.clicks = std::get<2>(*sums).value_or(0);
  }
  const auto most = static_cast<std::int64_t>(limit);
  out.top = tx_.list(
      figure_columns,
      "SELECT query_key, CAST(sum(searches) AS BIGINT), CAST(sum(clicks) AS BIGINT) FROM search_queries "
      "WHERE day >= $1 GROUP BY query_key HAVING sum(searches) > 0 "
      "ORDER BY sum(searches) DESC, query_key LIMIT $2",
      from_day, most);
  out.no_result = tx_.list(
      figure_columns,
      "SELECT query_key, CAST(sum(misses) AS BIGINT), CAST(sum(clicks) AS BIGINT) FROM search_queries "
      "WHERE day >= $1 GROUP BY query_key HAVING sum(misses) > 0 "
      "ORDER BY sum(misses) DESC, query_key LIMIT $2",
      from_day, most);
  tx_.each<std::string, BookId, std::int64_t>(
      [&](std::string query, BookId book, std::int64_t clicks) {
        out.top_clicks.push_back({std::move(query), book, clicks});
      },
      "SELECT query_key, book_id, CAST(sum(clicks) AS BIGINT) FROM search_clicks WHERE day >= $1 "
      "GROUP BY query_key, book_id ORDER BY sum(clicks) DESC, query_key, book_id LIMIT $2",
      from_day, most);
  return out;
}

std::int64_t SearchRepository::forget_before(std::string_view day) {
  return tx_.execute("DELETE FROM search_clicks WHERE day < $1", day) +
         tx_.execute("DELETE FROM search_queries WHERE day < $1", day);
}

}  // namespace lumina::books
