#include "modules/reviews/repository.hpp"

#include <cmath>

namespace lumina::reviews {
namespace {

struct Row : Review {
  std::string name;
};

const db::Columns<Row> columns{{"r.id", &Row::id},
                               {"r.user_id", &Row::user_id},
                               {"r.book_id", &Row::book_id},
                               {"r.review_text", &Row::review_text},
                               {"r.rating", &Row::rating},
                               {"r.sentiment_score", &Row::sentiment_score},
                               {"r.sentiment_source", &Row::sentiment_source},
                               {"r.sentiment_model", &Row::sentiment_model},
                               {"r.helpful_count", &Row::helpful_count},
                               {"r.reply_count", &Row::reply_count},
                               {"r.spoiler", &Row::spoiler},
                               {"r.standing", &Row::standing},
                               {"CASE WHEN r.burst_id IS NOT NULL AND r.standing = 'pending' THEN 1 ELSE 0 "
                                "END",
                                &Row::unusual},
                               {"r.created_at", &Row::created_at},
                               {"r.updated_at", &Row::updated_at},
                               {"r.version", &Row::version},
                               {"u.full_name", &Row::name}};

constexpr auto from_reviews = " FROM reviews r JOIN users u ON u.id = r.user_id ";

Review finished(Row row) {
  row.user = {row.user_id, std::move(row.name)};
  return static_cast<Review&&>(row);
}
std::vector<Review> finished(std::vector<Row> rows) {
  std::vector<Review> out;
  out.reserve(rows.size());
  for (auto& row : rows) out.push_back(finished(std::move(row)));
  return out;
}

std::string_view order_by(const ReviewOrder& order) {
  if (order.order == "helpful") return "r.helpful_count DESC, r.id DESC";
  const std::string_view sort = order.sort ? std::string_view(*order.sort) : "-created_at";
  if (sort == "created_at") return "r.created_at, r.id";
  if (sort == "rating") return "r.rating, r.id";
  if (sort == "-rating") return "r.rating DESC, r.id DESC";
  if (sort == "sentiment_score") return "r.sentiment_score, r.id";
  if (sort == "-sentiment_score") return "r.sentiment_score DESC, r.id DESC";
  if (sort == "helpful") return "r.helpful_count, r.id";
  if (sort == "-helpful") return "r.helpful_count DESC, r.id DESC";
  return "r.created_at DESC, r.id DESC";
}

int half_stars(double rating) { return static_cast<int>(std::lround(rating * 2)); }

}  // namespace

std::optional<Review> ReviewRepository::find(ReviewId id) {
  static const std::string sql = "SELECT " + columns.list() + from_reviews + "WHERE r.id = $1";
  auto row = tx_.find(columns, sql, id);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

std::vector<std::string> texts_of(const std::vector<ReviewId>& ids) {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const auto id : ids) texts.push_back(std::to_string(id.value));
  return texts;
}

std::vector<Review> ReviewRepository::find_all(const std::vector<ReviewId>& ids) {
  static const std::string of_sqlite =
      "SELECT " + columns.list() + from_reviews +
      "WHERE r.id IN (SELECT CAST(value AS BIGINT) FROM json_each($1)) ORDER BY r.id";
  static const std::string of_postgresql =
      "SELECT " + columns.list() + from_reviews +
      "WHERE r.id IN (SELECT jsonb_array_elements_text($1::text::jsonb)::bigint) ORDER BY r.id";
  return finished(tx_.list(columns, tx_.postgresql() ? of_postgresql : of_sqlite, texts_of(ids)));
}

std::optional<Review> ReviewRepository::find_locked(ReviewId id) {
  if (tx_.postgresql()) tx_.one<ReviewId>("SELECT id FROM reviews WHERE id = $1 FOR UPDATE", id);
  return find(id);
}

Page<Review> ReviewRepository::list(BookId book, const ReviewOrder& order, const PageRequest& page) {
  const std::string sql = "SELECT " + columns.list() + from_reviews +
                          "WHERE r.book_id = $1 AND r.standing IN ('shown', 'cleared') ORDER BY " +
                          std::string(order_by(order)) +
                          " LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  Page<Review> out;
  out.items = finished(tx_.list(columns, sql, book, page.limit, page.skip));
  out.total = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM reviews WHERE book_id = $1 AND standing IN ('shown', 'cleared')", book));
  return out;
}

Page<Review> ReviewRepository::list_of_work(std::int64_t work, const ReviewOrder& order,
                                            const PageRequest& page) {
  const std::string sql = "SELECT " + columns.list() + from_reviews +
                          "WHERE r.book_id IN (SELECT b.id FROM books b WHERE b.work_id = $1 AND "
                          "b.deleted_at IS NULL) AND r.standing "
                          "IN ('shown', 'cleared') ORDER BY " +
                          std::string(order_by(order)) +
                          " LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  Page<Review> out;
  out.items = finished(tx_.list(columns, sql, work, page.limit, page.skip));
  out.total = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM reviews r WHERE r.book_id IN (SELECT b.id FROM books b WHERE b.work_id = $1 AND "
      "b.deleted_at IS NULL) AND r.standing IN ('shown', 'cleared')",
      work));
  return out;
}

std::vector<Review> ReviewRepository::sample(BookId book, int most) {
  static const std::string sql = "SELECT " + columns.list() + from_reviews +
                                 "WHERE r.book_id = $1 AND r.standing IN ('shown', 'cleared') AND r.spoiler "
                                 "= 0 ORDER BY r.helpful_count DESC, r.created_at DESC, r.id DESC "
                                 "LIMIT CAST($2 AS BIGINT)";
  return finished(tx_.list(columns, sql, book, most));
}

std::optional<ReviewId> ReviewRepository::find_own(UserId user, BookId book) {
  const auto row =
      tx_.one<ReviewId>("SELECT id FROM reviews WHERE user_id = $1 AND book_id = $2", user, book);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

std::optional<ReviewId> ReviewRepository::insert(UserId user, const NewReview& review,
                                                 const Sentiment& sentiment, Timestamp now) {
  const auto row = tx_.one<ReviewId>(
      "INSERT INTO reviews (user_id, book_id, review_text, rating, sentiment_score, sentiment_source, "
      "spoiler, created_at, "
      "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $8, $7, $7) ON CONFLICT (user_id, book_id) DO NOTHING "
      "RETURNING id",
      user, review.book_id, review.review_text, review.rating, sentiment.score, sentiment.source, now,
      review.spoiler.value_or(false));
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

bool ReviewRepository::update(const Review& r, Timestamp now) {
  return tx_.execute(
             "UPDATE reviews SET review_text = $3, rating = $4, sentiment_score = $5, sentiment_source = $6, "
             "updated_at = $7, spoiler = $8, standing = $9, sentiment_model = $10, version = version + 1 "
             "WHERE id = $1 AND version = $2",
             r.id, r.version, r.review_text, r.rating, r.sentiment_score, r.sentiment_source, now, r.spoiler,
             r.standing, r.sentiment_model) > 0;
}

bool ReviewRepository::erase(ReviewId id) {
  tx_.execute("DELETE FROM review_votes WHERE review_id = $1", id);
  tx_.execute("DELETE FROM review_reports WHERE review_id = $1", id);
  tx_.execute("DELETE FROM review_replies WHERE review_id = $1", id);
  return tx_.execute("DELETE FROM reviews WHERE id = $1", id) > 0;
}

void ReviewRepository::count(const Review& r, int sign) {
  if (!r.seen()) return;
  const auto bin = sentiment_sign(r.sentiment_score);
  tx_.execute(
      "UPDATE book_stats SET review_count = review_count + $2, rating_halves = rating_halves + $3, "
      "average_rating = CASE WHEN review_count + $2 > 0 "
      "THEN round((rating_halves + $3) * 50.0 / (review_count + $2)) / 100.0 END, "
      "sentiment_cents = sentiment_cents + $4, positive_count = positive_count + $5, "
      "neutral_count = neutral_count + $6, negative_count = negative_count + $7 WHERE book_id = $1",
      r.book_id, sign, sign * half_stars(r.rating), sign * std::lround(r.sentiment_score * 100),
      bin == SentimentSign::positive ? sign : 0, bin == SentimentSign::neutral ? sign : 0,
      bin == SentimentSign::negative ? sign : 0);
  if (sign > 0)
    tx_.execute(
        "INSERT INTO rating_counts (book_id, half_stars, count) VALUES ($1, $2, 1) "
        "ON CONFLICT (book_id, half_stars) DO UPDATE SET count = rating_counts.count + 1",
        r.book_id, half_stars(r.rating));
  else
    tx_.execute("UPDATE rating_counts SET count = count - 1 WHERE book_id = $1 AND half_stars = $2",
                r.book_id, half_stars(r.rating));
}

void ReviewRepository::stand(Review& review, Standing standing) {
  count(review, -1);
  tx_.execute("UPDATE reviews SET standing = $2 WHERE id = $1", review.id, standing);
  review.standing = standing;
  count(review, 1);
}

bool ReviewRepository::add_vote(ReviewId id, UserId user, Timestamp now) {
  if (tx_.execute("INSERT INTO review_votes (review_id, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT "
                  "DO NOTHING",
                  id, user, now) == 0)
    return false;
  tx_.execute("UPDATE reviews SET helpful_count = helpful_count + 1 WHERE id = $1", id);
  return true;
}

bool ReviewRepository::remove_vote(ReviewId id, UserId user) {
  if (tx_.execute("DELETE FROM review_votes WHERE review_id = $1 AND user_id = $2", id, user) == 0)
    return false;
  tx_.execute("UPDATE reviews SET helpful_count = helpful_count - 1 WHERE id = $1", id);
  return true;
}

Totals ReviewRepository::totals(BookId book) {
  Totals t;
  const auto row = tx_.one<int, std::int64_t, int, int, int, std::optional<double>>(
      "SELECT review_count, sentiment_cents, positive_count, neutral_count, negative_count, average_rating "
      "FROM book_stats WHERE book_id = $1",
      book);
  if (row) std::tie(t.reviews, t.sentiment_cents, t.positive, t.neutral, t.negative, t.average_rating) = *row;
  for (int half = 2; half <= 10; ++half) t.histogram.push_back({half / 2.0, 0});
  tx_.each<int, int>([&](int half, int n) { t.histogram[static_cast<std::size_t>(half - 2)].count = n; },
                     "SELECT half_stars, count FROM rating_counts WHERE book_id = $1", book);
  return t;
}

}  // namespace lumina::reviews
