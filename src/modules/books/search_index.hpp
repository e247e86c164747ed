// Keeps the index in memory true to the tables.
//
// One thread does it. It loads all books when it starts, and reads again whatever an event names: the bus
// tells of this instance's commits before their callers go on, and of those of other instances as they come
// in through the outbox. A search first waits for the books that were named before it (caught_up), so it sees
// every change that was answered before it was asked, and costs nothing when nothing changed. Loans and
// reviews change counters only; their books are not indexed again. A rebuild reads everything into a second
// index while the first one answers; changes in between go into both.
//
// Books go in by batches, the longest marked first, so those who wait for one book do not wait for all that
// was marked after it. What a job brings by the thousand ("bulk":true in the event) is gathered until there
// is a batch of it or the oldest waited for `flush`, and no search waits for it: nobody was told yet that it
// is done. The event that tells how the job ended ("task.") makes the rest due at once.
//
// A record that cannot be indexed holds up nothing: it is left out of the index and handed to
// when_unindexable(), which sees to it that it is tried again. Its batch goes in without it.
//
// Cost of a change: one read of its rows, some 50 µs to index a book. Any thread; caught_up() on io threads.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/runtime/waiters.hpp"
#include "core/search/index.hpp"
#include "core/search/plan.hpp"
#include "modules/books/search_document.hpp"
#include "modules/books/search_model.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lumina::books {

// What librarians decided, ready for use.
struct SearchSettings {
  search::Vocabulary vocabulary;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> pins;  // by key
};

// A record that could not be read or taken in, and why.
struct Unindexed {
  std::int64_t book = 0;
  std::string why;
};

// The event that has a book indexed again.
constexpr std::string_view search_retry_event = "search.retry";

class SearchIndex {
 public:
  struct Options {
    std::chrono::milliseconds patience{3000};  // of a search, for the index
    std::chrono::milliseconds lag{250};        // counters may wait so long when nobody searches
    std::int64_t rows = 2000;                  // read at once when everything is loaded
    std::size_t batch = 100;                   // books indexed at once; 1 to SearchRepository::most_at_once
    std::chrono::milliseconds flush{10'000};   // bulk may wait so long for a batch to fill
    std::function<search::Document(const IndexedBook&)> document{&document_of};
  };
  // Subscribes; what shows search results must subscribe after it.
  SearchIndex(db::Database& database, events::Bus& bus, Options options);
  SearchIndex(db::Database& database, events::Bus& bus) : SearchIndex(database, bus, Options()) {}
  ~SearchIndex();
  SearchIndex(const SearchIndex&) = delete;
  SearchIndex& operator=(const SearchIndex&) = delete;

  // Called on the index's thread when answers given before may be other than the index says now without an
  // event to say so: after a rebuild, and after a search that did not wait to the end. At start-up only.
  void when_renewed(std::function<void()> then) { on_renewed_ = std::move(then); }
  // Called on the index's thread with records that could not be indexed; may block. False when they cannot
  // be kept: they are tried again here. At start-up only.
  void when_unindexable(std::function<bool(const std::vector<Unindexed>&)> then) {
    on_unindexable_ = std::move(then);
  }
  // What a job brought is due now. Any thread; before the end of the job is told to anybody.
  void no_more_bulk();
  // Begins to load; the first search does it too.
  void start();
  // Lets go of those who wait. Idempotent; before the database stops.
  void stop();

  // Until everything committed before is in the index. unavailable (503) when it is not loaded in time.
  Task<Status> caught_up();
  search::SnapshotPtr snapshot() const { return index_.snapshot(); }
  std::shared_ptr<const SearchSettings> settings() const;
  IndexFigures figures() const;

  // Blocking: builds it anew and waits for that. False when the server stopped or `give_up` said so.
  bool rebuild(const std::function<bool()>& give_up);

 private:
  struct Mark {
    bool content = false;     // more than its counters changed
    std::uint64_t first = 0;  // its place in the order of marks
  };
  // What one round of the thread does.
  struct Round {
    std::vector<std::pair<std::int64_t, Mark>> marks;
    std::vector<std::int64_t> bulk;
    bool settings = false;
    std::uint64_t applies = 0;  // the marks that are in the index after it
  };
  void mark(const events::Event& event);
  void mark_book(std::int64_t book, bool content);
  void mark_bulk();
  void run();
  bool work();
  Round take_round();
  void put_back(const Round& round);
  bool something_due() const;
  void load_some();
  void refresh(const Round& round);
  void refresh_counters(std::span<const std::int64_t> books);
  bool load_rows();
  void index_books(std::span<const std::int64_t> books, std::span<search::Index* const> into,
                   std::vector<Unindexed>& failed);
  void hand_over(const std::vector<Unindexed>& failed);
  void read_settings();
  void answer_waiters();
  static Status not_loaded();

  db::Database& database_;
  const Options options_;
  std::function<void()> on_renewed_;
  std::function<bool(const std::vector<Unindexed>&)> on_unindexable_;
  search::Index index_;
  std::unique_ptr<search::Index> next_;  // being built; the thread's own, as is what follows
  std::int64_t next_id_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_, rebuilt_;
  std::unordered_map<std::int64_t, Mark> marked_;  // by id
  std::map<std::uint64_t, std::int64_t> order_;    // of marked_, by first mark
  std::set<std::int64_t> bulk_;
  std::chrono::steady_clock::time_point bulk_since_{};
  bool urgent_ = false, settings_changed_ = true, started_ = false, stopping_ = false, ready_ = false;
  bool answered_early_ = false;  // somebody did not get all of it
  std::uint64_t marks_ = 0, applied_ = 0;
  std::uint64_t rebuilds_wanted_ = 1, rebuilds_begun_ = 0, rebuilds_done_ = 0;
  runtime::Waiters waiters_;
  std::shared_ptr<const SearchSettings> settings_ = std::make_shared<SearchSettings>();
  std::atomic<std::uint64_t> behind_{1};  // 0: loaded, and nothing is marked
  std::thread thread_;
};

}  // namespace lumina::books
