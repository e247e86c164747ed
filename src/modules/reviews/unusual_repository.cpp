#include "modules/reviews/unusual_repository.hpp"

namespace lumina::reviews {
namespace {

const db::Columns<UnusualReviews> columns{{"x.id", &UnusualReviews::id},
                                          {"x.book_id", &UnusualReviews::book_id},
                                          {"b.title", &UnusualReviews::book_title},
                                          {"x.pole", &UnusualReviews::pole},
                                          {"x.recent", &UnusualReviews::recent},
                                          {"x.new_accounts", &UnusualReviews::new_accounts},
                                          {"x.expected", &UnusualReviews::expected},
                                          {"x.chance_number", &UnusualReviews::chance_number},
                                          {"x.chance_accounts", &UnusualReviews::chance_accounts},
                                          {"x.began_at", &UnusualReviews::began_at},
                                          {"x.flagged_at", &UnusualReviews::flagged_at}};

constexpr auto still_waiting =
    " FROM review_bursts x JOIN books b ON b.id = x.book_id WHERE EXISTS (SELECT 1 FROM reviews r WHERE "
    "r.burst_id = x.id AND r.standing = 'pending') ";

}  // namespace

Ratings UnusualRepository::recent(BookId book, Pole pole, Timestamp since, Timestamp new_since) {
  const auto row = tx_.one<std::int64_t, std::int64_t>(
      "SELECT count(*), coalesce(sum(CASE WHEN u.created_at > $4 THEN 1 ELSE 0 END), 0) FROM reviews r JOIN "
      "users u ON u.id = r.user_id WHERE r.book_id = $1 AND r.updated_at >= $3 AND r.standing <> 'cleared' "
      "AND CASE WHEN r.rating <= 1.5 THEN 'low' WHEN r.rating >= 4.5 THEN 'high' END = $2",
      book, pole, since, new_since);
  Ratings out;
  std::tie(out.recent, out.fresh) = row.value();
  return out;
}

void UnusualRepository::add_past(Ratings& ratings, BookId book, Pole pole, Timestamp until,
                                 std::chrono::milliseconds window) {
  ratings.past = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM reviews WHERE book_id = $1 AND ((updated_at < $3 AND standing = 'shown') OR "
      "standing = 'cleared') AND CASE WHEN rating <= 1.5 THEN 'low' WHEN rating >= 4.5 THEN 'high' END = $2",
      book, pole, until));
  const auto made = tx_.one<Timestamp>("SELECT created_at FROM books WHERE id = $1", book);
  if (made)
    ratings.windows =
        static_cast<double>(until.ms - std::get<0>(*made).ms) / static_cast<double>(window.count());
}

void UnusualRepository::add_accounts(Ratings& ratings, Timestamp then, Timestamp new_then) {
  ratings.accounts = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM users WHERE deleted_at IS NULL AND created_at <= $1", then));
  ratings.new_accounts = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM users WHERE deleted_at IS NULL AND created_at <= $1 AND created_at > $2", then,
      new_then));
}

std::vector<ReviewId> UnusualRepository::to_hold_back(BookId book, Pole pole, Timestamp since,
                                                      Timestamp new_since) {
  std::vector<ReviewId> out;
  tx_.each<ReviewId>(
      [&](ReviewId id) { out.push_back(id); },
      "SELECT r.id FROM reviews r JOIN users u ON u.id = r.user_id WHERE r.book_id = $1 AND r.updated_at >= "
      "$3 AND r.standing = 'shown' AND u.created_at > $4 AND CASE WHEN r.rating <= 1.5 THEN 'low' WHEN "
      "r.rating >= 4.5 THEN 'high' END = $2 ORDER BY r.id",
      book, pole, since, new_since);
  return out;
}

std::optional<BurstId> UnusualRepository::open(BookId book, Pole pole, Timestamp since) {
  const auto row = tx_.one<BurstId>(
      "SELECT x.id FROM review_bursts x WHERE x.book_id = $1 AND x.pole = $2 AND x.flagged_at >= $3 AND "
      "EXISTS (SELECT 1 FROM reviews r WHERE r.burst_id = x.id AND r.standing = 'pending') ORDER BY x.id "
      "DESC LIMIT 1",
      book, pole, since);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

BurstId UnusualRepository::begin(BookId book, Pole pole, const Ratings& ratings, const Judgement& found,
                                 Timestamp began_at, Timestamp now) {
  const auto row = tx_.one<BurstId>(
      "INSERT INTO review_bursts (book_id, pole, recent, new_accounts, expected, chance_number, "
      "chance_accounts, began_at, flagged_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
      book, pole, ratings.recent, ratings.fresh, found.expected, found.chance_number, found.chance_accounts,
      began_at, now);
  return std::get<0>(row.value());
}

void UnusualRepository::go_on(BurstId id, const Ratings& ratings, const Judgement& found, Timestamp now) {
  tx_.execute(
      "UPDATE review_bursts SET recent = $2, new_accounts = $3, expected = $4, chance_number = $5, "
      "chance_accounts = $6, flagged_at = $7 WHERE id = $1",
      id, ratings.recent, ratings.fresh, found.expected, found.chance_number, found.chance_accounts, now);
}

void UnusualRepository::put_into(BurstId id, ReviewId review) {
  tx_.execute("UPDATE reviews SET burst_id = $1 WHERE id = $2", id, review);
}

Page<UnusualReviews> UnusualRepository::waiting(const PageRequest& page) {
  static const std::string rows = "SELECT " + columns.list() + still_waiting +
                                  "ORDER BY x.flagged_at DESC, x.id DESC LIMIT CAST($1 AS BIGINT) OFFSET "
                                  "CAST($2 AS BIGINT)";
  static const std::string total = std::string("SELECT count(*)") + still_waiting;
  Page<UnusualReviews> out;
  out.items = tx_.list(columns, rows, page.limit, page.skip);
  out.total = std::get<0>(*tx_.one<std::int64_t>(total));
  return out;
}

bool UnusualRepository::exists(BurstId id) {
  return tx_.one<BurstId>("SELECT id FROM review_bursts WHERE id = $1", id).has_value();
}

std::vector<ReviewId> UnusualRepository::waiting_of(BurstId id, int most) {
  std::vector<ReviewId> out;
  tx_.each<ReviewId>([&](ReviewId review) { out.push_back(review); },
                     "SELECT id FROM reviews WHERE burst_id = $1 AND standing = 'pending' ORDER BY id LIMIT "
                     "CAST($2 AS BIGINT)",
                     id, most);
  return out;
}

}  // namespace lumina::reviews
