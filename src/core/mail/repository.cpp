#include "core/mail/repository.hpp"

namespace lumina::mail {
namespace {

const db::Columns<StoredMail> columns{{"id", &StoredMail::id},
                                      {"user_id", &StoredMail::user},
                                      {"sealed", &StoredMail::sealed},
                                      {"status", &StoredMail::status},
                                      {"not_after", &StoredMail::not_after}};

}  // namespace

std::optional<MailId> MailRepository::insert(std::string_view key, std::string_view kind,
                                             std::optional<UserId> user, std::string_view sealed,
                                             std::optional<Timestamp> not_after, Timestamp now) {
  const auto row = tx_.one<MailId>(
      "INSERT INTO mails (mail_key, kind, user_id, sealed, not_after, created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mail_key) DO NOTHING RETURNING id",
      key, kind, user, sealed, not_after, now);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

std::optional<StoredMail> MailRepository::find(MailId id) {
  return tx_.find(columns, "SELECT " + columns.list() + " FROM mails WHERE id = $1", id);
}

void MailRepository::set_open(MailId id, MailStatus status, std::string_view answer) {
  tx_.execute("UPDATE mails SET status = $2, answer = $3 WHERE id = $1 AND sealed IS NOT NULL", id, status,
              answer);
}

void MailRepository::end(MailId id, MailStatus status, std::string_view answer, Timestamp now) {
  tx_.execute("UPDATE mails SET status = $2, answer = $3, sealed = NULL, ended_at = $4 WHERE id = $1", id,
              status, answer, now);
}

void MailRepository::withdraw(std::string_view key, Timestamp now) {
  tx_.execute(
      "UPDATE mails SET status = 'withdrawn', sealed = NULL, ended_at = $2 "
      "WHERE mail_key = $1 AND status IN ('waiting', 'failed')",
      key, now);
}

void MailRepository::forget(UserId user) { tx_.execute("DELETE FROM mails WHERE user_id = $1", user); }

bool MailRepository::any_due(Timestamp now) {
  return tx_
      .one<std::int64_t>(
          "SELECT 1 FROM jobs WHERE kind = 'mail' AND status = 'queued' AND run_at <= $1 LIMIT 1", now)
      .has_value();
}

std::int64_t MailRepository::prune(Timestamp before) {
  return tx_.execute("DELETE FROM mails WHERE created_at < $1", before);
}

}  // namespace lumina::mail
