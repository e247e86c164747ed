#include "modules/books/search_service.hpp"

#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"
#include "core/search/plan.hpp"
#include "modules/books/search_repository.hpp"
#include "modules/books/search_run.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace lumina::books {
namespace {

constexpr std::size_t semantic_depth = 200;

events::Change settings_changed(std::string_view what, std::string_view payload) {
  return {.type = "search.settings_changed", .resource = what, .payload = std::string(payload)};
}

Failure fault_of(std::string_view member, std::size_t index, std::string message) {
  return invalid({{{"body", std::string(member), std::to_string(index)}, std::move(message), "value"}});
}

Failure no_vectors() {
  return fail(ErrorKind::refused, "semantic_unavailable",
              "This server has no vectors to search by meaning with");
}

}  // namespace

Task<Result<SearchAnswer>> SearchService::search(SearchQuery query) {
  const auto begun = std::chrono::steady_clock::now();
  if (query.mode == SearchMode::semantic && !neighbours_) co_return no_vectors();
  const bool by_meaning =
      neighbours_ && query.q && query.mode.value_or(SearchMode::keyword) != SearchMode::keyword;
  std::optional<std::vector<BookId>> meant;
  if (by_meaning && meaning_) meant = co_await meaning_(*query.q, semantic_depth);
  if (by_meaning && !meant)
    if (auto there = co_await neighbours_caught_up_(); !there) co_return Failure(std::move(there.error()));
  if (auto there = co_await index_.caught_up(); !there) co_return Failure(std::move(there.error()));
  const auto snapshot = index_.snapshot();
  const auto settings = index_.settings();
  auto evaluate = [&]() -> Result<SearchOutcome> {
    if (!by_meaning) return run_search(snapshot, *settings, query);
    const auto near = meant ? std::move(meant) : neighbours_(*query.q, semantic_depth);
    if (!near && query.mode == SearchMode::semantic) return no_vectors();
    return run_search(snapshot, *settings, query, near ? &*near : nullptr);
  };
  auto outcome = co_await runtime::run_on(cpu_, std::move(evaluate));
  if (!outcome) co_return Failure(std::move(outcome.error()));

  std::vector<std::int64_t> ids;
  for (const auto& book : outcome->books) ids.push_back(book.id.value);
  std::unordered_map<std::int64_t, Book> books;
  if (!ids.empty()) {
    auto look = [&ids](db::Transaction& tx) { return SearchRepository(tx).books(ids); };
    auto rows = co_await database_.read(std::move(look));
    if (!rows) co_return Failure(std::move(rows.error()));
    for (auto& row : *rows) books.emplace(row.id.value, std::move(static_cast<Book&>(row)));
  }
  SearchAnswer answer = std::move(outcome->answer);
  for (auto& found : outcome->books) {
    const auto row = books.find(found.id.value);
    if (row == books.end()) continue;  // deleted a moment ago
    SearchHit hit;
    hit.book = std::move(row->second);
    hit.score = found.score;
    hit.pinned = found.pinned;
    hit.explain = std::move(found.explain);
    answer.items.push_back(std::move(hit));
  }
  if (query.highlight.value_or(false)) {
    auto mark = [&] {
      for (auto& hit : answer.items) hit.highlights = highlights_of(outcome->plan, hit.book);
    };
    if (auto marked = co_await runtime::run_on(cpu_, std::move(mark)); !marked)
      co_return Failure(std::move(marked.error()));
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  answer.took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  co_return answer;
}

Task<Result<SearchAnswer>> SearchService::search_with_documents(SearchQuery query, Caller by) {
  const auto wanted = query.documents;
  auto words = query.q.value_or("");
  auto answer = co_await search(std::move(query));
  const auto source = others_.find("documents");
  if (!answer || !wanted || words.empty() || source == others_.end()) co_return answer;
  auto found = co_await source->second(std::move(words), *wanted, std::move(by));
  if (!found) co_return Failure(std::move(found.error()));
  answer->documents = FoundDocuments{found->first, {std::move(found->second)}};
  co_return answer;
}

Task<Result<std::vector<Suggestion>>> SearchService::suggest(SuggestQuery query) {
  if (auto there = co_await index_.caught_up(); !there) co_return Failure(std::move(there.error()));
  const auto snapshot = index_.snapshot();
  auto evaluate = [&]() -> Result<std::vector<Suggestion>> {
    return run_suggest(snapshot, query.q, static_cast<std::size_t>(query.limit.value_or(10)));
  };
  co_return co_await runtime::run_on(cpu_, std::move(evaluate));
}

Task<Result<std::pair<std::int64_t, std::string>>> SearchService::find_authors(std::string q, int limit) {
  if (auto there = co_await index_.caught_up(); !there) co_return Failure(std::move(there.error()));
  const auto snapshot = index_.snapshot();
  auto evaluate = [&]() -> Result<std::vector<FoundAuthor>> { return run_authors(snapshot, q, 100); };
  auto found = co_await runtime::run_on(cpu_, std::move(evaluate));
  if (!found) co_return Failure(std::move(found.error()));
  const auto total = static_cast<std::int64_t>(found->size());
  if (found->size() > static_cast<std::size_t>(limit)) found->resize(static_cast<std::size_t>(limit));
  co_return std::pair(total, json::encode(*found));
}

Task<Result<MultiSearchAnswer>> SearchService::multi(MultiSearch asked, Caller by) {
  std::vector<FieldError> faults;
  for (std::size_t i = 0; i < asked.queries.size(); ++i) {
    const auto& entity = asked.queries[i].entity;
    if (entity != "books" && entity != "authors" && !others_.contains(entity))
      faults.push_back(
          {{"body", "queries", std::to_string(i), "entity"}, "is nothing that can be searched for", "value"});
  }
  constexpr std::int64_t most_items = 200;  // of all queries together
  std::int64_t items = 0;
  for (const auto& one : asked.queries) items += one.limit.value_or(5);
  if (items > most_items)
    faults.push_back({{"body", "queries"}, "must ask for at most 200 items together", "range"});
  if (!faults.empty()) co_return invalid(std::move(faults));
  MultiSearchAnswer answer;
  for (auto& one : asked.queries) {
    const int limit = one.limit.value_or(5);
    std::pair<std::int64_t, std::string> found;
    if (one.entity == "books") {
      SearchQuery query;
      query.q = one.q;
      query.limit = limit;
      auto books = co_await search(std::move(query));
      if (!books) co_return Failure(std::move(books.error()));
      found = {books->total, json::encode(books->items)};
    } else {
      auto others = one.entity == "authors" ? co_await find_authors(one.q, limit)
                                            : co_await others_.find(one.entity)->second(one.q, limit, by);
      if (!others) co_return Failure(std::move(others.error()));
      found = std::move(*others);
    }
    answer.groups.push_back(
        {std::move(one.entity), std::move(one.q), found.first, {std::move(found.second)}});
  }
  co_return answer;
}

template <class T, class Put>
Task<Result<T>> SearchService::decide(T what, Caller by, Put put) {
  auto work = [this, what = std::move(what), by = std::move(by),
               put = std::move(put)](db::Transaction& tx) -> Result<T> {
    if (auto done = put(SearchRepository(tx), what); !done) return Failure(std::move(done.error()));
    journal_.record(tx, by, settings_changed(T::type_name, "{}"));
    return what;
  };
  return database_.write(std::move(work));
}

Task<Result<Synonyms>> SearchService::synonyms() {
  auto look = [](db::Transaction& tx) { return SearchRepository(tx).synonyms(); };
  return database_.read(std::move(look));
}

Task<Result<Synonyms>> SearchService::set_synonyms(Synonyms synonyms, Caller by) {
  for (auto& set : synonyms.sets) set.one_way = set.one_way.value_or(false);
  for (std::size_t i = 0; i < synonyms.sets.size(); ++i)
    for (const auto& term : synonyms.sets[i].terms)
      if (search::vocabulary_key(term).empty()) co_return fault_of("sets", i, "a term has no letters");
  co_return co_await decide(std::move(synonyms), std::move(by),
                            [](SearchRepository&& all, const Synonyms& s) -> Status {
                              all.replace_synonyms(s);
                              return {};
                            });
}

Task<Result<StopWords>> SearchService::stop_words() {
  auto look = [](db::Transaction& tx) { return SearchRepository(tx).stop_words(); };
  return database_.read(std::move(look));
}

Task<Result<StopWords>> SearchService::set_stop_words(StopWords words, Caller by) {
  for (std::size_t i = 0; i < words.words.size(); ++i) {
    auto key = search::vocabulary_key(words.words[i]);
    if (key.empty() || key.find(' ') != std::string::npos) co_return fault_of("words", i, "must be one word");
    words.words[i] = std::move(key);
  }
  std::ranges::sort(words.words);
  words.words.erase(std::ranges::unique(words.words).begin(), words.words.end());
  co_return co_await decide(std::move(words), std::move(by),
                            [](SearchRepository&& all, const StopWords& w) -> Status {
                              all.replace_stop_words(w);
                              return {};
                            });
}

Task<Result<Pins>> SearchService::pins() {
  auto look = [](db::Transaction& tx) { return SearchRepository(tx).pins(); };
  return database_.read(std::move(look));
}

Task<Result<Pins>> SearchService::set_pins(Pins pins, Caller by) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < pins.pins.size(); ++i) {
    keys.push_back(search::vocabulary_key(pins.pins[i].query));
    if (keys.back().empty()) co_return fault_of("pins", i, "the query has no letters");
    if (std::ranges::count(keys, keys.back()) > 1) co_return fault_of("pins", i, "the query comes twice");
    auto books = pins.pins[i].books;
    std::ranges::sort(books);
    if (std::ranges::adjacent_find(books) != books.end()) co_return fault_of("pins", i, "a book comes twice");
  }
  co_return co_await decide(std::move(pins), std::move(by),
                            [keys = std::move(keys)](SearchRepository&& all, const Pins& p) -> Status {
                              if (!all.replace_pins(p, keys))
                                return fail(ErrorKind::refused, "no_such_book",
                                            "A pinned book does not exist");
                              return {};
                            });
}

Task<Result<jobs::TaskAccepted>> SearchService::start_rebuild(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Result<jobs::TaskAccepted> {
    jobs::NewJob job;
    job.kind = search_rebuild_kind;
    job.priority = jobs::Priority::interactive;
    job.user = by.user;
    jobs::TaskAccepted accepted;
    accepted.task_id = queue_.enqueue(tx, job);
    // Every instance hears it and builds its own anew.
    journal_.record(tx, by, {.type = "search.rebuild", .resource = "search"});
    return accepted;
  };
  return database_.write(std::move(work));
}

void handle_search_rebuilds(jobs::Runner& runner, SearchIndex& index) {
  runner.handle(
      search_rebuild_kind, {.concurrency = 1}, [&index](jobs::JobContext& job) -> Result<std::string> {
        const auto begun = std::chrono::steady_clock::now();
        if (!index.rebuild([&job] { return job.cancelled(); })) return jobs::JobContext::interrupted();
        const auto took = std::chrono::steady_clock::now() - begun;
        return R"({"books":)" + std::to_string(index.figures().books) + R"(,"milliseconds":)" +
               std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) + "}";
      });
}

}  // namespace lumina::books
