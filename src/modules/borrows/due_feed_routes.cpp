#include "modules/borrows/due_feed_routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

Task<Result<Response>> as_calendar(Task<Result<std::string>> task) {
  auto text = co_await std::move(task);
  if (!text) co_return Failure(std::move(text.error()));
  Response response;
  response.content_type = "text/calendar; charset=utf-8";
  response.body = std::move(*text);
  response.set("Cache-Control", "private, max-age=300");
  response.set("Content-Disposition", "inline; filename=\"loans.ics\"");
  co_return response;
}

Task<Result<Response>> as_secret(Task<Result<FeedAddress>> task) {
  auto address = co_await std::move(task);
  if (!address) co_return Failure(std::move(address.error()));
  auto response = detail::json_response(201, json::encode(*address), 0, false);
  response.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

std::vector<Route> due_feed_routes(DueFeedService& feeds) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Circulation")); };
  add(post("/api/v1/users/me/calendar-token", "Make or renew the address of one's calendar of due dates",
           Access::signed_in(), {}, [&](Caller by) { return as_secret(feeds.make_address(std::move(by))); })
          .with_status(201)
          .repeats(Repeat::withheld)
          .documented_as<FeedAddress>()
          .explained("The address works without signing in; a new one ends the old."));
  add(del("/api/v1/users/me/calendar-token", "End one's calendar of due dates", Access::signed_in(),
          {ErrorKind::not_found}, [&](Caller by) { return feeds.remove_address(std::move(by)); }));
  add(get("/api/v1/users/me/loans.ics", "Read one's due dates as iCalendar", Access::anyone(),
          {ErrorKind::not_found},
          [&](Query<FeedRequest> request) { return as_calendar(feeds.feed(*request)); })
          .answers_media("text/calendar"));
  return routes;
}

}  // namespace lumina::borrows
