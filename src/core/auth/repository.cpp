#include "core/auth/repository.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

namespace lumina::auth {
namespace {

const db::Columns<Account> account_columns{
    {"u.id", &Account::id},
    {"u.email", &Account::email},
    {"u.full_name", &Account::full_name},
    {"u.role", &Account::role},
    {"CASE WHEN u.role = 'admin' THEN 1 ELSE 0 END", &Account::is_admin},
    {"u.is_active", &Account::is_active},
    {"u.created_at", &Account::created_at},
    {"u.updated_at", &Account::updated_at},
    {"u.version", &Account::version},
    {"u.password_hash", &Account::password_hash},
    {"u.token_epoch", &Account::epoch}};

const db::Columns<User> user_columns{{"u.id", &User::id},
                                     {"u.email", &User::email},
                                     {"u.full_name", &User::full_name},
                                     {"u.role", &User::role},
                                     {"CASE WHEN u.role = 'admin' THEN 1 ELSE 0 END", &User::is_admin},
                                     {"u.is_active", &User::is_active},
                                     {"u.created_at", &User::created_at},
                                     {"u.updated_at", &User::updated_at},
                                     {"u.version", &User::version}};

const db::Columns<Preferences> preference_columns{{"p.favorite_genres", &Preferences::favorite_genres},
                                                  {"p.favorite_authors", &Preferences::favorite_authors},
                                                  {"p.languages", &Preferences::languages},
                                                  {"p.disliked_genres", &Preferences::disliked_genres},
                                                  {"p.version", &Preferences::version}};

const db::Columns<ExportedLoan> loan_columns{{"w.id", &ExportedLoan::id},
                                             {"w.book_id", &ExportedLoan::book_id},
                                             {"b.title", &ExportedLoan::title},
                                             {"w.borrow_date", &ExportedLoan::borrow_date},
                                             {"w.due_date", &ExportedLoan::due_date},
                                             {"w.return_date", &ExportedLoan::return_date},
                                             {"w.renewals", &ExportedLoan::renewals}};

const db::Columns<ExportedReview> review_columns{{"r.id", &ExportedReview::id},
                                                 {"r.book_id", &ExportedReview::book_id},
                                                 {"b.title", &ExportedReview::title},
                                                 {"r.rating", &ExportedReview::rating},
                                                 {"r.review_text", &ExportedReview::review_text},
                                                 {"r.sentiment_score", &ExportedReview::sentiment_score},
                                                 {"r.created_at", &ExportedReview::created_at},
                                                 {"r.updated_at", &ExportedReview::updated_at}};

const db::Columns<ExportedVote> vote_columns{{"v.review_id", &ExportedVote::review_id},
                                             {"v.created_at", &ExportedVote::created_at}};

const db::Columns<ExportedHold> hold_columns{{"h.id", &ExportedHold::id},
                                             {"h.book_id", &ExportedHold::book_id},
                                             {"h.status", &ExportedHold::status},
                                             {"h.note", &ExportedHold::note},
                                             {"h.created_at", &ExportedHold::created_at},
                                             {"h.ended_at", &ExportedHold::ended_at}};

const db::Columns<ExportedReply> reply_columns{{"p.id", &ExportedReply::id},
                                               {"p.review_id", &ExportedReply::review_id},
                                               {"p.reply_text", &ExportedReply::reply_text},
                                               {"p.created_at", &ExportedReply::created_at}};

const db::Columns<ExportedReport> report_columns{{"t.review_id", &ExportedReport::review_id},
                                                 {"t.reason", &ExportedReport::reason},
                                                 {"t.note", &ExportedReport::note},
                                                 {"t.created_at", &ExportedReport::created_at}};

const db::Columns<ExportedFine> fine_columns{{"f.id", &ExportedFine::id},
                                             {"f.kind", &ExportedFine::kind},
                                             {"f.book_id", &ExportedFine::book_id},
                                             {"f.note", &ExportedFine::note},
                                             {"f.charged_minor", &ExportedFine::charged_minor},
                                             {"f.settled_minor", &ExportedFine::settled_minor},
                                             {"f.created_at", &ExportedFine::created_at}};

const db::Columns<ExportedLedgerLine> line_columns{{"l.fine_id", &ExportedLedgerLine::fine_id},
                                                   {"l.kind", &ExportedLedgerLine::kind},
                                                   {"l.amount_minor", &ExportedLedgerLine::amount_minor},
                                                   {"l.note", &ExportedLedgerLine::note},
                                                   {"l.created_at", &ExportedLedgerLine::created_at}};

const db::Columns<ExportedAction> action_columns{
    {"a.at", &ExportedAction::at},
    {"a.action", &ExportedAction::action},
    {"a.resource", &ExportedAction::resource},
    {"a.resource_id", &ExportedAction::resource_id},
    {"a.outcome", &ExportedAction::outcome},
    // From where staff acted is their own business.
    {"CASE WHEN a.user_id = $1 THEN a.address ELSE '' END", &ExportedAction::address}};

constexpr auto matching =
    " FROM users u WHERE u.deleted_at IS NULL "
    "AND (CAST($1 AS TEXT) IS NULL OR u.email_key LIKE CAST($1 AS TEXT) ESCAPE '~' "
    "OR u.name_key LIKE CAST($2 AS TEXT) ESCAPE '~') "
    "AND (CAST($3 AS TEXT) IS NULL OR u.role = CAST($3 AS TEXT)) "
    "AND (CAST($4 AS BIGINT) IS NULL OR u.is_active = CAST($4 AS BIGINT))";

// A LIKE pattern for "contains"; the escape character is '~'.
std::string containing(std::string_view text) {
  std::string pattern = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '~') pattern += '~';
    pattern += c;
  }
  return pattern + "%";
}

// The first four parameters of `matching`.
struct Wanted {
  std::optional<std::string> email, name;
  std::optional<Role> role;
  std::optional<bool> active;

  explicit Wanted(const UserFilter& filter) : role(filter.role), active(filter.is_active) {
    if (!filter.q) return;
    email = containing(ascii_lower(trim(*filter.q)));
    name = containing(text::fold(trim(*filter.q)));
  }
};

template <class T>
std::optional<T> only(std::optional<std::tuple<T>> row) {
  return row ? std::optional<T>(std::get<0>(std::move(*row))) : std::nullopt;
}

}  // namespace

std::optional<Account> UserRepository::find(UserId id) {
  static const std::string sql =
      "SELECT " + account_columns.list() + " FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL";
  return tx_.find(account_columns, sql, id);
}

std::optional<Account> UserRepository::find_by_email(std::string_view email_key) {
  static const std::string sql =
      "SELECT " + account_columns.list() + " FROM users u WHERE u.email_key = $1 AND u.deleted_at IS NULL";
  return tx_.find(account_columns, sql, email_key);
}

std::optional<Account> UserRepository::find_locked(UserId id) {
  if (tx_.postgresql()) tx_.one<UserId>("SELECT id FROM users WHERE id = $1 FOR UPDATE", id);
  return find(id);
}

std::vector<User> UserRepository::list(const UserFilter& filter, const PageRequest& page) {
  static const std::string sql =
      "SELECT " + user_columns.list() + matching +
      " ORDER BY u.created_at DESC, u.id DESC LIMIT CAST($5 AS BIGINT) OFFSET CAST($6 AS BIGINT)";
  const Wanted wanted(filter);
  return tx_.list(user_columns, sql, wanted.email, wanted.name, wanted.role, wanted.active, page.limit,
                  page.skip);
}

std::int64_t UserRepository::count(const UserFilter& filter) {
  static const std::string sql = std::string("SELECT count(*)") + matching;
  const Wanted wanted(filter);
  return only(tx_.one<std::int64_t>(sql, wanted.email, wanted.name, wanted.role, wanted.active)).value_or(0);
}

std::optional<UserId> UserRepository::insert(const NewAccount& a, Timestamp now) {
  return only(tx_.one<UserId>(
      "INSERT INTO users (email, email_key, password_hash, full_name, name_key, role, created_at, "
      "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7) "
      "ON CONFLICT (email_key) DO NOTHING RETURNING id",
      a.email, a.email_key, a.password_hash, a.full_name, a.name_key, a.role, now));
}

void UserRepository::set_name(UserId id, std::string_view full_name, std::string_view name_key,
                              Timestamp now) {
  tx_.execute(
      "UPDATE users SET full_name = $2, name_key = $3, updated_at = $4, version = version + 1 WHERE id = $1",
      id, full_name, name_key, now);
}

void UserRepository::set_role(UserId id, Role role, Timestamp now) {
  tx_.execute(
      "UPDATE users SET role = $2, token_epoch = token_epoch + 1, updated_at = $3, version = version + 1 "
      "WHERE id = $1",
      id, role, now);
}

void UserRepository::set_active(UserId id, bool active, Timestamp now) {
  tx_.execute(
      "UPDATE users SET is_active = $2, token_epoch = token_epoch + 1, updated_at = $3, version = version + "
      "1 "
      "WHERE id = $1",
      id, active, now);
  if (!active) end_email_changes(id);
}

void UserRepository::raise_epoch(UserId id) {
  tx_.execute("UPDATE users SET token_epoch = token_epoch + 1 WHERE id = $1", id);
}

void UserRepository::set_password(UserId id, std::string_view hash, Timestamp now) {
  tx_.execute("UPDATE users SET password_hash = $2, updated_at = $3, version = version + 1 WHERE id = $1", id,
              hash, now);
  end_email_changes(id);
}

void UserRepository::strengthen_password(UserId id, std::string_view old_hash, std::string_view new_hash) {
  tx_.execute("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", id, old_hash,
              new_hash);
}

void UserRepository::anonymise(UserId id, Timestamp now) {
  const std::string nobody = "deleted-" + std::to_string(id.value) + "@invalid";
  tx_.execute(
      "UPDATE users SET email = $2, email_key = $2, password_hash = '', full_name = 'Deleted user', name_key "
      "= '', "
      "role = 'patron', is_active = 0, token_epoch = token_epoch + 1, updated_at = $3, deleted_at = $3, "
      "version = version + 1 WHERE id = $1",
      id, nobody, now);
  tx_.execute("DELETE FROM user_preferences WHERE user_id = $1", id);
  tx_.execute("DELETE FROM password_resets WHERE user_id = $1", id);
  end_email_changes(id);
  tx_.execute("DELETE FROM api_keys WHERE user_id = $1", id);
  tx_.execute("DELETE FROM sessions WHERE user_id = $1", id);
}

bool UserRepository::has_open_loans(UserId id) {
  return tx_
      .one<std::int64_t>("SELECT id FROM borrows WHERE user_id = $1 AND return_date IS NULL LIMIT 1", id)
      .has_value();
}

void UserRepository::lock_admins() {
  if (tx_.postgresql())
    tx_.each<UserId>(
        [](UserId) {},
        "SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL ORDER BY id FOR UPDATE");
}

std::int64_t UserRepository::active_admins() {
  return only(tx_.one<std::int64_t>(
                  "SELECT count(*) FROM users WHERE role = 'admin' AND is_active = 1 AND deleted_at IS NULL"))
      .value_or(0);
}

std::vector<User> UserRepository::admins() {
  static const std::string sql =
      "SELECT " + user_columns.list() +
      " FROM users u WHERE u.role = 'admin' AND u.deleted_at IS NULL ORDER BY u.id";
  return tx_.list(user_columns, sql);
}

std::optional<Preferences> UserRepository::preferences(UserId id) {
  static const std::string sql =
      "SELECT " + preference_columns.list() + " FROM user_preferences p WHERE p.user_id = $1";
  return tx_.find(preference_columns, sql, id);
}

void UserRepository::set_preferences(UserId id, const Preferences& wishes, Timestamp now) {
  tx_.execute(
      "INSERT INTO user_preferences (user_id, favorite_genres, favorite_authors, languages, disliked_genres, "
      "updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO UPDATE SET favorite_genres = "
      "excluded.favorite_genres, "
      "favorite_authors = excluded.favorite_authors, languages = excluded.languages, "
      "disliked_genres = excluded.disliked_genres, updated_at = excluded.updated_at, "
      "version = user_preferences.version + 1",
      id, wishes.favorite_genres, wishes.favorite_authors, wishes.languages, wishes.disliked_genres, now);
}

void UserRepository::insert_reset(std::string_view token_hash, UserId user, Timestamp now,
                                  Timestamp expires_at) {
  tx_.execute(
      "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
      token_hash, user, now, expires_at);
}

bool UserRepository::reset_requested_since(UserId user, Timestamp since) {
  return tx_
      .one<std::string>(
          "SELECT token_hash FROM password_resets WHERE user_id = $1 AND created_at > $2 LIMIT 1", user,
          since)
      .has_value();
}

std::optional<UserId> UserRepository::find_reset(std::string_view token_hash, Timestamp now) {
  return only(tx_.one<UserId>(
      "SELECT user_id FROM password_resets WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
      token_hash, now));
}

std::optional<UserId> UserRepository::use_reset(std::string_view token_hash, Timestamp now) {
  const auto user = only(tx_.one<UserId>(
      "UPDATE password_resets SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 "
      "RETURNING user_id",
      token_hash, now));
  if (user)
    tx_.execute("UPDATE password_resets SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL", *user, now);
  return user;
}

std::vector<ExportedLoan> UserRepository::loans(UserId id) {
  static const std::string sql =
      "SELECT " + loan_columns.list() +
      " FROM borrows w JOIN books b ON b.id = w.book_id WHERE w.user_id = $1 ORDER BY w.id";
  return tx_.list(loan_columns, sql, id);
}

std::vector<ExportedReview> UserRepository::reviews(UserId id) {
  static const std::string sql =
      "SELECT " + review_columns.list() +
      " FROM reviews r JOIN books b ON b.id = r.book_id WHERE r.user_id = $1 ORDER BY r.id";
  return tx_.list(review_columns, sql, id);
}

std::vector<ExportedVote> UserRepository::helpful_votes(UserId id) {
  static const std::string sql =
      "SELECT " + vote_columns.list() + " FROM review_votes v WHERE v.user_id = $1 ORDER BY v.review_id";
  return tx_.list(vote_columns, sql, id);
}

std::vector<ExportedHold> UserRepository::holds(UserId id) {
  static const std::string sql =
      "SELECT " + hold_columns.list() + " FROM holds h WHERE h.user_id = $1 ORDER BY h.id";
  return tx_.list(hold_columns, sql, id);
}

std::vector<ExportedReply> UserRepository::replies(UserId id) {
  static const std::string sql =
      "SELECT " + reply_columns.list() + " FROM review_replies p WHERE p.user_id = $1 ORDER BY p.id";
  return tx_.list(reply_columns, sql, id);
}

std::vector<ExportedReport> UserRepository::reports(UserId id) {
  static const std::string sql =
      "SELECT " + report_columns.list() + " FROM review_reports t WHERE t.user_id = $1 ORDER BY t.review_id";
  return tx_.list(report_columns, sql, id);
}

std::vector<ExportedList> UserRepository::lists(UserId id) {
  std::vector<ExportedList> all;
  tx_.each<std::int64_t, std::string, std::string, std::optional<std::string>, bool, Timestamp>(
      [&](std::int64_t list, std::string name, std::string kind, std::optional<std::string> description,
          bool is_public, Timestamp created_at) {
        all.push_back(
            {list, std::move(name), std::move(kind), std::move(description), is_public, {}, {}, created_at});
      },
      "SELECT id, name, kind, description, is_public, created_at FROM collections WHERE owner_id = $1 "
      "ORDER BY id",
      id);
  // In the order of the lists, so one walk puts every book where it belongs.
  std::size_t at = 0;
  tx_.each<std::int64_t, BookId, std::optional<std::string>, Timestamp>(
      [&](std::int64_t list, BookId book, std::optional<std::string> note, Timestamp added_at) {
        while (at < all.size() && all[at].id != list) ++at;
        if (at == all.size()) return;
        all[at].book_ids.push_back(book);
        all[at].books.push_back({book, std::move(note), added_at});
      },
      "SELECT i.collection_id, i.book_id, i.note, i.added_at FROM collection_books i JOIN collections c ON "
      "c.id = "
      "i.collection_id "
      "WHERE c.owner_id = $1 ORDER BY i.collection_id, i.position, i.book_id",
      id);
  return all;
}

std::vector<ExportedGrant> UserRepository::grants(UserId id) {
  std::vector<ExportedGrant> all;
  tx_.each<std::int64_t, UserId, std::string, Timestamp>(
      [&](std::int64_t list, UserId user, std::string access, Timestamp at) {
        all.push_back({list, user, std::move(access), at});
      },
      "SELECT p.collection_id, p.user_id, p.access, p.granted_at FROM collection_permissions p "
      "JOIN collections c ON c.id = p.collection_id WHERE p.user_id = $1 OR c.owner_id = $1 "
      "ORDER BY p.collection_id, p.user_id",
      id);
  return all;
}

ExportedPatron UserRepository::patron(UserId id) {
  ExportedPatron patron;
  patron.category =
      only(tx_.one<std::optional<std::string>>("SELECT category FROM patrons WHERE user_id = $1", id))
          .value_or(std::nullopt);
  patron.card_number =
      only(tx_.one<std::string>("SELECT card_number FROM library_cards WHERE user_id = $1", id));
  tx_.each<std::string, Timestamp, std::optional<Timestamp>>(
      [&](std::string reason, Timestamp from, std::optional<Timestamp> until) {
        patron.blocks.push_back({std::move(reason), from, until});
      },
      "SELECT reason, created_at, lifted_at FROM patron_blocks WHERE user_id = $1 ORDER BY id", id);
  return patron;
}

std::vector<ExportedFine> UserRepository::fines(UserId id) {
  static const std::string sql =
      "SELECT " + fine_columns.list() + " FROM fines f WHERE f.user_id = $1 ORDER BY f.id";
  return tx_.list(fine_columns, sql, id);
}

std::vector<ExportedLedgerLine> UserRepository::ledger(UserId id) {
  static const std::string sql =
      "SELECT " + line_columns.list() + " FROM ledger_lines l WHERE l.user_id = $1 ORDER BY l.id";
  return tx_.list(line_columns, sql, id);
}

std::vector<ExportedNotification> UserRepository::notifications(UserId id) {
  static const db::Columns<ExportedNotification> columns{{"n.kind", &ExportedNotification::kind},
                                                         {"n.title", &ExportedNotification::title},
                                                         {"n.body", &ExportedNotification::body},
                                                         {"n.created_at", &ExportedNotification::created_at},
                                                         {"n.read_at", &ExportedNotification::read_at}};
  return tx_.list(
      columns, "SELECT " + columns.list() + " FROM notifications n WHERE n.user_id = $1 ORDER BY n.id", id);
}

schema::RawJson UserRepository::notification_settings(UserId id) {
  const auto row = tx_.one<std::string>("SELECT document FROM notification_settings WHERE user_id = $1", id);
  return row ? schema::RawJson{std::get<0>(*row)} : schema::RawJson{};
}

std::vector<ExportedFeedback> UserRepository::recommendation_feedback(UserId id) {
  static const db::Columns<ExportedFeedback> columns{{"f.book_id", &ExportedFeedback::book_id},
                                                     {"f.action", &ExportedFeedback::action},
                                                     {"f.times", &ExportedFeedback::times},
                                                     {"f.first_at", &ExportedFeedback::first_at},
                                                     {"f.last_at", &ExportedFeedback::last_at}};
  return tx_.list(columns,
                  "SELECT " + columns.list() +
                      " FROM recommendation_feedback f WHERE f.user_id = $1 ORDER BY f.book_id, f.action",
                  id);
}

std::vector<ExportedSearch> UserRepository::saved_searches(UserId id) {
  std::vector<ExportedSearch> out;
  tx_.each<std::string, std::string, bool, Timestamp>(
      [&](std::string name, std::string query, bool alert, Timestamp at) {
        out.push_back({std::move(name), {std::move(query)}, alert, at});
      },
      "SELECT name, query, alert, created_at FROM saved_searches WHERE user_id = $1 ORDER BY id", id);
  return out;
}

ExportedRecommendations UserRepository::recommendation_settings(UserId id) {
  const auto row = tx_.one<int, std::optional<Timestamp>>(
      "SELECT personal, forgotten_at FROM recommendation_people WHERE user_id = $1", id);
  return row ? ExportedRecommendations{std::get<0>(*row) != 0, std::get<1>(*row)} : ExportedRecommendations{};
}

std::vector<ExportedDocument> UserRepository::documents(UserId id) {
  static const db::Columns<ExportedDocument> columns{
      {"d.id", &ExportedDocument::id},
      {"v.number", &ExportedDocument::version},
      {"d.title", &ExportedDocument::title},
      {"v.filename", &ExportedDocument::filename},
      {"v.kind", &ExportedDocument::kind},
      {"v.sha256", &ExportedDocument::sha256},
      {"d.visibility", &ExportedDocument::visibility},
      {"v.status", &ExportedDocument::status},
      {"v.size", &ExportedDocument::size},
      {"d.book_id", &ExportedDocument::book_id},
      {"CASE WHEN v.number = d.current THEN 1 ELSE 0 END", &ExportedDocument::current},
      {"v.created_at", &ExportedDocument::created_at}};
  static const std::string sql = "SELECT " + columns.list() +
                                 " FROM documents d JOIN document_versions v ON v.document_id = d.id "
                                 "WHERE d.user_id = $1 ORDER BY d.id, v.number";
  return tx_.list(columns, sql, id);
}

std::vector<ExportedDocumentGrant> UserRepository::document_grants(UserId id) {
  std::vector<ExportedDocumentGrant> all;
  tx_.each<std::int64_t, UserId, std::string, Timestamp>(
      [&](std::int64_t document, UserId user, std::string access, Timestamp at) {
        all.push_back({document, user, std::move(access), at});
      },
      "SELECT g.document_id, g.user_id, g.access, g.granted_at FROM document_grants g "
      "JOIN documents d ON d.id = g.document_id WHERE g.user_id = $1 OR d.user_id = $1 "
      "ORDER BY g.document_id, g.user_id",
      id);
  return all;
}

std::vector<ExportedQuestion> UserRepository::questions(UserId id) {
  std::vector<ExportedQuestion> all;
  tx_.each<std::string, std::string, std::string, Timestamp>(
      [&](std::string session, std::string question, std::string answer, Timestamp at) {
        all.push_back({std::move(session), std::move(question), {std::move(answer)}, at});
      },
      "SELECT t.session_id, t.question, t.answer, t.created_at FROM qa_turns t "
      "JOIN qa_sessions s ON s.id = t.session_id WHERE s.user_id = $1 ORDER BY t.id",
      id);
  return all;
}

std::vector<ExportedAction> UserRepository::actions(UserId id) {
  static const std::string sql =
      "SELECT " + action_columns.list() +
      " FROM audit_log a WHERE a.user_id = $1 OR (a.resource = 'user' AND a.resource_id = $1) "
      "ORDER BY a.id DESC LIMIT 10000";
  return tx_.list(action_columns, sql, id);
}

void UserRepository::insert_email_change(std::string_view token_hash, UserId user, std::string_view email,
                                         std::string_view email_key, Timestamp now, Timestamp expires_at) {
  end_email_changes(user);
  tx_.execute(
      "INSERT INTO email_changes (token_hash, user_id, email, email_key, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      token_hash, user, email, email_key, now, expires_at);
}

void UserRepository::end_email_changes(UserId user) {
  tx_.execute("DELETE FROM email_changes WHERE user_id = $1", user);
}

std::optional<UserRepository::WantedEmail> UserRepository::use_email_change(std::string_view token_hash,
                                                                            Timestamp now) {
  const auto row = tx_.one<UserId, std::string, std::string>(
      "UPDATE email_changes SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 "
      "RETURNING user_id, email, email_key",
      token_hash, now);
  if (!row) return std::nullopt;
  return WantedEmail{std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)};
}

bool UserRepository::set_email(UserId id, std::string_view email, std::string_view email_key, Timestamp now) {
  if (tx_.execute(
          "UPDATE users SET email = $2, email_key = $3, updated_at = $4, version = version + 1 WHERE id = $1 "
          "AND NOT EXISTS (SELECT 1 FROM users o WHERE o.email_key = $3 AND o.id <> $1)",
          id, email, email_key, now) == 0)
    return false;
  tx_.execute("DELETE FROM password_resets WHERE user_id = $1", id);
  return true;
}

}  // namespace lumina::auth
