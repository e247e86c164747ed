#include "modules/reviews/moderation_repository.hpp"

#include "modules/reviews/repository.hpp"

namespace lumina::reviews {
namespace {

struct ReplyRow : Reply {
  UserId user_id;
  std::string name;
};

const db::Columns<ReplyRow> reply_columns{{"p.id", &ReplyRow::id},
                                          {"p.review_id", &ReplyRow::review_id},
                                          {"p.reply_text", &ReplyRow::reply_text},
                                          {"p.created_at", &ReplyRow::created_at},
                                          {"p.user_id", &ReplyRow::user_id},
                                          {"u.full_name", &ReplyRow::name}};
// $1 is a list.
const std::string numbered_reports =
    "SELECT t.review_id, t.user_id, t.reason, t.note, t.created_at FROM (SELECT review_id, user_id, reason, "
    "note, created_at, row_number() OVER (PARTITION BY review_id ORDER BY created_at, user_id) AS place "
    "FROM review_reports ";
constexpr auto from_replies = " FROM review_replies p JOIN users u ON u.id = p.user_id ";
const std::string undecided =
    " FROM reviews r WHERE r.standing IN ('shown', 'pending') "
    "AND EXISTS (SELECT 1 FROM review_reports t WHERE t.review_id = r.id) ";

Reply finished(ReplyRow row) {
  row.user = {row.user_id, std::move(row.name)};
  return static_cast<Reply&&>(row);
}

}  // namespace

bool ModerationRepository::report(ReviewId id, UserId user, const NewReport& r, Timestamp now) {
  return tx_.execute(
             "INSERT INTO review_reports (review_id, user_id, reason, note, created_at) VALUES ($1, $2, $3, "
             "$4, $5) "
             "ON CONFLICT (review_id, user_id) DO NOTHING",
             id, user, r.reason, r.note, now) > 0;
}

std::int64_t ModerationRepository::reports(ReviewId id) {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM review_reports WHERE review_id = $1", id));
}

std::vector<std::pair<ReviewId, Report>> ModerationRepository::reports_of(const std::vector<ReviewId>& ids) {
  std::vector<std::pair<ReviewId, Report>> all;
  const auto read = [&](const std::string& sql) {
    tx_.each<ReviewId, UserId, Reason, std::optional<std::string>, Timestamp>(
        [&](ReviewId id, UserId user, Reason reason, std::optional<std::string> note, Timestamp at) {
          all.emplace_back(id, Report{user, reason, std::move(note), at});
        },
        sql, texts_of(ids));
  };
  static const std::string of_sqlite = numbered_reports +
                                       "WHERE review_id IN (SELECT CAST(value AS BIGINT) FROM "
                                       "json_each($1))) t WHERE t.place <= 100 ORDER BY t.review_id, t.place";
  static const std::string of_postgresql =
      numbered_reports +
      "WHERE review_id IN (SELECT jsonb_array_elements_text($1::text::jsonb)::bigint)) t "
      "WHERE t.place <= 100 ORDER BY t.review_id, t.place";
  read(tx_.postgresql() ? of_postgresql : of_sqlite);
  return all;
}

void ModerationRepository::forget_reports(ReviewId id) {
  tx_.execute("DELETE FROM review_reports WHERE review_id = $1", id);
}

Page<ReviewId> ModerationRepository::reported(const PageRequest& page) {
  static const std::string rows = "SELECT r.id" + undecided +
                                  "ORDER BY CASE WHEN r.standing = 'pending' THEN 0 ELSE 1 END, r.id "
                                  "LIMIT CAST($1 AS BIGINT) OFFSET CAST($2 AS BIGINT)";
  static const std::string total = "SELECT count(*)" + undecided;
  Page<ReviewId> out;
  tx_.each<ReviewId>([&](ReviewId id) { out.items.push_back(id); }, rows, page.limit, page.skip);
  out.total = std::get<0>(*tx_.one<std::int64_t>(total));
  return out;
}

void ModerationRepository::set_spoiler(ReviewId id, bool spoiler) {
  tx_.execute("UPDATE reviews SET spoiler = $2, version = version + 1 WHERE id = $1", id, spoiler);
}

ReplyId ModerationRepository::insert_reply(ReviewId id, UserId user, const std::string& text, Timestamp now) {
  const auto row = tx_.one<ReplyId>(
      "INSERT INTO review_replies (review_id, user_id, reply_text, created_at) VALUES ($1, $2, $3, $4) "
      "RETURNING id",
      id, user, text, now);
  tx_.execute("UPDATE reviews SET reply_count = reply_count + 1 WHERE id = $1", id);
  return std::get<0>(row.value());
}

std::optional<Reply> ModerationRepository::find_reply(ReplyId id) {
  static const std::string sql = "SELECT " + reply_columns.list() + from_replies + "WHERE p.id = $1";
  auto row = tx_.find(reply_columns, sql, id);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

Page<Reply> ModerationRepository::replies(ReviewId id, const PageRequest& page) {
  static const std::string sql =
      "SELECT " + reply_columns.list() + from_replies +
      "WHERE p.review_id = $1 ORDER BY p.id LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  Page<Reply> out;
  for (auto& row : tx_.list(reply_columns, sql, id, page.limit, page.skip))
    out.items.push_back(finished(std::move(row)));
  out.total =
      std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM review_replies WHERE review_id = $1", id));
  return out;
}

bool ModerationRepository::erase_reply(const Reply& reply) {
  if (tx_.execute("DELETE FROM review_replies WHERE id = $1", reply.id) == 0) return false;
  tx_.execute("UPDATE reviews SET reply_count = reply_count - 1 WHERE id = $1", reply.review_id);
  return true;
}

}  // namespace lumina::reviews
