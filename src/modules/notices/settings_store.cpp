#include "modules/notices/settings_store.hpp"

#include "core/json/codec.hpp"
#include "core/telemetry/log.hpp"

namespace lumina::notices {

NotificationSettings settings_of(db::Transaction& tx, UserId user) {
  NotificationSettings found;
  const auto row = tx.one<std::string, std::int64_t>(
      "SELECT document, version FROM notification_settings WHERE user_id = $1", user);
  if (row) {
    auto stored = json::decode<NotificationSettings>(std::get<0>(*row));
    if (stored) stored->version = std::get<1>(*row);
    auto whole =
        stored ? completed(std::move(*stored)) : Result<NotificationSettings>(Failure(stored.error()));
    if (whole) return std::move(*whole);
    // A time zone that is no more, or what a newer program wrote: nobody else's notices wait for this.
    log::warn("the notification settings of a person cannot be read; the usual ones are used",
              {{"user_id", user.value}});
    found.version = std::get<1>(*row);
  }
  return completed(std::move(found)).value();
}

bool keep_settings(db::Transaction& tx, UserId user, const NotificationSettings& settings, Timestamp now) {
  return tx.execute(
             "INSERT INTO notification_settings (user_id, document, version, updated_at) "
             "VALUES ($1, $2, CAST($3 AS BIGINT) + 1, $4) ON CONFLICT (user_id) DO UPDATE "
             "SET document = excluded.document, version = excluded.version, updated_at = excluded.updated_at "
             "WHERE notification_settings.version = $3",
             user, json::encode(settings), settings.version, now) == 1;
}

}  // namespace lumina::notices
