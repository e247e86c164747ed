#include "modules/books/search_routes.hpp"

#include "core/http/cached.hpp"
#include "core/http/handler.hpp"
#include "core/jobs/routes.hpp"
#include "modules/books/routes.hpp"

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto librarian = Access::needs(Permission::books_write);
constexpr auto search_path = "/api/v1/books/search";

std::string parameter(const Context& context, std::string_view name) {
  for (const auto& [key, value] : context.query)
    if (key == name) return value;
  return {};
}

// Whether the answer has hits, by its bytes: those from memory are not decoded any more. The member stands
// once in an answer, behind the items, whose texts hold no unescaped quote.
bool has_hits(std::string_view body) { return body.find(R"("items":[])") == std::string_view::npos; }

// Answers with documents are one person's; all others are everybody's.
Route cached_unless_personal(Route route, cache::BodyCache& cache, http::TagOf tag) {
  auto personal = route.handler;
  auto out = cached(std::move(route), cache, std::move(tag));
  out.handler = [shared = std::move(out.handler),
                 personal = std::move(personal)](Context& context) -> Eventual<Response> {
    return parameter(context, "documents").empty() ? shared(context) : personal(context);
  };
  return out;
}

// Says whether the answer came from memory, and counts first pages of a query.
Route counted(Route route, SearchLog& log, cache::BodyCache& cache) {
  route.handler = [inner = std::move(route.handler), &log, &cache](Context& context) -> Eventual<Response> {
    const bool hit = !context.uncached && cache.find(context.request->head.target) != nullptr;
    const auto q = parameter(context, "q");
    const bool counts = !q.empty() && parameter(context, "cursor").empty() &&
                        (parameter(context, "skip").empty() || parameter(context, "skip") == "0");
    const auto finish = [hit, counts, q, &log](Response response) {
      if (response.status != 200) return response;
      if (counts) log.searched(q, has_hits(response.bytes()));
      response.set("X-Cache", hit ? "hit" : "miss");
      return response;
    };
    auto answer = inner(context);
    if (answer.ready()) return finish(std::move(answer.value()));
    return [](auto done, Task<Response> task) -> Task<Response> {
      auto response = co_await std::move(task);
      co_return done(std::move(response));
    }(finish, std::move(answer.task()));
  };
  return route;
}

}  // namespace

std::vector<Route> search_routes(SearchService& search, SearchLog& log, cache::BodyCache& cache,
                                 jobs::DeadLetters& dead_letters) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Search")); };

  add(counted(
      cached_unless_personal(
          get(search_path, "Search the books", Access::anyone(), {malformed, refused, unavailable},
              [&](Query<SearchQuery> query, Caller by) { return search.search_with_documents(*query, by); })
              .limited(RateClass::search)
              .by_itself()
              .explained("Words, \"phrases\", AND OR NOT, parentheses, prefix*, and title: author: genre: "
                         "subject: description: publisher: isbn: language: year: in front of a word. "
                         "Words alone find books with all of them first, then with some. Slips of the "
                         "finger are forgiven in words that no book has."),
          cache, always(catalogue_tag())),
      log, cache));
  add(cached(get("/api/v1/books/suggest", "Complete what is being typed", Access::anyone(), {unavailable},
                 [&](Query<SuggestQuery> query) { return search.suggest(*query); })
                 .limited(RateClass::search)
                 .by_itself(),
             cache, always(catalogue_tag())));
  add(post("/api/v1/search/multi", "Search for several kinds of things at once", Access::anyone(),
           {malformed, refused, unavailable},
           [&](Body<MultiSearch> asked, Caller by) { return search.multi(*asked, by); })
          .limited(RateClass::search)
          .repeats(Repeat::served)
          .by_itself());
  add(post("/api/v1/search/clicks", "Tell that a hit was opened", Access::anyone(), {ErrorKind::not_found},
           [&](Body<Click> click) { return log.clicked(*click); })
          .limited(RateClass::search)
          .explained("Counted by day, query and book; nobody's name is kept."));

  add(get("/api/v1/admin/search/synonyms", "Synonyms of searches", librarian, {},
          [&] { return search.synonyms(); }));
  add(put("/api/v1/admin/search/synonyms", "Replace the synonyms of searches", librarian, {},
          [&](Body<Synonyms> synonyms, Caller by) { return search.set_synonyms(*synonyms, by); })
          .explained("They count from the next search on."));
  add(get("/api/v1/admin/search/stop-words", "Words that a search may do without", librarian, {},
          [&] { return search.stop_words(); }));
  add(put("/api/v1/admin/search/stop-words", "Replace the words that a search may do without", librarian, {},
          [&](Body<StopWords> words, Caller by) { return search.set_stop_words(*words, by); }));
  add(get("/api/v1/admin/search/pins", "Books that stand first for a query", librarian, {},
          [&] { return search.pins(); }));
  add(put("/api/v1/admin/search/pins", "Replace the books that stand first for queries", librarian, {refused},
          [&](Body<Pins> pins, Caller by) { return search.set_pins(*pins, by); }));
  add(post("/api/v1/admin/search/rebuild", "Build the search index anew", librarian, {},
           [&](Caller by) { return jobs::accepted(search.start_rebuild(by)); })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>()
          .by_itself()
          .explained("The old one answers until the new one is complete."));
  add(get("/api/v1/admin/search/index", "How the search index stands", librarian, {},
          [&]() -> Result<IndexFigures> { return search.figures(); }));
  add(get("/api/v1/admin/search/dead-letters", "List what could not be indexed", librarian, {},
          [&](Paging page) { return dead_letters.list(*page); })
          .explained(
              "Books and documents that were tried again and again with growing pauses and given up. "
              "A book that cannot be indexed is not found by searches until it can be; the others are."));
  add(post("/api/v1/admin/search/dead-letters/{task_id}/retry", "Try again what could not be indexed",
           librarian, {ErrorKind::not_found},
           [&](Path<std::string> id, Caller by) { return jobs::accepted(dead_letters.retry(*id, by)); })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>()
          .by_itself());
  add(get("/api/v1/analytics/search", "What is searched for", librarian, {},
          [&](Query<SearchReportQuery> asked) { return log.report(*asked); })
          .by_itself()
          .explained(
              "Counted by day and words; no query is kept with a person, an address or a time of day."));

  const auto also = [&](Method method, std::string_view documented,
                        std::initializer_list<std::string_view> others) {
    for (auto& alias : also_at(routes, method, documented, others)) routes.push_back(std::move(alias));
  };
  also(Method::get, search_path, {"/api/v1/search"});
  also(Method::get, "/api/v1/books/suggest", {"/api/v1/search/suggest"});
  also(Method::get, "/api/v1/analytics/search",
       {"/api/v1/admin/search/analytics", "/api/v1/admin/analytics/search"});
  return routes;
}

}  // namespace lumina::books
