// Searching the catalogue: the query and its filters evaluated on the index, the page of books read from the
// database, and what librarians decide about it.
//
// Public functions are awaited on an io thread; the evaluation runs on the pool for computing. Sources of
// other kinds of neighbours (vectors) and of other things that can be found (lists) are given from outside.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/runtime/pool.hpp"
#include "modules/books/search_index.hpp"
#include "modules/books/search_log.hpp"
#include "modules/books/search_model.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::books {

constexpr const char* search_rebuild_kind = "search.rebuild";

class SearchService {
 public:
  SearchService(db::Database& database, events::Journal& journal, jobs::Queue& queue, SearchIndex& index,
                runtime::Pool& cpu)
      : database_(database), journal_(journal), queue_(queue), index_(index), cpu_(cpu) {}

  Task<Result<SearchAnswer>> search(SearchQuery query);
  // With the documents that the query asks for.
  Task<Result<SearchAnswer>> search_with_documents(SearchQuery query, Caller by);
  Task<Result<std::vector<Suggestion>>> suggest(SuggestQuery query);
  Task<Result<MultiSearchAnswer>> multi(MultiSearch asked, Caller by);

  // Books that mean something like the query, nearest first; nothing when there are no vectors (yet). Runs on
  // the pool for computing. Without it or them, mode=semantic is refused and hybrid is keyword. At start-up
  // only.
  using Neighbours =
      std::function<std::optional<std::vector<BookId>>(std::string_view query, std::size_t most)>;
  // `caught_up`: until all changes of books committed before are among the vectors, if there are any.
  using CaughtUp = std::function<Task<Status>()>;
  void use_neighbours(Neighbours neighbours, CaughtUp caught_up) {
    neighbours_ = std::move(neighbours);
    neighbours_caught_up_ = std::move(caught_up);
  }
  // The same by a model that has to be asked first; nothing when it does not answer, then use_neighbours()
  // does. On the caller's io thread. At start-up only.
  using Meaning =
      std::function<Task<std::optional<std::vector<BookId>>>(std::string query, std::size_t most)>;
  void use_meaning(Meaning meaning) { meaning_ = std::move(meaning); }
  // Another kind of thing for multi(): a total and the first items as a JSON array. At start-up only.
  using OtherSource =
      std::function<Task<Result<std::pair<std::int64_t, std::string>>>(std::string q, int limit, Caller by)>;
  void also_find(std::string entity, OtherSource source) { others_[std::move(entity)] = std::move(source); }

  Task<Result<Synonyms>> synonyms();
  Task<Result<Synonyms>> set_synonyms(Synonyms synonyms, Caller by);
  Task<Result<StopWords>> stop_words();
  Task<Result<StopWords>> set_stop_words(StopWords words, Caller by);
  Task<Result<Pins>> pins();
  Task<Result<Pins>> set_pins(Pins pins, Caller by);

  Task<Result<jobs::TaskAccepted>> start_rebuild(Caller by);
  IndexFigures figures() const { return index_.figures(); }

 private:
  Task<Result<std::pair<std::int64_t, std::string>>> find_authors(std::string q, int limit);
  template <class T, class Put>
  Task<Result<T>> decide(T what, Caller by, Put put);

  db::Database& database_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  SearchIndex& index_;
  runtime::Pool& cpu_;
  Neighbours neighbours_;
  CaughtUp neighbours_caught_up_;
  Meaning meaning_;
  std::map<std::string, OtherSource, std::less<>> others_;
};

// The job of start_rebuild().
void handle_search_rebuilds(jobs::Runner& runner, SearchIndex& index);

}  // namespace lumina::books
