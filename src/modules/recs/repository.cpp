#include "modules/recs/repository.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <algorithm>
#include <unordered_map>

namespace lumina::recs {
namespace {

constexpr std::int64_t minute_ms = 60'000;

struct Row {
  std::int64_t id = 0;
  std::string title, author;
  std::optional<std::string> genre, description, language;
  std::optional<int> year;
  std::vector<std::string> tags;
  int available = 0;
  Timestamp created_at, updated_at;
};
const db::Columns<Row> columns{{"b.id", &Row::id},
                               {"b.title", &Row::title},
                               {"b.author", &Row::author},
                               {"b.genre", &Row::genre},
                               {"b.description", &Row::description},
                               {"b.language", &Row::language},
                               {"b.year_published", &Row::year},
                               {"b.tags", &Row::tags},
                               {"coalesce(s.copies_available, 0)", &Row::available},
                               {"b.created_at", &Row::created_at},
                               {"b.updated_at", &Row::updated_at}};

struct VersionRow : ModelVersion {
  std::string parameters_text, metrics_text, weights_text, report_text;
};
const db::Columns<VersionRow> version_columns{{"m.version", &VersionRow::version},
                                              {"m.algorithm", &VersionRow::algorithm},
                                              {"m.file", &VersionRow::file},
                                              {"m.size", &VersionRow::size},
                                              {"m.sha256", &VersionRow::sha256},
                                              {"m.books", &VersionRow::books},
                                              {"m.people", &VersionRow::people},
                                              {"m.interactions", &VersionRow::interactions},
                                              {"m.parameters", &VersionRow::parameters_text},
                                              {"m.metrics", &VersionRow::metrics_text},
                                              {"m.weights", &VersionRow::weights_text},
                                              {"m.report", &VersionRow::report_text},
                                              {"m.ndcg", &VersionRow::ndcg},
                                              {"m.cause", &VersionRow::cause},
                                              {"m.held_back", &VersionRow::held_back},
                                              {"m.trained_at", &VersionRow::trained_at},
                                              {"m.duration_ms", &VersionRow::duration_ms},
                                              {"m.active", &VersionRow::active}};

ModelVersion finished(VersionRow row) {
  row.parameters = {std::move(row.parameters_text)};
  row.metrics = {std::move(row.metrics_text)};
  row.weights = {std::move(row.weights_text)};
  row.report = {std::move(row.report_text)};
  return static_cast<ModelVersion&&>(row);
}
std::optional<ModelVersion> finished(std::optional<VersionRow> row) {
  if (!row) return std::nullopt;
  return finished(std::move(*row));
}

const db::Columns<VariantFigures> figure_columns{{"f.variant", &VariantFigures::variant},
                                                 {"CAST(sum(f.lists) AS BIGINT)", &VariantFigures::lists},
                                                 {"CAST(sum(f.served) AS BIGINT)", &VariantFigures::served},
                                                 {"CAST(sum(f.shown) AS BIGINT)", &VariantFigures::shown},
                                                 {"CAST(sum(f.clicks) AS BIGINT)", &VariantFigures::clicks}};

LoadedBook loaded(Row row) {
  LoadedBook book;
  book.available = row.available > 0;
  auto& facts = book.facts;
  facts.id = row.id;
  facts.title = row.title;
  facts.author = row.author;
  facts.author_key = text::fold(row.author);
  facts.genre = row.genre.value_or("");
  facts.genre_key = text::fold(facts.genre);
  facts.language = ascii_lower(row.language.value_or(""));
  facts.created_at = row.created_at;
  facts.updated_at = row.updated_at;
  auto& text = book.text;
  text.id = row.id;
  text.title = std::move(row.title);
  text.author = std::move(row.author);
  text.genre = facts.genre;
  text.tags = std::move(row.tags);
  text.description = row.description.value_or("");
  text.language = facts.language;
  text.year = row.year;
  return book;
}

// A person's deeds, newest mark of each kind and book. $1 is the person.
constexpr auto deeds_of =
    "SELECT 'borrow', book_id, CAST(count(*) AS DOUBLE PRECISION), max(borrow_date) FROM borrows "
    "WHERE user_id = $1 GROUP BY book_id "
    "UNION ALL SELECT 'review', book_id, rating, updated_at FROM reviews WHERE user_id = $1 AND standing "
    "IN ('shown', 'cleared') "
    "UNION ALL SELECT 'hold', book_id, CAST(max(CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END) AS DOUBLE "
    "PRECISION), max(created_at) FROM holds WHERE user_id = $1 AND status <> 'cancelled' GROUP BY book_id "
    "UNION ALL SELECT 'listed', i.book_id, CAST(1 AS DOUBLE PRECISION), i.added_at FROM collection_books i "
    "JOIN collections c ON c.id = i.collection_id WHERE c.owner_id = $1 AND c.kind <> 'curated' "
    "UNION ALL SELECT action, book_id, CAST(times AS DOUBLE PRECISION), last_at FROM "
    "recommendation_feedback WHERE user_id = $1";

// The same of many people, $1 < id <= $2, without what says nothing, was forgotten or is not wanted.
constexpr auto deeds_of_many =
    "SELECT d.user_id, d.kind, d.book_id, d.value, d.at FROM ("
    "SELECT user_id, 'borrow' AS kind, book_id, CAST(1 AS DOUBLE PRECISION) AS value, max(borrow_date) AS at "
    "FROM borrows WHERE user_id > $1 AND user_id <= $2 GROUP BY user_id, book_id "
    "UNION ALL SELECT user_id, 'review', book_id, rating, updated_at FROM reviews "
    "WHERE user_id > $1 AND user_id <= $2 AND standing IN ('shown', 'cleared') "
    "UNION ALL SELECT user_id, 'hold', book_id, CAST(1 AS DOUBLE PRECISION), max(created_at) FROM holds "
    "WHERE user_id > $1 AND user_id <= $2 AND status <> 'cancelled' GROUP BY user_id, book_id "
    "UNION ALL SELECT c.owner_id, 'listed', i.book_id, CAST(1 AS DOUBLE PRECISION), i.added_at FROM "
    "collections c JOIN collection_books i ON i.collection_id = c.id WHERE c.owner_id > $1 AND "
    "c.owner_id <= $2 AND c.kind <> 'curated' "
    "UNION ALL SELECT user_id, action, book_id, CAST(times AS DOUBLE PRECISION), last_at FROM "
    "recommendation_feedback WHERE user_id > $1 AND user_id <= $2 AND action <> 'shown') d "
    "LEFT JOIN recommendation_people p ON p.user_id = d.user_id "
    "WHERE coalesce(p.personal, 1) = 1 AND d.at > coalesce(p.forgotten_at, 0)";

std::vector<std::string> folded(const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const auto& name : names) keys.push_back(text::fold(name));
  return keys;
}

}  // namespace

std::vector<LoadedBook> RecommendationRepository::books(std::int64_t first, std::int64_t last) {
  static const std::string sql = "SELECT " + columns.list() +
                                 " FROM books b LEFT JOIN book_stats s ON s.book_id = b.id "
                                 "WHERE b.id >= $1 AND b.id <= $2 AND b.deleted_at IS NULL ORDER BY b.id";
  std::vector<LoadedBook> all;
  for (auto& row : tx_.list(columns, sql, first, last)) all.push_back(loaded(std::move(row)));
  auto at = all.begin();
  tx_.each<std::int64_t, std::int64_t>(
      [&](std::int64_t book, std::int64_t branch) {
        while (at != all.end() && at->facts.id < book) ++at;
        if (at != all.end() && at->facts.id == book) at->facts.branches.push_back(branch);
      },
      "SELECT DISTINCT c.book_id, c.branch_id FROM copies c WHERE c.book_id >= $1 AND c.book_id <= $2 AND "
      "c.status NOT IN ('withdrawn', 'lost', 'missing') ORDER BY c.book_id, c.branch_id",
      first, last);
  return all;
}

std::optional<std::int64_t> RecommendationRepository::end_of_next(std::int64_t id, std::int64_t most) {
  const auto row = tx_.one<std::optional<std::int64_t>>(
      "SELECT max(n.id) FROM (SELECT id FROM books WHERE id > $1 ORDER BY id LIMIT $2) n", id, most);
  return row ? std::get<0>(*row) : std::nullopt;
}

std::vector<std::pair<std::int64_t, BookFigures>> RecommendationRepository::figures(std::int64_t first,
                                                                                    std::int64_t last,
                                                                                    Timestamp since) {
  std::vector<std::pair<std::int64_t, BookFigures>> all;
  std::unordered_map<std::int64_t, std::size_t> places;
  tx_.each<std::int64_t, int>(
      [&](std::int64_t book, int available) {
        places.emplace(book, all.size());
        all.emplace_back(book, BookFigures{available > 0, {}});
      },
      "SELECT book_id, copies_available FROM book_stats WHERE book_id >= $1 AND book_id <= $2", first, last);
  const auto mark = [&](std::int64_t book, Timestamp at, float weight, bool loan) {
    const auto place = places.find(book);
    if (place != places.end() && weight > 0)
      all[place->second].second.marks.push_back(
          {static_cast<std::uint32_t>(std::max<std::int64_t>(0, at.ms / minute_ms)), weight, loan});
  };
  // One person counts once for a book, whose loans of the past without a name each.
  tx_.each<std::int64_t, Timestamp>(
      [&](std::int64_t book, Timestamp at) { mark(book, at, strength_of(Signal::borrow), true); },
      "SELECT book_id, max(borrow_date) FROM borrows WHERE book_id >= $1 AND book_id <= $2 AND "
      "borrow_date >= $3 GROUP BY book_id, coalesce(user_id, -id)",
      first, last, since);
  tx_.each<std::int64_t, double, Timestamp>(
      [&](std::int64_t book, double rating, Timestamp at) {
        mark(book, at, strength_of(Deed{DeedKind::review, book, rating, at}) / 2, false);
      },
      "SELECT book_id, rating, created_at FROM reviews WHERE book_id >= $1 AND book_id <= $2 AND "
      "created_at >= $3 AND standing IN ('shown', 'cleared')",
      first, last, since);
  tx_.each<std::int64_t, Timestamp>(
      [&](std::int64_t book, Timestamp at) { mark(book, at, strength_of(Signal::hold), false); },
      "SELECT book_id, created_at FROM holds WHERE book_id >= $1 AND book_id <= $2 AND created_at >= $3 AND "
      "ended_at IS NULL",
      first, last, since);
  tx_.each<std::int64_t, Timestamp>(
      [&](std::int64_t book, Timestamp at) { mark(book, at, strength_of(Signal::list), false); },
      "SELECT i.book_id, i.added_at FROM collection_books i WHERE i.book_id >= $1 AND i.book_id <= $2 AND "
      "i.added_at >= $3",
      first, last, since);
  tx_.each<std::int64_t, DeedKind, Timestamp>(
      [&](std::int64_t book, DeedKind kind, Timestamp at) {
        mark(book, at, strength_of(Deed{kind, book, 1, at}), false);
      },
      "SELECT book_id, action, last_at FROM recommendation_feedback WHERE book_id >= $1 AND book_id <= $2 "
      "AND last_at >= $3 AND action IN ('click', 'like', 'opened')",
      first, last, since);
  for (auto& [book, figures] : all) std::ranges::sort(figures.marks, {}, &Mark::minute);
  return all;
}

bool RecommendationRepository::exists(BookId book) {
  return tx_.one<std::int64_t>("SELECT id FROM books WHERE id = $1 AND deleted_at IS NULL", book).has_value();
}

std::vector<std::int64_t> RecommendationRepository::borrowable_in(std::int64_t branch,
                                                                  const std::vector<std::int64_t>& ids) {
  std::vector<std::int64_t> found;
  for (const auto id : ids)
    if (tx_.one<std::int64_t>(
            "SELECT c.id FROM copies c WHERE c.book_id = $1 AND c.branch_id = $2 AND c.status = 'available' "
            "AND NOT EXISTS (SELECT 1 FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL) "
            "LIMIT 1",
            id, branch))
      found.push_back(id);
  return found;
}

std::optional<Person> RecommendationRepository::person(UserId user) {
  Wishes wishes;
  StoredSettings wanted;
  bool there = false;
  tx_.each<std::vector<std::string>, std::vector<std::string>, std::vector<std::string>,
           std::vector<std::string>, int, std::optional<Timestamp>>(
      [&](std::vector<std::string> genres, std::vector<std::string> authors,
          std::vector<std::string> languages, const std::vector<std::string>& disliked, int personal,
          std::optional<Timestamp> forgotten) {
        there = true;
        wishes.genre_keys = folded(genres);
        wishes.author_keys = folded(authors);
        wishes.disliked_genre_keys = folded(disliked);
        wishes.genres = std::move(genres);
        wishes.authors = std::move(authors);
        wishes.languages = std::move(languages);
        for (auto& tag : wishes.languages) tag = ascii_lower(tag);
        wanted = {personal != 0, forgotten};
      },
      "SELECT coalesce(w.favorite_genres, '[]'), coalesce(w.favorite_authors, '[]'), "
      "coalesce(w.languages, '[]'), coalesce(w.disliked_genres, '[]'), coalesce(p.personal, 1), "
      "p.forgotten_at FROM users u LEFT JOIN user_preferences w ON w.user_id = u.id "
      "LEFT JOIN recommendation_people p ON p.user_id = u.id WHERE u.id = $1 AND u.deleted_at IS NULL",
      user);
  if (!there) return std::nullopt;
  std::vector<Deed> deeds;
  tx_.each<DeedKind, std::int64_t, double, Timestamp>(
      [&](DeedKind kind, std::int64_t book, double value, Timestamp at) {
        deeds.push_back({kind, book, value, at});
      },
      deeds_of, user);
  return make_person(deeds, std::move(wishes), wanted.personal, wanted.forgotten_at);
}

std::vector<UserId> RecommendationRepository::lately_active(int most) {
  std::vector<UserId> all;
  tx_.each<UserId>([&](UserId user) { all.push_back(user); },
                   "SELECT n.user_id FROM (SELECT w.id, w.user_id FROM borrows w ORDER BY w.id DESC "
                   "LIMIT 5000) n WHERE n.user_id IS NOT NULL GROUP BY n.user_id ORDER BY max(n.id) DESC "
                   "LIMIT CAST($1 AS BIGINT)",
                   most);
  return all;
}

std::int64_t RecommendationRepository::interactions(std::int64_t after_user, int most,
                                                    std::vector<Interaction>& into) {
  const auto row = tx_.one<std::optional<std::int64_t>>(
      "SELECT max(n.id) FROM (SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)) n",
      after_user, most);
  const auto last = row ? std::get<0>(*row).value_or(0) : 0;
  if (last == 0) return 0;
  tx_.each<std::int64_t, DeedKind, std::int64_t, double, Timestamp>(
      [&](std::int64_t person, DeedKind kind, std::int64_t book, double value, Timestamp at) {
        const float strength = strength_of(Deed{kind, book, value, at});
        if (strength != 0) into.push_back({person, book, strength, moment_of(at)});
      },
      deeds_of_many, after_user, last);
  return last;
}

void RecommendationRepository::add_feedback(UserId user, const Feedback& feedback, Timestamp now) {
  tx_.execute(
      "INSERT INTO recommendation_feedback (user_id, book_id, action, first_at, last_at) "
      "VALUES ($1, $2, $3, $4, $4) ON CONFLICT (user_id, book_id, action) DO UPDATE SET "
      "times = recommendation_feedback.times + 1, last_at = excluded.last_at",
      user, feedback.book_id, feedback.action, now);
  // The last word counts.
  if (feedback.action == Action::like)
    tx_.execute(
        "DELETE FROM recommendation_feedback WHERE user_id = $1 AND book_id = $2 AND action IN ('dislike', "
        "'dismiss')",
        user, feedback.book_id);
  if (feedback.action == Action::dislike || feedback.action == Action::dismiss)
    tx_.execute("DELETE FROM recommendation_feedback WHERE user_id = $1 AND book_id = $2 AND action = 'like'",
                user, feedback.book_id);
}

StoredSettings RecommendationRepository::settings(UserId user) {
  const auto row = tx_.one<int, std::optional<Timestamp>>(
      "SELECT personal, forgotten_at FROM recommendation_people WHERE user_id = $1", user);
  return row ? StoredSettings{std::get<0>(*row) != 0, std::get<1>(*row)} : StoredSettings{};
}

void RecommendationRepository::set_personal(UserId user, bool personal, Timestamp now) {
  tx_.execute(
      "INSERT INTO recommendation_people (user_id, personal, updated_at) VALUES ($1, $2, $3) "
      "ON CONFLICT (user_id) DO UPDATE SET personal = excluded.personal, updated_at = excluded.updated_at",
      user, personal ? 1 : 0, now);
}

void RecommendationRepository::forget(UserId user, Timestamp now) {
  // Books that were refused stay refused: that is no history, it is a wish.
  tx_.execute(
      "DELETE FROM recommendation_feedback WHERE user_id = $1 AND action NOT IN ('dislike', 'dismiss')",
      user);
  tx_.execute(
      "INSERT INTO recommendation_people (user_id, forgotten_at, updated_at) VALUES ($1, $2, $2) "
      "ON CONFLICT (user_id) DO UPDATE SET forgotten_at = excluded.forgotten_at, "
      "updated_at = excluded.updated_at",
      user, now);
}

void RecommendationRepository::erase(UserId user) {
  tx_.execute("DELETE FROM recommendation_feedback WHERE user_id = $1", user);
  tx_.execute("DELETE FROM recommendation_people WHERE user_id = $1", user);
}

std::vector<ModelVersion> RecommendationRepository::models() {
  static const std::string sql =
      "SELECT " + version_columns.list() + " FROM recommendation_models m ORDER BY m.version DESC";
  std::vector<ModelVersion> all;
  for (auto& row : tx_.list(version_columns, sql)) all.push_back(finished(std::move(row)));
  return all;
}
std::optional<ModelVersion> RecommendationRepository::model(std::int64_t version) {
  static const std::string sql =
      "SELECT " + version_columns.list() + " FROM recommendation_models m WHERE m.version = $1";
  return finished(tx_.find(version_columns, sql, version));
}
std::optional<ModelVersion> RecommendationRepository::active_model() {
  static const std::string sql =
      "SELECT " + version_columns.list() + " FROM recommendation_models m WHERE m.active = 1";
  return finished(tx_.find(version_columns, sql));
}
std::optional<Timestamp> RecommendationRepository::last_training() {
  const auto row = tx_.one<std::optional<Timestamp>>("SELECT max(trained_at) FROM recommendation_models");
  return row ? std::get<0>(*row) : std::nullopt;
}

std::int64_t RecommendationRepository::insert(const ModelVersion& m, std::optional<UserId> by) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "INSERT INTO recommendation_models (algorithm, file, size, sha256, books, people, interactions, "
      "parameters, metrics, weights, report, ndcg, cause, held_back, trained_by, trained_at, duration_ms) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
      "RETURNING version",
      m.algorithm, m.file, m.size, m.sha256, m.books, m.people, m.interactions, m.parameters.text,
      m.metrics.text, m.weights.text, m.report.text, m.ndcg, m.cause, m.held_back, by, m.trained_at,
      m.duration_ms));
}

void RecommendationRepository::activate(std::int64_t version) {
  // Two that activate at once: the second waits here for the first, and then replaces it.
  if (tx_.postgresql())
    tx_.each<std::int64_t>([](std::int64_t) {},
                           "SELECT version FROM recommendation_models ORDER BY version FOR UPDATE");
  tx_.execute("UPDATE recommendation_models SET active = 0 WHERE active = 1");
  tx_.execute("UPDATE recommendation_models SET active = 1, held_back = NULL WHERE version = $1", version);
}

std::vector<std::string> RecommendationRepository::prune_models(int kept) {
  struct Old {
    std::int64_t version;
    std::string file, sha256;
  };
  std::vector<Old> old;
  tx_.each<std::int64_t, std::string, std::string>(
      [&](std::int64_t version, std::string file, std::string sha256) {
        old.push_back({version, std::move(file), std::move(sha256)});
      },
      "SELECT m.version, m.file, m.sha256 FROM recommendation_models m WHERE m.active = 0 AND m.version NOT "
      "IN (SELECT n.version FROM recommendation_models n ORDER BY n.version DESC LIMIT CAST($1 AS BIGINT))",
      kept);
  std::vector<std::string> files;
  for (auto& one : old) {
    tx_.execute("DELETE FROM recommendation_models WHERE version = $1", one.version);
    if (tx_.one<std::int64_t>("SELECT version FROM recommendation_models WHERE sha256 = $1 LIMIT 1",
                              one.sha256))
      continue;  // another version has the same bytes
    drop_parts(one.sha256);
    files.push_back(std::move(one.file));
  }
  return files;
}

std::int64_t RecommendationRepository::books_since(Timestamp moment, std::int64_t most) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM (SELECT 1 AS one FROM books WHERE created_at > $1 AND deleted_at IS NULL LIMIT "
      "$2) n",
      moment, most));
}

void RecommendationRepository::put_part(std::string_view sha256, std::int64_t part, std::string_view body) {
  tx_.execute(
      "INSERT INTO recommendation_model_parts (sha256, part, body) VALUES ($1, $2, $3) "
      "ON CONFLICT (sha256, part) DO UPDATE SET body = excluded.body",
      sha256, part, body);
}
void RecommendationRepository::drop_parts(std::string_view sha256) {
  tx_.execute("DELETE FROM recommendation_model_parts WHERE sha256 = $1", sha256);
}
std::optional<std::string> RecommendationRepository::part(std::string_view sha256, std::int64_t part) {
  auto row = tx_.one<std::string>(
      "SELECT body FROM recommendation_model_parts WHERE sha256 = $1 AND part = $2", sha256, part);
  return row ? std::optional(std::move(std::get<0>(*row))) : std::nullopt;
}

void RecommendationRepository::add_figures(std::string_view day, const VariantFigures& f) {
  tx_.execute(
      "INSERT INTO recommendation_figures (day, variant, lists, served, shown, clicks) "
      "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (day, variant) DO UPDATE SET "
      "lists = recommendation_figures.lists + excluded.lists, "
      "served = recommendation_figures.served + excluded.served, "
      "shown = recommendation_figures.shown + excluded.shown, "
      "clicks = recommendation_figures.clicks + excluded.clicks",
      day, f.variant, f.lists, f.served, f.shown, f.clicks);
}
std::vector<VariantFigures> RecommendationRepository::figures_since(std::string_view day) {
  static const std::string sql = "SELECT " + figure_columns.list() +
                                 " FROM recommendation_figures f WHERE f.day >= $1 GROUP BY f.variant "
                                 "ORDER BY f.variant";
  return tx_.list(figure_columns, sql, day);
}

}  // namespace lumina::recs
