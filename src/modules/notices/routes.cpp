#include "modules/notices/routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::notices {

std::vector<http::Route> notice_routes(NoticeService& notices) {
  using namespace http;
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Notifications")); };
  const auto person = Access::signed_in();
  add(get("/api/v1/notifications", "List your notifications, unread ones first", person, {},
          [&](Query<NotificationFilter> filter, Paging page, Caller by) {
            return notices.list(*filter, *page, by);
          }));
  add(get("/api/v1/notifications/unread-count", "How many notifications you have not read", person, {},
          [&](Caller by) { return notices.unread(by); }));
  add(post("/api/v1/notifications/{id}/read", "Mark a notification as read", person, {ErrorKind::not_found},
           [&](Path<NoticeId> id, Caller by) { return notices.read(*id, by); }));
  add(post("/api/v1/notifications/read-all", "Mark all notifications as read", person, {},
           [&](Caller by) { return notices.read_all(by); }));
  add(get("/api/v1/notifications/settings", "How you are told of what", person, {},
          [&](Caller by) { return versioned(notices.settings(by)); }));
  add(put("/api/v1/notifications/settings", "Say how to be told of what", person,
          {ErrorKind::stale, ErrorKind::conflict},
          [&](Body<NotificationSettings> wanted, IfMatch seen, Caller by) {
            return versioned(notices.set_settings(*wanted, *seen, by));
          })
          .explained(
              "For each kind: in the app, by mail, both or not at all. In the quiet hours mails wait."));
  return routes;
}

}  // namespace lumina::notices
