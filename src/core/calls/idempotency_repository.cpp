#include "core/calls/idempotency_repository.hpp"

namespace lumina::calls {
namespace {

const db::Columns<KeptAnswer> columns{{"owner", &KeptAnswer::owner},
                                      {"key", &KeptAnswer::key},
                                      {"fingerprint", &KeptAnswer::fingerprint},
                                      {"claimed_by", &KeptAnswer::claimed_by},
                                      {"created_at", &KeptAnswer::created_at},
                                      {"expires_at", &KeptAnswer::expires_at},
                                      {"status", &KeptAnswer::status},
                                      {"content_type", &KeptAnswer::content_type},
                                      {"etag", &KeptAnswer::etag},
                                      {"headers", &KeptAnswer::headers},
                                      {"body", &KeptAnswer::body}};

}  // namespace

bool IdempotencyRepository::hold(std::string_view owner, std::string_view key) {
  if (!tx_.postgresql()) return true;  // one process, one writer
  const auto row = tx_.one<std::int64_t>(
      "SELECT CAST(CAST(pg_try_advisory_xact_lock(hashtextextended(CAST($1 AS TEXT) || chr(10) || CAST($2 AS "
      "TEXT), 0)) "
      "AS INTEGER) AS BIGINT)",
      owner, key);
  return row && std::get<0>(*row) != 0;
}

std::optional<KeptAnswer> IdempotencyRepository::find(std::string_view owner, std::string_view key,
                                                      Timestamp now) {
  static const std::string sql =
      "SELECT " + columns.list() + " FROM idempotency_keys WHERE owner = $1 AND key = $2 AND expires_at > $3";
  return tx_.find(columns, sql, owner, key, now);
}

void IdempotencyRepository::insert(const KeptAnswer& a) {
  tx_.execute("DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2 AND expires_at <= $3", a.owner,
              a.key, a.created_at);
  tx_.execute(
      "INSERT INTO idempotency_keys (owner, key, fingerprint, claimed_by, created_at, expires_at, status, "
      "content_type, etag, headers, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      a.owner, a.key, a.fingerprint, a.claimed_by, a.created_at, a.expires_at, a.status, a.content_type,
      a.etag, a.headers, a.body);
}

void IdempotencyRepository::finish(const KeptAnswer& a) {
  tx_.execute(
      "UPDATE idempotency_keys SET status = $4, content_type = $5, etag = $6, headers = $7, body = $8 "
      "WHERE owner = $1 AND key = $2 AND claimed_by = $3 AND status IS NULL",
      a.owner, a.key, a.claimed_by, a.status, a.content_type, a.etag, a.headers, a.body);
}

void IdempotencyRepository::erase(std::string_view owner, std::string_view key, std::string_view claimed_by) {
  tx_.execute(
      "DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2 AND claimed_by = $3 AND status IS NULL",
      owner, key, claimed_by);
}

void IdempotencyRepository::erase_of(std::string_view owner) {
  tx_.execute("DELETE FROM idempotency_keys WHERE owner = $1", owner);
}

std::int64_t IdempotencyRepository::purge(Timestamp now) {
  return tx_.execute("DELETE FROM idempotency_keys WHERE expires_at <= $1", now);
}

}  // namespace lumina::calls
