#include "core/audit/routes.hpp"

#include "core/audit/repository.hpp"
#include "core/http/handler.hpp"
#include "core/json/codec.hpp"

namespace lumina::audit {

using namespace http;
using schema::Field;

std::vector<Field> Entry::fields() {
  return {{"id", &Entry::id, "Identifier, rising"},
          {"at", &Entry::at, "When"},
          {"user_id", &Entry::user_id, "Who; null for strangers and the server itself"},
          {"action", &Entry::action, "What was done: book.created, auth.login_failed, ..."},
          {"resource", &Entry::resource, "To what kind of thing"},
          {"resource_id", &Entry::resource_id, "To which"},
          {"outcome", &Entry::outcome, "success or refused"},
          {"address", &Entry::address, "From where"},
          {"request_id", &Entry::request_id, "The request in the log"},
          {"detail", &Entry::detail, "More, as JSON"}};
}
std::vector<Field> Filter::fields() {
  return {{"user_id", &Filter::user_id, "Done by this person"},
          {"user", &Filter::user, "The same as user_id"},
          {"action", &Filter::action, "This action", {schema::length(1, 100)}},
          {"resource", &Filter::resource, "This kind of thing", {schema::length(1, 100)}},
          {"resource_id", &Filter::resource_id, "This thing"},
          {"outcome", &Filter::outcome, "success or refused", {schema::one_of({"success", "refused"})}},
          {"from", &Filter::from, "At this time or later"},
          {"to", &Filter::to, "Before this time"}};
}
std::vector<Field> Note::fields() {
  return {{"action", &Note::action, "What was done", {schema::length(1, 100)}},
          {"detail", &Note::detail, "More", {schema::length(0, 2000)}}};
}

namespace {

Task<Result<Page<Entry>>> list(db::Database& database, Filter filter, PageRequest page) {
  auto work = [filter = std::move(filter), page = std::move(page)](db::Transaction& tx) {
    return AuditRepository(tx).list(filter, page);
  };
  return database.read(std::move(work));
}

// A note of a client program about what its user did there; kept under the caller's name.
Task<Result<Entry>> write_note(db::Database& database, events::Journal& journal, Note note, Caller by) {
  auto work = [&journal, note = std::move(note), by = std::move(by)](db::Transaction& tx) -> Result<Entry> {
    std::string payload = "{\"action\":";
    json::append_string(payload, note.action);
    payload += ",\"detail\":";
    json::append_string(payload, note.detail.value_or(""));
    payload += "}";
    journal.record(tx, by, {.type = "note.written", .resource = "note", .payload = payload});
    return std::move(
        AuditRepository(tx).list({.user_id = by.user, .action = "note.written"}, {.limit = 1}).items.front());
  };
  return database.write(std::move(work));
}

}  // namespace

std::vector<Route> audit_routes(db::Database& database, events::Journal& journal) {
  std::vector<Route> routes;
  routes.push_back(get("/api/v1/audit", "Who did what", Access::needs(Permission::audit_read), {},
                       [&](Query<Filter> filter, Paging page) { return list(database, *filter, *page); })
                       .tagged("Audit"));
  routes.push_back(post("/api/v1/logs", "Note what a client program did", Access::signed_in(), {},
                        [&](Body<Note> note, Caller by) { return write_note(database, journal, *note, by); })
                       .with_status(201)
                       .tagged("Audit"));
  return routes;
}

}  // namespace lumina::audit
