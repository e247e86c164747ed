// One's own notices: reading them, and saying how one wants to be told. What makes them is notifier.hpp.
//
// Awaited on an io thread; each is one unit of work. Somebody else's notice is not found.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/notices/model.hpp"

namespace lumina::notices {

class NoticeService {
 public:
  NoticeService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<Page<Notification>>> list(NotificationFilter filter, PageRequest page, Caller by);
  Task<Result<UnreadCount>> unread(Caller by);
  // Reading it again changes nothing.
  Task<Result<Notification>> read(NoticeId id, Caller by);
  Task<Result<MarkedRead>> read_all(Caller by);

  Task<Result<NotificationSettings>> settings(Caller by);
  // Replaces them. Errors: invalid, stale, conflict (somebody changed them meanwhile).
  Task<Result<NotificationSettings>> set_settings(NotificationSettings wanted, Precondition seen, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

// Inside somebody's leaving.
void forget_notices_of(db::Transaction& tx, UserId user);

}  // namespace lumina::notices
