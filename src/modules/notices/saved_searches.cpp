#include "modules/notices/saved_searches.hpp"

#include "core/base/text.hpp"
#include "core/http/handler.hpp"
#include "core/http/resource.hpp"
#include "core/json/codec.hpp"
#include "modules/books/model.hpp"

namespace lumina::notices {
namespace {

using schema::Field;
using schema::Rule;

const db::Columns<SavedSearch> columns{{"s.id", &SavedSearch::id},
                                       {"s.name", &SavedSearch::name},
                                       {"s.alert", &SavedSearch::alert},
                                       {"s.created_at", &SavedSearch::created_at},
                                       {"s.checked_at", &SavedSearch::checked_at},
                                       {"s.user_id", &SavedSearch::user}};

Failure no_search() { return not_found("Saved search not found"); }

bool has_text(std::string_view text) { return !trim(text).empty(); }
std::vector<Rule> name_rules() {
  return {schema::length(1, 200), schema::format("not-blank", &has_text, "must not be blank")};
}

Status check(const schema::RawJson& query) {
  constexpr std::size_t longest = 4000;
  if (query.text.size() > longest)
    return invalid({{{"body", "query"}, "must be at most 4000 bytes of JSON", "length"}});
  books::BookFilter filter;
  return json::decode(schema::type_of<books::BookFilter>(), &filter, query.text, {"body", "query"});
}

events::Change about(std::string_view type, SavedSearchId id) {
  return {.type = type, .resource = "saved_search", .resource_id = id.value};
}

}  // namespace

std::vector<Field> SavedSearch::fields() {
  return {{"id", &SavedSearch::id, "Identifier"},
          {"name", &SavedSearch::name, "Name"},
          {"query", &SavedSearch::query, "The filters and the order of GET /books"},
          {"alert", &SavedSearch::alert, "Whether it tells of new books"},
          {"created_at", &SavedSearch::created_at, "When it was saved"}};
}
std::vector<Field> NewSavedSearch::fields() {
  return {{"name", &NewSavedSearch::name, "1 to 200 characters", name_rules()},
          {"query", &NewSavedSearch::query,
           "An object of the filters and the order of GET /books, as {\"author\":\"austen\"}"},
          {"alert", &NewSavedSearch::alert, "Whether it tells of new books (default true)"}};
}
std::vector<Field> SavedSearchChanges::fields() {
  return {{"name", &SavedSearchChanges::name, "1 to 200 characters", name_rules()},
          {"query", &SavedSearchChanges::query, "Other filters"},
          {"alert", &SavedSearchChanges::alert, "Whether it tells of new books"}};
}

// The query is read beside the other columns, as text.
Page<SavedSearch> SavedSearchRepository::list(UserId user, const PageRequest& page) {
  static const std::string sql =
      "SELECT " + columns.list() +
      " FROM saved_searches s WHERE s.user_id = $1 ORDER BY s.id LIMIT CAST($2 AS BIGINT) "
      "OFFSET CAST($3 AS BIGINT)";
  Page<SavedSearch> out;
  out.items = tx_.list(columns, sql, user, page.limit, page.skip);
  for (auto& search : out.items) search.query.text = query_of(search.id);
  out.total = count(user);
  return out;
}

std::string SavedSearchRepository::query_of(SavedSearchId id) {
  return std::get<0>(*tx_.one<std::string>("SELECT query FROM saved_searches WHERE id = $1", id));
}

std::optional<SavedSearch> SavedSearchRepository::find(SavedSearchId id, UserId user) {
  static const std::string sql =
      "SELECT " + columns.list() + " FROM saved_searches s WHERE s.id = $1 AND s.user_id = $2";
  auto search = tx_.find(columns, sql, id, user);
  if (search) search->query.text = query_of(id);
  return search;
}

std::int64_t SavedSearchRepository::count(UserId user) {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM saved_searches WHERE user_id = $1", user));
}

SavedSearchId SavedSearchRepository::insert(UserId user, const NewSavedSearch& search, Timestamp now) {
  return std::get<0>(
      *tx_.one<SavedSearchId>("INSERT INTO saved_searches (user_id, name, query, alert, created_at, "
                              "checked_at) VALUES ($1, $2, $3, $4, $5, "
                              "$5) RETURNING id",
                              user, search.name, search.query.text, search.alert.value_or(true), now));
}

void SavedSearchRepository::update(const SavedSearch& search) {
  tx_.execute("UPDATE saved_searches SET name = $2, query = $3, alert = $4 WHERE id = $1", search.id,
              search.name, search.query.text, search.alert);
}

bool SavedSearchRepository::erase(SavedSearchId id, UserId user) {
  return tx_.execute("DELETE FROM saved_searches WHERE id = $1 AND user_id = $2", id, user) > 0;
}

std::vector<SavedSearch> SavedSearchRepository::alerting(std::int64_t behind, int most) {
  static const std::string plain =
      "SELECT " + columns.list() +
      " FROM saved_searches s WHERE s.alert = 1 AND s.id > $1 AND EXISTS (SELECT 1 FROM users u WHERE u.id = "
      "s.user_id "
      "AND u.deleted_at IS NULL AND u.is_active = 1) ORDER BY s.id LIMIT CAST($2 AS BIGINT)";
  static const std::string locking = plain + " FOR UPDATE OF s";
  auto all = tx_.list(columns, tx_.postgresql() ? locking : plain, behind, most);
  for (auto& search : all) search.query.text = query_of(search.id);
  return all;
}

void SavedSearchRepository::checked(SavedSearchId id, Timestamp now) {
  tx_.execute("UPDATE saved_searches SET checked_at = $2 WHERE id = $1", id, now);
}

Task<Result<Page<SavedSearch>>> SavedSearches::list(PageRequest page, Caller by) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [page, user = by.id()](db::Transaction& tx) {
    return SavedSearchRepository(tx).list(user, page);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<SavedSearch>> SavedSearches::find(SavedSearchId id, Caller by) {
  auto work = [id, user = by.id()](db::Transaction& tx) -> Result<SavedSearch> {
    auto search = SavedSearchRepository(tx).find(id, user);
    if (!search) return no_search();
    return std::move(*search);
  };
  return database_.read(std::move(work));
}

Task<Result<SavedSearch>> SavedSearches::create(NewSavedSearch search, Caller by) {
  if (auto good = check(search.query); !good) co_return Failure(std::move(good.error()));
  search.name = std::string(trim(search.name));
  auto work = [this, search = std::move(search),
               by = std::move(by)](db::Transaction& tx) -> Result<SavedSearch> {
    SavedSearchRepository all(tx);
    if (all.count(by.id()) >= most_saved_searches)
      return fail(ErrorKind::refused, "too_many_searches", "You have as many saved searches as one can have");
    const auto id = all.insert(by.id(), search, clock_.now());
    journal_.record(tx, by, about("saved_search.created", id));
    return *all.find(id, by.id());
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<SavedSearch>> SavedSearches::change(SavedSearchId id, SavedSearchChanges changes, Caller by) {
  if (changes.query)
    if (auto good = check(*changes.query); !good) co_return Failure(std::move(good.error()));
  auto work = [this, id, changes = std::move(changes),
               by = std::move(by)](db::Transaction& tx) -> Result<SavedSearch> {
    SavedSearchRepository all(tx);
    auto search = all.find(id, by.id());
    if (!search) return no_search();
    if (changes.name) search->name = trim(std::string_view(*changes.name));
    if (changes.query) search->query = *changes.query;
    if (changes.alert) search->alert = *changes.alert;
    all.update(*search);
    journal_.record(tx, by, about("saved_search.updated", id));
    return *all.find(id, by.id());
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> SavedSearches::remove(SavedSearchId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    if (!SavedSearchRepository(tx).erase(id, by.id())) return no_search();
    journal_.record(tx, by, about("saved_search.deleted", id));
    return {};
  };
  return database_.write(std::move(work));
}

std::vector<http::Route> saved_search_routes(SavedSearches& searches) {
  using namespace http;
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Notifications")); };
  const auto person = Access::signed_in();
  add(get("/api/v1/saved-searches", "List your saved searches", person, {},
          [&](Paging page, Caller by) { return searches.list(*page, by); }));
  add(post("/api/v1/saved-searches", "Save a search", person, {ErrorKind::refused},
           [&](Body<NewSavedSearch> search, Caller by) {
             return created(searches.create(*search, by), "/api/v1/saved-searches/");
           })
          .explained("With `alert` you are told once of each new book that it finds."));
  add(get("/api/v1/saved-searches/{id}", "Read a saved search", person, {ErrorKind::not_found},
          [&](Path<SavedSearchId> id, Caller by) { return searches.find(*id, by); }));
  add(patch("/api/v1/saved-searches/{id}", "Change a saved search", person, {ErrorKind::not_found},
            [&](Path<SavedSearchId> id, Body<SavedSearchChanges> changes, Caller by) {
              return searches.change(*id, *changes, by);
            }));
  add(del("/api/v1/saved-searches/{id}", "Forget a saved search", person, {ErrorKind::not_found},
          [&](Path<SavedSearchId> id, Caller by) { return searches.remove(*id, by); }));
  return routes;
}

}  // namespace lumina::notices
