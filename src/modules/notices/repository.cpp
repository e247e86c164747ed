#include "modules/notices/repository.hpp"

#include <stdexcept>

namespace lumina::notices {
namespace {

const db::Columns<Notification> columns{
    {"id", &Notification::id},
    {"kind", &Notification::kind},
    {"title", &Notification::title},
    {"body", &Notification::body},
    {"subject_id", &Notification::resource_id},
    {"book_id", &Notification::book_id},
    {"CASE WHEN read_at IS NULL THEN 0 ELSE 1 END", &Notification::is_read},
    {"created_at", &Notification::created_at},
    {"read_at", &Notification::read_at}};

const db::Columns<LoanFacts> loan_columns{{"l.id", &LoanFacts::id},
                                          {"l.user_id", &LoanFacts::user},
                                          {"l.book_id", &LoanFacts::book},
                                          {"b.title", &LoanFacts::title},
                                          {"c.branch_id", &LoanFacts::branch},
                                          {"l.borrow_date", &LoanFacts::borrowed_at},
                                          {"l.due_date", &LoanFacts::due_date},
                                          {"l.return_date", &LoanFacts::returned_at},
                                          {"CAST(l.renewals AS BIGINT)", &LoanFacts::renewals}};
constexpr auto from_loans =
    " FROM borrows l JOIN books b ON b.id = l.book_id JOIN copies c ON c.id = l.copy_id ";

const db::Columns<HoldFacts> hold_columns{{"h.id", &HoldFacts::id},
                                          {"h.user_id", &HoldFacts::user},
                                          {"h.book_id", &HoldFacts::book},
                                          {"b.title", &HoldFacts::title},
                                          {"r.name", &HoldFacts::branch},
                                          {"h.status", &HoldFacts::status},
                                          {"h.pickup_branch_id", &HoldFacts::branch_id},
                                          {"h.pickup_until", &HoldFacts::pickup_until}};

const db::Columns<FineFacts> fine_columns{{"f.id", &FineFacts::id},
                                          {"f.user_id", &FineFacts::user},
                                          {"f.book_id", &FineFacts::book},
                                          {"b.title", &FineFacts::title},
                                          {"f.note", &FineFacts::note},
                                          {"f.kind", &FineFacts::kind},
                                          {"f.charged_minor - f.settled_minor", &FineFacts::owed_minor}};
constexpr auto from_fines = " FROM fines f LEFT JOIN books b ON b.id = f.book_id ";

// $1 is whose they are.
constexpr auto shown =
    " FROM notifications WHERE user_id = $1 AND in_app = 1 "
    "AND (CAST($2 AS SMALLINT) IS NULL OR (read_at IS NULL) = (CAST($2 AS SMALLINT) = 1)) "
    "AND (CAST($3 AS TEXT) IS NULL OR kind = CAST($3 AS TEXT)) ";

events::Cursor cursor_of(const std::optional<std::tuple<std::string>>& row) {
  const auto cursor = row ? events::Cursor::parse(std::get<0>(*row)) : std::nullopt;
  if (!cursor) throw std::runtime_error("the position of the notices cannot be read");
  return *cursor;
}

}  // namespace

Page<Notification> NoticeRepository::list(UserId user, const NotificationFilter& filter,
                                          const PageRequest& page) {
  static const std::string rows = "SELECT " + columns.list() + shown +
                                  "ORDER BY CASE WHEN read_at IS NULL THEN 0 ELSE 1 END, id DESC "
                                  "LIMIT CAST($4 AS BIGINT) OFFSET CAST($5 AS BIGINT)";
  static const std::string total = std::string("SELECT count(*)") + shown;
  Page<Notification> out;
  out.items = tx_.list(columns, rows, user, filter.unread, filter.kind, page.limit, page.skip);
  out.total = std::get<0>(*tx_.one<std::int64_t>(total, user, filter.unread, filter.kind));
  return out;
}

std::int64_t NoticeRepository::unread(UserId user) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(*) FROM notifications WHERE user_id = $1 AND in_app = 1 AND read_at IS NULL", user));
}

std::optional<Notification> NoticeRepository::find(NoticeId id, UserId user) {
  return tx_.find(
      columns,
      "SELECT " + columns.list() + " FROM notifications WHERE id = $1 AND user_id = $2 AND in_app = 1", id,
      user);
}

std::int64_t NoticeRepository::mark_read(NoticeId id, UserId user, Timestamp now) {
  return tx_.execute(
      "UPDATE notifications SET read_at = $3 "
      "WHERE id = $1 AND user_id = $2 AND in_app = 1 AND read_at IS NULL",
      id, user, now);
}

std::int64_t NoticeRepository::mark_all_read(UserId user, Timestamp now) {
  return tx_.execute(
      "UPDATE notifications SET read_at = $2 WHERE user_id = $1 AND in_app = 1 AND read_at IS NULL", user,
      now);
}

std::optional<NoticeId> NoticeRepository::insert(const NewNotice& notice, Timestamp now) {
  const auto& key = notice.key;
  const auto row = tx_.one<NoticeId>(
      "INSERT INTO notifications (user_id, kind, subject_id, round, step, book_id, title, body, in_app, "
      "mailed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
      "ON CONFLICT (kind, subject_id, round, step) DO NOTHING RETURNING id",
      notice.user, key.kind, key.subject, key.round, key.step, notice.book, notice.title, notice.body,
      notice.in_app, notice.mailed, now);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

bool NoticeRepository::exists(const NoticeKey& key) {
  return tx_
      .one<std::int64_t>(
          "SELECT 1 FROM notifications WHERE kind = $1 AND subject_id = $2 AND round = $3 AND step = $4",
          key.kind, key.subject, key.round, key.step)
      .has_value();
}

std::vector<NoticeKey> NoticeRepository::mailed_of(std::int64_t subject, NoticeKind kind) {
  std::vector<NoticeKey> all;
  tx_.each<std::int64_t, std::int64_t>(
      [&](std::int64_t round, std::int64_t step) { all.push_back({kind, subject, round, step}); },
      "SELECT round, step FROM notifications WHERE kind = $1 AND subject_id = $2 AND mailed = 1 ORDER BY id",
      kind, subject);
  return all;
}

void NoticeRepository::forget(UserId user) {
  tx_.execute("DELETE FROM notifications WHERE user_id = $1", user);
  tx_.execute("DELETE FROM notification_settings WHERE user_id = $1", user);
  tx_.execute("DELETE FROM saved_searches WHERE user_id = $1", user);
}

std::int64_t NoticeRepository::prune(Timestamp read_before) {
  return tx_.execute(
      "DELETE FROM notifications WHERE created_at < $1 AND (read_at IS NOT NULL OR in_app = 0)", read_before);
}

std::optional<Recipient> NoticeRepository::recipient(UserId user) {
  const auto row = tx_.one<std::string, std::string>(
      "SELECT email, full_name FROM users WHERE id = $1 AND is_active = 1 AND deleted_at IS NULL", user);
  if (!row) return std::nullopt;
  return Recipient{user, std::get<0>(*row), std::get<1>(*row)};
}

std::optional<LoanFacts> NoticeRepository::loan(std::int64_t id) {
  return tx_.find(loan_columns, "SELECT " + loan_columns.list() + from_loans + "WHERE l.id = $1", id);
}

std::optional<HoldFacts> NoticeRepository::hold(std::int64_t id) {
  return tx_.find(hold_columns,
                  "SELECT " + hold_columns.list() +
                      " FROM holds h JOIN books b ON b.id = h.book_id "
                      "JOIN branches r ON r.id = h.pickup_branch_id WHERE h.id = $1",
                  id);
}

std::optional<FineFacts> NoticeRepository::fine(std::int64_t id) {
  return tx_.find(fine_columns, "SELECT " + fine_columns.list() + from_fines + "WHERE f.id = $1", id);
}

std::optional<FineFacts> NoticeRepository::fine_of_loan(std::int64_t loan, std::string_view kind) {
  return tx_.find(fine_columns,
                  "SELECT " + fine_columns.list() + from_fines + "WHERE f.borrow_id = $1 AND f.kind = $2",
                  loan, kind);
}

std::vector<LoanFacts> NoticeRepository::open_loans(Timestamp from, Timestamp before, std::int64_t after,
                                                    std::int64_t most) {
  static const std::string sql =
      "SELECT " + loan_columns.list() + from_loans +
      "WHERE l.status IN ('active', 'overdue') AND l.due_date >= $1 AND l.due_date < $2 "
      "AND l.id > $3 AND c.status NOT IN ('lost', 'claimed_returned') ORDER BY l.id LIMIT $4";
  // Who returns one meanwhile waits, so that its event comes after the reminder and withdraws it.
  static const std::string locking = sql + " FOR SHARE OF l";
  const bool lock = tx_.postgresql() && tx_.writable();
  return tx_.list(loan_columns, lock ? locking : sql, from, before, after, most);
}

events::Cursor NoticeRepository::position() {
  if (!tx_.postgresql()) return position_now();
  return cursor_of(tx_.one<std::string>("SELECT position FROM notice_position WHERE id = 1 FOR UPDATE"));
}
events::Cursor NoticeRepository::position_now() {
  return cursor_of(tx_.one<std::string>("SELECT position FROM notice_position WHERE id = 1"));
}
void NoticeRepository::move_to(const events::Cursor& position) {
  tx_.execute("UPDATE notice_position SET position = $1 WHERE id = 1", position.text());
}

}  // namespace lumina::notices
