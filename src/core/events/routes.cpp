#include "core/events/routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::events {
namespace {

using namespace http;

constexpr std::int64_t most_missed = 2000;

// Read and written as text: ids of events are cursors.
struct EventView {
  std::string id, type;
  Timestamp at;
  std::optional<std::int64_t> resource_id, user_id, book_id;
  schema::RawJson data;

  static constexpr std::string_view type_name = "Event";
  static std::vector<schema::Field> fields() {
    return {{"id", &EventView::id, "Its place; `after` and Last-Event-ID take it"},
            {"type", &EventView::type, "book.created, borrow.returned, ..."},
            {"at", &EventView::at, "When it happened"},
            {"resource_id", &EventView::resource_id, "What it happened to"},
            {"user_id", &EventView::user_id, "Whom it concerns"},
            {"book_id", &EventView::book_id, "The book it concerns"},
            {"data", &EventView::data, "More, by type"}};
  }
};

struct ListFilter {
  std::optional<std::string> after;
  std::vector<std::string> types;
  std::int64_t limit = 100;
  static constexpr std::string_view type_name = "EventFilter";
  static std::vector<schema::Field> fields() {
    return {
        {"after",
         &ListFilter::after,
         "The id of the last event seen; the oldest ones when absent",
         {schema::length(1, 50)}},
        {"types", &ListFilter::types, "Only these; borrow.* stands for all that begin so"},
        schema::Field{"limit", &ListFilter::limit, "At most so many", {schema::range(1, 1000)}}.optional()};
  }
};

struct StreamFilter {
  std::vector<std::string> types;
  static constexpr std::string_view type_name = "EventStreamFilter";
  static std::vector<schema::Field> fields() {
    return {{"types", &StreamFilter::types, "Only these; borrow.* stands for all that begin so"}};
  }
};

Failure not_an_event(std::string where, std::string name) {
  return invalid({{{std::move(where), std::move(name)}, "is not the id of an event", "pattern"}});
}

EventView view_of(Recorded row) {
  EventView view{
      row.at.text(), std::move(row.event.type), row.event.at, {}, {}, {}, {std::move(row.event.payload)}};
  if (row.event.resource_id != 0) view.resource_id = row.event.resource_id;
  if (row.event.user) view.user_id = row.event.user->value;
  if (row.event.book) view.book_id = row.event.book->value;
  return view;
}

Task<Result<std::vector<EventView>>> refuse_list(Failure why) { co_return why; }

Task<Result<std::vector<EventView>>> list(db::Database& database, const ListFilter& filter) {
  Cursor after;
  if (filter.after) {
    const auto parsed = Cursor::parse(*filter.after);
    if (!parsed) return refuse_list(not_an_event("query", "after"));
    after = *parsed;
  }
  auto work = [after, types = filter.types, limit = filter.limit](db::Transaction& tx) {
    std::vector<EventView> out;
    for (auto& row : Outbox(tx).after(after, types, limit)) out.push_back(view_of(std::move(row)));
    return out;
  };
  return database.read(std::move(work));
}

Task<Result<Response>> stream(db::Database& database, Hub& hub, std::vector<std::string> types,
                              std::string last_id, Caller by) {
  std::optional<Cursor> seen;
  if (!last_id.empty()) {
    seen = Cursor::parse(last_id);
    if (!seen) co_return not_an_event("header", "Last-Event-ID");
  }
  Selection selection{std::move(types), {}, by.user, seen.value_or(Cursor{})};
  if (!by.can(Permission::loans_manage)) selection.of_user = by.user;
  auto opened = hub.open(selection);
  if (!opened)
    co_return Failure(
        Error{ErrorKind::unavailable, "too_many_streams", "Too many event streams are open", {}, 5});
  std::string text = "retry: 3000\n\n";
  bool last = false;
  if (seen && *seen < opened->begins) {
    auto work = [&](db::Transaction& tx) { return Outbox(tx).after(*seen, selection.types, most_missed); };
    auto missed = co_await database.read(std::move(work));
    if (!missed) co_return Failure(std::move(missed.error()));
    for (const auto& row : *missed)
      if (row.at <= opened->begins && selection.takes(row.event)) text += to_sse(row);
    // Who missed more gets these and connects again for the rest. A place to go on from is named even when
    // none of them was for this reader.
    if (std::ssize(*missed) == most_missed) {
      last = true;
      text += "id: " + missed->back().at.text() + "\ndata\n\n";
    }
  }
  opened->stream->begin_with(std::move(text), last);
  Response response;
  response.content_type = "text/event-stream";
  response.set("Cache-Control", "no-cache");
  response.set("X-Accel-Buffering", "no");
  response.stream = std::move(opened->stream);
  co_return response;
}

}  // namespace

std::vector<Route> event_routes(db::Database& database, Hub& hub) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Events")); };
  add(get("/api/v1/events", "List what happened", Access::needs(Permission::audit_read), {},
          [&](Query<ListFilter> filter) { return list(database, *filter); })
          .explained(
              "The oldest first, kept for seven days. Ask again with `after` and the last id to go on."));
  add(get("/api/v1/events/stream", "Follow what happens", Access::signed_in(), {ErrorKind::unavailable},
          [&](Query<StreamFilter> filter, RawRequest request, Caller by) {
            return stream(database, hub, filter->types, std::string(request.header("Last-Event-ID")), by);
          })
          .answers_media("text/event-stream")
          .by_itself()
          .explained("Server-sent events (text/event-stream). Patrons see what concerns them, staff see all. "
                     "Reconnect with "
                     "Last-Event-ID to miss nothing of the last seven days."));
  return routes;
}

}  // namespace lumina::events
