#include "core/auth/session_repository.hpp"

namespace lumina::auth {
namespace {

const db::Columns<Session> session_columns{{"s.id", &Session::id},
                                           {"s.address", &Session::ip},
                                           {"s.user_agent", &Session::agent},
                                           {"s.created_at", &Session::created_at},
                                           {"s.last_seen_at", &Session::last_seen},
                                           {"s.expires_at", &Session::expires_at}};

const db::Columns<StoredRefresh> refresh_columns{{"s.id", &StoredRefresh::session},
                                                 {"s.user_id", &StoredRefresh::user},
                                                 {"t.expires_at", &StoredRefresh::expires_at},
                                                 {"t.used_at", &StoredRefresh::used_at},
                                                 {"s.revoked_at", &StoredRefresh::revoked_at},
                                                 {"s.last_seen_at", &StoredRefresh::last_seen_at}};

const db::Columns<StoredKey> key_columns{{"k.id", &StoredKey::id},
                                         {"k.name", &StoredKey::name},
                                         {"k.prefix", &StoredKey::prefix},
                                         {"k.scopes", &StoredKey::scopes},
                                         {"k.created_at", &StoredKey::created_at},
                                         {"k.expires_at", &StoredKey::expires_at},
                                         {"k.last_used_at", &StoredKey::last_used_at},
                                         {"k.user_id", &StoredKey::user},
                                         {"k.key_hash", &StoredKey::hash}};

}  // namespace

SessionId SessionRepository::insert(const NewSession& s) {
  const auto row = tx_.one<SessionId>(
      "INSERT INTO sessions (user_id, created_at, last_seen_at, expires_at, address, user_agent) "
      "VALUES ($1, $2, $2, $3, $4, $5) RETURNING id",
      s.user, s.now, s.expires_at, s.address, s.agent);
  return std::get<0>(row.value());
}

std::vector<Session> SessionRepository::live(UserId user, Timestamp now, Timestamp idle_since) {
  static const std::string sql =
      "SELECT " + session_columns.list() +
      " FROM sessions s WHERE s.user_id = $1 AND s.revoked_at IS NULL "
      "AND s.expires_at > $2 AND s.last_seen_at > $3 ORDER BY s.last_seen_at DESC, s.id DESC";
  return tx_.list(session_columns, sql, user, now, idle_since);
}

std::vector<Session> SessionRepository::all(UserId user) {
  static const std::string sql =
      "SELECT " + session_columns.list() + " FROM sessions s WHERE s.user_id = $1 ORDER BY s.id";
  return tx_.list(session_columns, sql, user);
}

bool SessionRepository::end(SessionId session, UserId user, Timestamp now) {
  return tx_.execute(
             "UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
             session, user, now) > 0;
}

std::int64_t SessionRepository::end_others(UserId user, SessionId kept, Timestamp now) {
  return tx_.execute(
      "UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL", user,
      kept, now);
}

void SessionRepository::end_beyond(UserId user, int most, Timestamp now) {
  tx_.execute(
      "UPDATE sessions SET revoked_at = $2 WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 "
      "AND revoked_at IS NULL ORDER BY last_seen_at DESC, id DESC LIMIT 1000 OFFSET CAST($3 AS BIGINT))",
      user, now, most);
}

void SessionRepository::touch(SessionId session, Timestamp now) {
  tx_.execute("UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND revoked_at IS NULL", session, now);
}

void SessionRepository::renew(SessionId session, Timestamp now, Timestamp expires_at,
                              std::string_view address, std::string_view agent) {
  tx_.execute(
      "UPDATE sessions SET last_seen_at = $2, expires_at = $3, address = $4, user_agent = $5 WHERE id = $1",
      session, now, expires_at, address, agent);
}

void SessionRepository::insert_token(std::string_view hash, SessionId session, Timestamp now,
                                     Timestamp expires_at) {
  tx_.execute(
      "INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
      hash, session, now, expires_at);
}

std::optional<StoredRefresh> SessionRepository::find_token(std::string_view hash) {
  static const std::string sql =
      "SELECT " + refresh_columns.list() +
      " FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1";
  return tx_.find(refresh_columns, sql, hash);
}

bool SessionRepository::use_token(std::string_view hash, Timestamp now) {
  return tx_.execute("UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL", hash,
                     now) > 0;
}

std::vector<SessionRepository::KnownAddress> SessionRepository::known_addresses(Timestamp since, int most) {
  std::vector<KnownAddress> found;
  tx_.each<std::string, std::string>(
      [&](std::string address, std::string key) { found.push_back({std::move(address), std::move(key)}); },
      "SELECT s.address, u.email_key FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.last_seen_at > "
      "$1 "
      "AND u.deleted_at IS NULL GROUP BY s.address, u.email_key ORDER BY max(s.last_seen_at) DESC "
      "LIMIT CAST($2 AS BIGINT)",
      since, most);
  return found;
}

ApiKeyId SessionRepository::insert_key(UserId user, const NewApiKey& key, std::string_view prefix,
                                       std::string_view hash, Timestamp now) {
  const auto row = tx_.one<ApiKeyId>(
      "INSERT INTO api_keys (user_id, name, prefix, key_hash, scopes, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
      user, key.name, prefix, hash, key.scopes, now, key.expires_at);
  return std::get<0>(row.value());
}

std::vector<StoredKey> SessionRepository::keys(UserId user) {
  static const std::string sql =
      "SELECT " + key_columns.list() + " FROM api_keys k WHERE k.user_id = $1 ORDER BY k.id DESC";
  return tx_.list(key_columns, sql, user);
}

std::optional<StoredKey> SessionRepository::find_key(ApiKeyId id, UserId user) {
  static const std::string sql =
      "SELECT " + key_columns.list() + " FROM api_keys k WHERE k.id = $1 AND k.user_id = $2";
  return tx_.find(key_columns, sql, id, user);
}

std::optional<UserId> SessionRepository::owner_of_key(std::string_view prefix) {
  const auto row = tx_.one<UserId>("SELECT user_id FROM api_keys WHERE prefix = $1", prefix);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

bool SessionRepository::erase_key(ApiKeyId id, UserId user) {
  return tx_.execute("DELETE FROM api_keys WHERE id = $1 AND user_id = $2", id, user) > 0;
}

void SessionRepository::touch_key(ApiKeyId id, Timestamp now) {
  tx_.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", id, now);
}

std::int64_t SessionRepository::blank_addresses(Timestamp before) {
  return tx_.execute(
      "UPDATE sessions SET address = '', user_agent = '' WHERE last_seen_at < $1 AND (address <> '' OR "
      "user_agent <> '')",
      before);
}

std::int64_t SessionRepository::purge(Timestamp before) {
  tx_.execute("DELETE FROM password_resets WHERE expires_at < $1", before);
  tx_.execute("DELETE FROM email_changes WHERE expires_at < $1", before);
  tx_.execute("DELETE FROM refresh_tokens WHERE expires_at < $1", before);
  return tx_.execute("DELETE FROM sessions WHERE expires_at < $1", before);
}

}  // namespace lumina::auth
