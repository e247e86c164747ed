#include "modules/lists/feed_routes.hpp"

#include "core/http/handler.hpp"
#include "core/xml/atom.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::lists {
namespace {

using namespace http;
using enum ErrorKind;

Response json_answer(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}
// Refusals as the device reads them.
Response unauthorized() { return json_answer(401, R"({"code":2001,"message":"Unauthorized"})"); }

SyncAccount account_of(const RawRequest& raw) {
  return {std::string(raw.header("x-auth-user")), std::string(raw.header("x-auth-key"))};
}

Task<Result<Response>> created(SyncService& sync, SyncAccount account, Caller by) {
  const std::string name = account.username;
  auto made = co_await sync.create(std::move(account), std::move(by));
  if (!made) co_return Failure(std::move(made.error()));
  if (!*made) co_return json_answer(402, R"({"code":2002,"message":"Username is already registered."})");
  std::string body = "{\"username\":";
  json::append_string(body, name);
  co_return json_answer(201, body + "}");
}
Task<Result<Response>> authorized(Task<Result<bool>> task) {
  auto known = co_await std::move(task);
  if (!known) co_return Failure(std::move(known.error()));
  co_return *known ? json_answer(200, R"({"authorized":"OK"})") : unauthorized();
}
Task<Result<Response>> stored(Task<Result<std::optional<StoredPlace>>> task) {
  auto place = co_await std::move(task);
  if (!place) co_return Failure(std::move(place.error()));
  if (!*place) co_return unauthorized();
  std::string body = "{\"document\":";
  json::append_string(body, (*place)->document);
  co_return json_answer(200, body + fmt::format(",\"timestamp\":{}}}", (*place)->timestamp));
}
Task<Result<Response>> found(Task<Result<std::optional<std::optional<StoredPlace>>>> task) {
  auto place = co_await std::move(task);
  if (!place) co_return Failure(std::move(place.error()));
  if (!*place) co_return unauthorized();
  co_return json_answer(200, **place ? json::encode(***place) : "{}");
}

Task<Result<Response>> list_feed(ListService& lists, std::string reference) {
  const Caller stranger;
  auto list = co_await lists.find(reference, stranger);
  if (!list) co_return Failure(std::move(list.error()));
  PageRequest page;
  auto items = co_await lists.items(reference, page, stranger);
  if (!items) co_return Failure(std::move(items.error()));
  xml::AtomFeed feed;
  feed.id = fmt::format("urn:luminalib:list:{}", list->id.value);
  feed.title = list->name;
  feed.author = list->owner.full_name.empty() ? "LuminaLib" : list->owner.full_name;
  feed.updated = list->updated_at;
  feed.links.push_back({"self", "/feeds/lists/" + list->slug, "application/atom+xml", "", {}, {}});
  feed.links.push_back({"alternate", "/api/v1/collections/" + list->slug, "application/json", "", {}, {}});
  for (const Item& item : items->items) {
    xml::AtomEntry entry;
    entry.id = fmt::format("urn:luminalib:book:{}", item.book.id.value);
    entry.title = item.book.title;
    entry.authors = {item.book.author};
    entry.updated = entry.published.emplace(item.added_at);
    entry.summary = item.note.value_or("");
    entry.links.push_back(
        {"alternate", fmt::format("/api/v1/books/{}", item.book.id.value), "application/json", "", {}, {}});
    feed.updated = std::max(feed.updated, item.added_at);
    feed.entries.push_back(std::move(entry));
  }
  Response response;
  response.content_type = "application/atom+xml";
  response.body = xml::atom_text(feed);
  response.etag = make_etag(response.body);
  response.set("Last-Modified", xml::http_date(feed.updated));
  co_return response;
}

}  // namespace

std::vector<http::OtherAnswer> sync_answers() {
  return {{http::Method::post, "/koreader/users/create", 402, "The name is taken, as the device reads it"}};
}

std::vector<Route> sync_routes(SyncService& sync) {
  std::vector<Route> routes;
  const auto add = [&](Route route) {
    // As sensitive as signing in: somebody could try keys.
    routes.push_back(std::move(route).tagged("Reading devices").limited(RateClass::login));
  };
  add(post("/koreader/users/create", "Make an account for a reading device", http::Access::anyone(), {},
           [&](Body<SyncAccount> account, Caller by) { return created(sync, *account, std::move(by)); })
          .with_status(201)
          .repeats(Repeat::served));
  add(get("/koreader/users/auth", "Check the account of a reading device", http::Access::anyone(),
          {unauthenticated}, [&](RawRequest raw) { return authorized(sync.known(account_of(raw))); }));
  add(put("/koreader/syncs/progress", "Keep the place in a document", http::Access::anyone(),
          {unauthenticated},
          [&](Body<SyncPlace> place, RawRequest raw, Caller by) {
            return stored(sync.put(account_of(raw), *place, std::move(by)));
          })
          .explained("The account stands in the fields x-auth-user and x-auth-key."));
  add(get("/koreader/syncs/progress/{document}", "Read the place in a document", http::Access::anyone(),
          {unauthenticated}, [&](Path<std::string> document, RawRequest raw) {
            return found(sync.find(account_of(raw), *document));
          }));
  std::vector<Route> roots;
  for (const auto& route : routes) {
    Route copy = route;
    copy.path = copy.path.substr(std::string_view("/koreader").size());
    copy.hidden = true;
    roots.push_back(std::move(copy));
  }
  std::ranges::move(roots, std::back_inserter(routes));
  return routes;
}

std::vector<Route> feed_routes(ListService& lists) {
  std::vector<Route> routes;
  routes.push_back(get("/feeds/lists/{reference}", "A public list (Atom)", http::Access::anyone(),
                       {ErrorKind::not_found},
                       [&](Path<std::string> reference) { return list_feed(lists, *reference); })
                       .tagged("Feeds")
                       .answers_media("application/atom+xml"));
  return routes;
}

}  // namespace lumina::lists
