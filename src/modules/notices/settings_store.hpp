// How somebody wants to be told, as it is stored: a JSON document with a version.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/notices/model.hpp"

namespace lumina::notices {

// What is usual where nobody chose. Complete: a channel for every kind.
NotificationSettings settings_of(db::Transaction& tx, UserId user);
// False when the version is no longer that of `settings`. Raises it.
bool keep_settings(db::Transaction& tx, UserId user, const NotificationSettings& settings, Timestamp now);

}  // namespace lumina::notices
