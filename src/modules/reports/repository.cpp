#include "modules/reports/repository.hpp"

namespace lumina::reports {
namespace {

const db::Columns<LentTitle> title_columns{{"b.id", &LentTitle::id},
                                           {"b.title", &LentTitle::title},
                                           {"b.author", &LentTitle::author},
                                           {"x.loans", &LentTitle::loans}};
const db::Columns<SearchedWords> searched_columns{{"x.query_key", &SearchedWords::query},
                                                  {"x.searches", &SearchedWords::searches},
                                                  {"x.misses", &SearchedWords::misses},
                                                  {"x.clicks", &SearchedWords::clicks}};

}  // namespace

std::int64_t ReportRepository::hold_mark() {
  tx_.execute(
      "INSERT INTO rollup_marks (name, last_id) VALUES ('audit_log', 0) ON CONFLICT (name) DO NOTHING");
  // Changed by nothing, but locked on PostgreSQL.
  return std::get<0>(*tx_.one<std::int64_t>(
      "UPDATE rollup_marks SET last_id = last_id WHERE name = 'audit_log' RETURNING last_id"));
}

std::int64_t ReportRepository::mark() {
  const auto row = tx_.one<std::int64_t>("SELECT last_id FROM rollup_marks WHERE name = 'audit_log'");
  return row ? std::get<0>(*row) : 0;
}

void ReportRepository::move_mark(std::int64_t to) {
  tx_.execute("UPDATE rollup_marks SET last_id = $1 WHERE name = 'audit_log'", to);
}

std::int64_t ReportRepository::last_audit_row() {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT coalesce(max(id), 0) FROM audit_log"));
}

std::optional<std::int64_t> ReportRepository::first_younger(std::int64_t from, std::int64_t to,
                                                            Timestamp than) {
  const auto row = tx_.one<std::optional<std::int64_t>>(
      "SELECT min(id) FROM audit_log WHERE id > $1 AND id <= $2 AND at > $3", from, to, than);
  return row ? std::get<0>(*row) : std::nullopt;
}

std::optional<Timestamp> ReportRepository::time_of(std::int64_t row) {
  const auto found =
      tx_.one<Timestamp>("SELECT at FROM audit_log WHERE id <= $1 ORDER BY id DESC LIMIT 1", row);
  return found ? std::optional(std::get<0>(*found)) : std::nullopt;
}

void ReportRepository::actions(std::int64_t from, std::int64_t to, const OnAction& tell) {
  tx_.each<std::int64_t, std::string, std::string, std::int64_t>(
      [&](std::int64_t quarter, std::string action, const std::string& outcome, std::int64_t n) {
        tell(quarter, action, outcome == "refused", n);
      },
      "SELECT at / 900000, action, outcome, count(*) FROM audit_log WHERE id > $1 AND id <= $2 "
      "GROUP BY at / 900000, action, outcome",
      from, to);
}

void ReportRepository::people(std::int64_t from, std::int64_t to, const OnNumber& tell) {
  tx_.each<std::int64_t, std::int64_t>(
      [&](std::int64_t quarter, std::int64_t user) { tell(quarter, user, 1); },
      "SELECT DISTINCT at / 900000, user_id FROM audit_log WHERE id > $1 AND id <= $2 AND user_id IS NOT "
      "NULL",
      from, to);
}

void ReportRepository::lent_books(std::int64_t from, std::int64_t to, const OnNumber& tell) {
  tx_.each<std::int64_t, std::int64_t, std::int64_t>(
      [&](std::int64_t quarter, std::int64_t book, std::int64_t n) { tell(quarter, book, n); },
      "SELECT a.at / 900000, o.book_id, count(*) FROM audit_log a JOIN borrows o ON o.id = a.resource_id "
      "WHERE a.id > $1 AND a.id <= $2 AND a.action = 'borrow.created' AND a.resource = 'borrow' "
      "GROUP BY a.at / 900000, o.book_id",
      from, to);
}

void ReportRepository::add_actions(const std::string& day, const std::string& action, std::int64_t done,
                                   std::int64_t refused) {
  tx_.execute(
      "INSERT INTO usage_days (day, action, done, refused) VALUES ($1, $2, $3, $4) ON CONFLICT (day, action) "
      "DO UPDATE SET done = usage_days.done + excluded.done, refused = usage_days.refused + excluded.refused",
      day, action, done, refused);
}

void ReportRepository::add_hour(const std::string& day, int hour, std::int64_t events) {
  tx_.execute(
      "INSERT INTO usage_hours (day, hour, events) VALUES ($1, $2, $3) ON CONFLICT (day, hour) "
      "DO UPDATE SET events = usage_hours.events + excluded.events",
      day, hour, events);
}

void ReportRepository::add_person(const std::string& day, std::int64_t user) {
  tx_.execute("INSERT INTO usage_people (day, user_id) VALUES ($1, $2) ON CONFLICT (day, user_id) DO NOTHING",
              day, user);
}

void ReportRepository::add_loans(const std::string& day, std::int64_t book, std::int64_t loans) {
  tx_.execute(
      "INSERT INTO book_days (day, book_id, loans) VALUES ($1, $2, $3) ON CONFLICT (day, book_id) "
      "DO UPDATE SET loans = book_days.loans + excluded.loans",
      day, book, loans);
}

void ReportRepository::forget_people(const std::string& before) {
  tx_.execute(
      "INSERT INTO usage_people_days (day, people) SELECT day, count(*) FROM usage_people "
      "WHERE day < $1 GROUP BY day ON CONFLICT (day) "
      "DO UPDATE SET people = usage_people_days.people + excluded.people",
      before);
  tx_.execute("DELETE FROM usage_people WHERE day < $1", before);
}

void ReportRepository::days(const std::string& from, const std::string& to, const OnDay& tell) {
  tx_.each<std::string, std::string, std::int64_t, std::int64_t>(
      [&](const std::string& day, const std::string& action, std::int64_t done, std::int64_t refused) {
        tell(day, action, done, refused);
      },
      "SELECT day, action, done, refused FROM usage_days WHERE day >= $1 AND day <= $2", from, to);
}

void ReportRepository::searched_days(
    const std::string& from, const std::string& to,
    const std::function<void(const std::string&, std::int64_t, std::int64_t)>& tell) {
  tx_.each<std::string, std::int64_t, std::int64_t>(
      [&](const std::string& day, std::int64_t searches, std::int64_t misses) {
        tell(day, searches, misses);
      },
      "SELECT day, CAST(sum(searches) AS BIGINT), CAST(sum(misses) AS BIGINT) FROM search_queries "
      "WHERE day >= $1 AND day <= $2 GROUP BY day",
      from, to);
}

void ReportRepository::people_days(const std::string& from, const std::string& to,
                                   const std::function<void(const std::string&, std::int64_t)>& tell) {
  tx_.each<std::string, std::int64_t>(
      [&](const std::string& day, std::int64_t people) { tell(day, people); },
      "SELECT day, people FROM usage_people_days WHERE day >= $1 AND day <= $2", from, to);
}

void ReportRepository::people_by_day(const std::string& from, const std::string& to,
                                     const std::function<void(const std::string&, std::int64_t)>& tell) {
  tx_.each<std::string, std::int64_t>([&](const std::string& day, std::int64_t user) { tell(day, user); },
                                      "SELECT day, user_id FROM usage_people WHERE day >= $1 AND day <= $2",
                                      from, to);
}

void ReportRepository::hours(const std::string& from, const std::string& to,
                             const std::function<void(const std::string&, int, std::int64_t)>& tell) {
  tx_.each<std::string, int, std::int64_t>(
      [&](const std::string& day, int hour, std::int64_t events) { tell(day, hour, events); },
      "SELECT day, hour, events FROM usage_hours WHERE day >= $1 AND day <= $2", from, to);
}

std::vector<LentTitle> ReportRepository::lent_most(const std::string& from, const std::string& to, int most) {
  static const std::string sql = "SELECT " + title_columns.list() +
                                 " FROM (SELECT book_id, CAST(sum(loans) AS BIGINT) AS loans FROM book_days "
                                 "WHERE day >= $1 AND day <= $2 GROUP BY book_id) x "
                                 "JOIN books b ON b.id = x.book_id WHERE b.deleted_at IS NULL "
                                 "ORDER BY x.loans DESC, b.id LIMIT CAST($3 AS BIGINT)";
  return tx_.list(title_columns, sql, from, to, most);
}

std::vector<SearchedWords> ReportRepository::searched_most(const std::string& from, const std::string& to,
                                                           int most) {
  static const std::string sql =
      "SELECT " + searched_columns.list() +
      " FROM (SELECT query_key, CAST(sum(searches) AS BIGINT) AS searches, CAST(sum(misses) AS BIGINT) AS "
      "misses, "
      "CAST(sum(clicks) AS BIGINT) AS clicks FROM search_queries WHERE day >= $1 AND day <= $2 "
      "GROUP BY query_key) x ORDER BY x.searches DESC, x.query_key LIMIT CAST($3 AS BIGINT)";
  return tx_.list(searched_columns, sql, from, to, most);
}

}  // namespace lumina::reports
