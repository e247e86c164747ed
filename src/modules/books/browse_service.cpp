#include "modules/books/browse_service.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "modules/books/class_mark.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lumina::books {
namespace {

constexpr int usual_limit = 20;

std::string path_of(Drawer drawer) {
  return "/api/v1/browse/" + std::string(drawer_names[static_cast<std::size_t>(drawer)]);
}

std::string key_of(Drawer drawer, std::string_view text) {
  if (drawer == Drawer::ddc)
    if (auto key = ddc_shelf_key(text)) return *key;
  if (drawer == Drawer::lcc)
    if (auto key = lcc_shelf_key(text)) return *key;
  return text::fold(trim(text));
}

struct Statements {
  std::string_view forward, backward, any_before;
};

Statements statements_of(Drawer drawer) {
  switch (drawer) {
    case Drawer::titles:
      return {
          "SELECT min(title), title_key, count(*) FROM books WHERE deleted_at IS NULL AND title_key >= $1 "
          "GROUP "
          "BY title_key ORDER BY title_key LIMIT CAST($2 AS BIGINT)",
          "SELECT min(title), title_key, count(*) FROM books WHERE deleted_at IS NULL AND title_key < $1 "
          "GROUP "
          "BY title_key ORDER BY title_key DESC LIMIT CAST($2 AS BIGINT)",
          "SELECT id FROM books WHERE deleted_at IS NULL AND title_key < $1 LIMIT 1"};
    case Drawer::authors:
      return {
          "SELECT min(author), author_sort, count(*) FROM books WHERE deleted_at IS NULL AND author_sort >= "
          "$1 "
          "GROUP BY author_sort ORDER BY author_sort LIMIT CAST($2 AS BIGINT)",
          "SELECT min(author), author_sort, count(*) FROM books WHERE deleted_at IS NULL AND author_sort < "
          "$1 "
          "GROUP BY author_sort ORDER BY author_sort DESC LIMIT CAST($2 AS BIGINT)",
          "SELECT id FROM books WHERE deleted_at IS NULL AND author_sort < $1 LIMIT 1"};
    case Drawer::subjects:
      return {
          "SELECT min(s.name), s.name_key, count(*) FROM subjects s JOIN book_subjects b ON b.subject_id = "
          "s.id "
          "WHERE s.name_key >= $1 GROUP BY s.name_key ORDER BY s.name_key LIMIT CAST($2 AS BIGINT)",
          "SELECT min(s.name), s.name_key, count(*) FROM subjects s JOIN book_subjects b ON b.subject_id = "
          "s.id "
          "WHERE s.name_key < $1 GROUP BY s.name_key ORDER BY s.name_key DESC LIMIT CAST($2 AS BIGINT)",
          "SELECT b.book_id FROM subjects s JOIN book_subjects b ON b.subject_id = s.id WHERE s.name_key < "
          "$1 "
          "LIMIT 1"};
    case Drawer::series:
      return {
          "SELECT min(series), series_key, count(*) FROM books WHERE deleted_at IS NULL AND series_key IS "
          "NOT "
          "NULL AND series_key >= $1 GROUP BY series_key ORDER BY series_key LIMIT CAST($2 AS BIGINT)",
          "SELECT min(series), series_key, count(*) FROM books WHERE deleted_at IS NULL AND series_key IS "
          "NOT "
          "NULL AND series_key < $1 GROUP BY series_key ORDER BY series_key DESC LIMIT CAST($2 AS BIGINT)",
          "SELECT id FROM books WHERE deleted_at IS NULL AND series_key IS NOT NULL AND series_key < $1 "
          "LIMIT 1"};
    case Drawer::ddc:
      return {
          "SELECT min(ddc), ddc_key, count(*) FROM books WHERE deleted_at IS NULL AND ddc_key IS NOT NULL "
          "AND "
          "ddc_key >= $1 GROUP BY ddc_key ORDER BY ddc_key LIMIT CAST($2 AS BIGINT)",
          "SELECT min(ddc), ddc_key, count(*) FROM books WHERE deleted_at IS NULL AND ddc_key IS NOT NULL "
          "AND "
          "ddc_key < $1 GROUP BY ddc_key ORDER BY ddc_key DESC LIMIT CAST($2 AS BIGINT)",
          "SELECT id FROM books WHERE deleted_at IS NULL AND ddc_key IS NOT NULL AND ddc_key < $1 LIMIT 1"};
    case Drawer::lcc:
      break;
  }
  return {
      "SELECT min(lcc), lcc_key, count(*) FROM books WHERE deleted_at IS NULL AND lcc_key IS NOT NULL AND "
      "lcc_key >= $1 GROUP BY lcc_key ORDER BY lcc_key LIMIT CAST($2 AS BIGINT)",
      "SELECT min(lcc), lcc_key, count(*) FROM books WHERE deleted_at IS NULL AND lcc_key IS NOT NULL AND "
      "lcc_key < $1 GROUP BY lcc_key ORDER BY lcc_key DESC LIMIT CAST($2 AS BIGINT)",
      "SELECT id FROM books WHERE deleted_at IS NULL AND lcc_key IS NOT NULL AND lcc_key < $1 LIMIT 1"};
}

Conditions under_heading(Drawer drawer, std::string key) {
  Conditions c;
  const auto value = c.bind(std::move(key));
  switch (drawer) {
    case Drawer::titles:
      c.where += " AND b.title_key = " + value;
      break;
    case Drawer::authors:
      c.where += " AND b.author_sort = " + value;
      break;
    case Drawer::subjects:
      c.where +=
          " AND EXISTS (SELECT 1 FROM book_subjects bs JOIN subjects sj ON sj.id = bs.subject_id WHERE "
          "bs.book_id = "
          "b.id AND sj.name_key = " +
          value + ")";
      break;
    case Drawer::series:
      c.where += " AND b.series_key = " + value;
      break;
    case Drawer::ddc:
      c.where += " AND b.ddc_key = " + value;
      break;
    case Drawer::lcc:
      c.where += " AND b.lcc_key = " + value;
      break;
  }
  return c;
}

std::string_view order_under(Drawer drawer) {
  return drawer == Drawer::series ? "b.series_index NULLS LAST, b.title_key, b.id" : "b.title_key, b.id";
}

Headings read_headings(db::Transaction& tx, Drawer drawer, const BrowseRequest& request) {
  const auto sql = statements_of(drawer);
  const int limit = request.limit.value_or(usual_limit);
  const bool backward = request.before.has_value();
  const std::string at = backward ? *request.before : key_of(drawer, request.from.value_or(""));
  Headings out;
  bool more = false;
  tx.each<std::string, std::string, std::int64_t>(
      [&](std::string heading, std::string key, std::int64_t count) {
        if (static_cast<int>(out.items.size()) == limit) {
          more = true;
          return;
        }
        auto books = path_of(drawer) + "/books?key=" + percent_encode(key);
        out.items.push_back({std::move(heading), std::move(key), count, std::move(books)});
      },
      backward ? sql.backward : sql.forward, at, limit + 1);
  if (backward) std::ranges::reverse(out.items);
  const auto page = [&](std::string_view name, const std::string& key) {
    return fmt::format("{}?{}={}&limit={}", path_of(drawer), name, percent_encode(key), limit);
  };
  if (out.items.empty()) {
    if (!backward && tx.one<BookId>(sql.any_before, at)) out.prev = page("before", at);
    return out;
  }
  // Keys are compared as bytes: the smallest text behind a key is the key and one more byte.
  const auto first = out.items.front().key, behind = out.items.back().key + '\x01';
  if (backward ? more : tx.one<BookId>(sql.any_before, first).has_value()) out.prev = page("before", first);
  if (backward) {
    out.next = page("from", at);
  } else if (more) {
    out.next = page("from", behind);
  }
  return out;
}

struct Problem {
  std::string_view kind, description;
  int weight;  // what one such book costs in points of a hundred
};
constexpr Problem problems[] = {
    {"missing_isbn", "No ISBN, though published since 1970, when they came up", 0},
    {"missing_genre", "No genre", 0},
    {"missing_year", "No year of publication", 0},
    {"missing_language", "No language", 0},
    {"missing_description", "No description", 0},
    {"missing_subjects", "Neither subjects nor tags", 0},
    {"missing_publisher", "No publisher", 0},
    {"missing_class_mark", "Neither a Dewey nor a Library of Congress class mark", 0},
    {"year_in_future", "Published after this year", 100},
    {"year_zero", "Published in the year 0, which never was", 100},
    {"year_before_isbn", "Has an ISBN and a year before 1500: the year of the work, not of the book", 20},
    {"author_unknown", "The author is Unknown, Anonymous, a number or a sign", 40},
    {"title_in_capitals", "The title is written in capitals only", 20},
    {"title_has_markup", "The title has HTML in it", 60},
    {"no_copies", "The library owns no copy", 0},
    {"series_without_index", "Part of a series, without its place in it", 10},
};

// Nothing for a kind that is not among them.
std::optional<Conditions> with(std::string_view kind, int year) {
  Conditions c;
  const auto require = [&](std::string_view condition) { c.where.append(" AND ").append(condition); };
  if (kind == "missing_isbn")
    require("b.isbn IS NULL AND (b.year_published IS NULL OR b.year_published >= 1970)");
  else if (kind == "missing_genre")
    require("b.genre IS NULL");
  else if (kind == "missing_year")
    require("b.year_published IS NULL");
  else if (kind == "missing_language")
    require("b.language IS NULL");
  else if (kind == "missing_description")
    require("b.description IS NULL");
  else if (kind == "missing_subjects")
    require("b.subjects = '[]' AND b.tags = '[]'");
  else if (kind == "missing_publisher")
    require("b.publisher IS NULL");
  else if (kind == "missing_class_mark")
    require("b.ddc IS NULL AND b.lcc IS NULL");
  else if (kind == "year_in_future")
    c.where += " AND b.year_published > " + c.bind(db::to_value(year));
  else if (kind == "year_zero")
    require("b.year_published = 0");
  else if (kind == "year_before_isbn")
    require("b.isbn IS NOT NULL AND b.year_published < 1500");
  else if (kind == "author_unknown")
    require(
        "(b.author_key IN ('unknown', 'anonymous', 'anon', 'n/a', 'none', 'various') OR b.author_match = '' "
        "OR "
        "b.author_match < 'a')");
  else if (kind == "title_in_capitals")
    require("length(b.title) >= 8 AND b.title = upper(b.title) AND b.title <> lower(b.title)");
  else if (kind == "title_has_markup")
    require("(b.title LIKE '%<%>%' OR b.title LIKE '%&amp;%' OR b.title LIKE '%&#%')");
  else if (kind == "no_copies")
    require("NOT EXISTS (SELECT 1 FROM book_stats st WHERE st.book_id = b.id AND st.copies_total > 0)");
  else if (kind == "series_without_index")
    require("b.series IS NOT NULL AND b.series_index IS NULL");
  else
    return {};
  return c;
}

std::string problem_path(std::string_view kind) { return "/api/v1/admin/data-quality/" + std::string(kind); }

void profile(db::Transaction& tx, DataQuality& out) {
  constexpr std::string_view names[] = {"isbn",     "genre",     "year_published", "description",
                                        "language", "publisher", "page_count"};
  constexpr std::string_view kinds[] = {"missing_isbn",
                                        "missing_genre",
                                        "missing_year",
                                        "missing_description",
                                        "missing_language",
                                        "missing_publisher",
                                        ""};
  const auto row = tx.one<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                          std::int64_t, std::int64_t>(
      "SELECT count(*), count(isbn), count(genre), count(year_published), count(description), "
      "count(language), "
      "count(publisher), count(page_count) FROM books WHERE deleted_at IS NULL");
  const auto different = tx.one<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                                std::int64_t>(
      "SELECT count(DISTINCT isbn), count(DISTINCT genre), count(DISTINCT year_published), count(DISTINCT "
      "language), count(DISTINCT publisher), count(DISTINCT page_count) FROM books WHERE deleted_at IS NULL");
  const auto& [all, isbn, genre, year, description, language, publisher, pages] = *row;
  const auto& [d_isbn, d_genre, d_year, d_language, d_publisher, d_pages] = *different;
  out.books = all;
  const std::int64_t filled[] = {isbn, genre, year, description, language, publisher, pages};
  const std::int64_t distinct[] = {d_isbn, d_genre, d_year, description, d_language, d_publisher, d_pages};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    FieldProfile field;
    field.field = names[i];
    field.filled = filled[i];
    field.missing = all - filled[i];
    field.distinct = distinct[i];
    field.share = all == 0 ? 1.0 : static_cast<double>(filled[i]) / static_cast<double>(all);
    if (!kinds[i].empty()) field.fix = problem_path(kinds[i]);
    out.profile.push_back(std::move(field));
  }
}

// Half the score is how much of what readers look for is there; the other half goes with what is wrong.
double score_of(const DataQuality& report, std::int64_t costs) {
  if (report.books == 0) return 100;
  double filled = 0;
  int fields = 0;
  for (const auto& field : report.profile)
    if (field.field != "page_count" && field.field != "publisher") filled += field.share, ++fields;
  const double wrong =
      std::min(1.0, static_cast<double>(costs) / 100.0 / static_cast<double>(report.books) * 5.0);
  return std::round(1000 * (0.5 * filled / fields + 0.5 * (1 - wrong))) / 10;
}

}  // namespace

Task<Result<Headings>> BrowseService::headings(Drawer drawer, BrowseRequest request) {
  if (request.from && request.before)
    co_return invalid({{{"query", "before"}, "cannot be given together with from", "conflict"}});
  auto work = [drawer, request = std::move(request)](db::Transaction& tx) {
    return read_headings(tx, drawer, request);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Page<Book>>> BrowseService::under(Drawer drawer, std::string key, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [drawer, key = std::move(key), page](db::Transaction& tx) {
    BookRepository books(tx);
    Page<Book> out;
    out.total = books.count(under_heading(drawer, key));
    out.items = books.page(under_heading(drawer, key), order_under(drawer), page.skip, page.limit);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<DataQuality>> BrowseService::quality() {
  auto work = [this](db::Transaction& tx) {
    DataQuality out;
    out.at = clock_.now();
    profile(tx, out);
    BookRepository books(tx);
    std::int64_t costs = 0;
    for (const auto& problem : problems) {
      const auto conditions = with(problem.kind, year_of(out.at));
      const auto count = books.count(*conditions);
      if (count == 0) continue;
      Anomaly anomaly{std::string(problem.kind), std::string(problem.description), count, {}, {}};
      anomaly.fix.push_back(problem_path(problem.kind));
      for (const auto& book : books.page(*conditions, "b.id", 0, 10)) {
        anomaly.examples.push_back(book.id);
        anomaly.fix.push_back(fmt::format("/api/v1/books/{}", book.id.value));
      }
      costs += problem.weight * count;
      out.anomalies.push_back(std::move(anomaly));
    }
    out.duplicate_groups =
        std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM (SELECT match_key FROM books WHERE "
                                          "deleted_at IS NULL GROUP BY match_key HAVING "
                                          "count(*) > 1) same"));
    out.duplicates = "/api/v1/admin/duplicates";
    out.score = score_of(out, costs);
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Book>>> BrowseService::with_problem(std::string kind, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [this, kind = std::move(kind), page](db::Transaction& tx) -> Result<Page<Book>> {
    const auto conditions = with(kind, year_of(clock_.now()));
    if (!conditions) return not_found("The report knows no such problem");
    BookRepository books(tx);
    Page<Book> out;
    out.total = books.count(*conditions);
    out.items = books.page(*conditions, "b.id", page.skip, page.limit);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

}  // namespace lumina::books
