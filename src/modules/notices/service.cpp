#include "modules/notices/service.hpp"

#include "modules/notices/repository.hpp"
#include "modules/notices/settings_store.hpp"

#include <utility>

namespace lumina::notices {

Task<Result<Page<Notification>>> NoticeService::list(NotificationFilter filter, PageRequest page, Caller by) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [filter, page = std::move(page), user = by.id()](db::Transaction& tx) {
    return NoticeRepository(tx).list(user, filter, page);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<UnreadCount>> NoticeService::unread(Caller by) {
  auto work = [user = by.id()](db::Transaction& tx) {
    return UnreadCount{NoticeRepository(tx).unread(user)};
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Notification>> NoticeService::read(NoticeId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<Notification> {
    NoticeRepository notices(tx);
    const bool changed = notices.mark_read(id, by.id(), clock_.now()) > 0;
    auto found = notices.find(id, by.id());
    if (!found) return not_found("Notification not found");
    if (changed)
      journal_.record(tx, by,
                      {.type = "notification.read", .resource = "notification", .resource_id = id.value});
    return std::move(*found);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<MarkedRead>> NoticeService::read_all(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Result<MarkedRead> {
    const MarkedRead done{NoticeRepository(tx).mark_all_read(by.id(), clock_.now())};
    if (done.marked > 0)
      journal_.record(tx, by, {.type = "notification.all_read", .resource = "notification"});
    return done;
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<NotificationSettings>> NoticeService::settings(Caller by) {
  auto work = [user = by.id()](db::Transaction& tx) { return settings_of(tx, user); };
  co_return co_await database_.read(std::move(work));
}

Task<Result<NotificationSettings>> NoticeService::set_settings(NotificationSettings wanted, Precondition seen,
                                                               Caller by) {
  auto whole = completed(std::move(wanted));
  if (!whole) co_return Failure(std::move(whole.error()));
  auto work = [this, wanted = std::move(*whole), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<NotificationSettings> {
    auto next = wanted;
    next.version = settings_of(tx, by.id()).version;
    if (!seen.allows(next.version))
      return fail(ErrorKind::stale, "stale", "The settings changed since you read them; read them again");
    if (!keep_settings(tx, by.id(), next, clock_.now()))
      return fail(ErrorKind::conflict, "conflict", "The settings were changed at the same time; try again");
    journal_.record(tx, by,
                    {.type = "notification.settings_changed",
                     .resource = "user",
                     .resource_id = by.id().value,
                     .subject = by.id()});
    ++next.version;
    return next;
  };
  co_return co_await database_.write(std::move(work));
}

void forget_notices_of(db::Transaction& tx, UserId user) { NoticeRepository(tx).forget(user); }

}  // namespace lumina::notices
