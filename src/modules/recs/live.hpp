// Keeps what lists are made of true to the tables: the shelf, the catalogue of vectors, people's histories,
// and the model that is in use.
//
// One thread does it. It loads all books when it starts, and reads again whatever an event names: the bus
// tells of this instance's commits before their callers go on, and of those of other instances as they come
// in through the outbox. Who asks for a list waits for the books that were named before (caught_up) and so
// sees every change that was answered; nothing waits for counters of loans unless it shows them. People are
// forgotten whenever something of theirs changes and read again when they ask.
//
// A model is put in use by filling a second catalogue while the first one answers; then a pointer is
// swapped. Any thread; caught_up() on io threads, the rest blocks for no longer than a pointer's copy.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/runtime/waiters.hpp"
#include "modules/recs/model_store.hpp"
#include "modules/recs/person.hpp"
#include "modules/recs/shelf.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace lumina::recs {

// What lists are made by at a moment.
struct Engine {
  std::optional<ModelVersion> version;  // nothing: untrained
  std::shared_ptr<const CollaborativeModel> collaborative;
  BlendWeights weights;
  std::shared_ptr<Catalogue> catalogue;
  std::int64_t number() const { return version ? version->version : 0; }
};

class Live {
 public:
  struct Options {
    std::chrono::milliseconds patience{3000};  // of a request, for the books
    std::chrono::milliseconds lag{250};        // counters may wait so long when nobody asks for them
    std::int64_t rows = 1000;                  // read at once when everything is loaded
    std::int64_t half_life_days = 30;          // of popularity
  };
  // Subscribes. All must outlive it.
  Live(db::Database& database, const Clock& clock, events::Bus& bus, People& people, ModelStore& store,
       Options options);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // At start-up only; called on the thread of this object, and may block: after books were added; when
  // nothing else is to do, until it gives false; when the file of the active model cannot be used.
  void when_books_came(std::function<void()> then) { on_books_ = std::move(then); }
  void when_idle(std::function<bool()> then) { on_idle_ = std::move(then); }
  void when_damaged(std::function<void()> then) { on_damaged_ = std::move(then); }
  // Another model is in use from now on; at start-up only.
  void when_renewed(std::function<void()> then) { on_renewed_ = std::move(then); }

  // Begins to load; the first request does it too.
  void start();
  // Lets go of those who wait. Idempotent; before the database stops.
  void stop();

  // Until every change of books committed before is there; with `figures` also counters and popularity.
  // unavailable (503) when nothing is loaded in time.
  Task<Status> caught_up(bool figures);
  std::shared_ptr<const Engine> engine() const;
  std::shared_ptr<const ShelfSnapshot> shelf() const { return shelf_.snapshot(); }
  bool ready() const;
  // Why the active model is not in use; empty: it is.
  std::string fault() const;

 private:
  // A catalogue on its way into use; ids up to `filled` are in it.
  struct Filling {
    std::shared_ptr<Engine> engine;
    std::int64_t filled = 0;
  };
  void mark(const events::Event& event);
  void run();
  bool work();
  void begin_filling();
  void fill_some();
  void refresh(const std::unordered_map<std::int64_t, bool>& marked);
  void refresh_range(std::int64_t first, std::int64_t last,
                     const std::unordered_map<std::int64_t, bool>& marked, bool content);
  void answer_waiters();
  static Status not_loaded();

  db::Database& database_;
  const Clock& clock_;
  People& people_;
  ModelStore& store_;
  const Options options_;
  std::function<void()> on_books_, on_damaged_, on_renewed_;
  std::function<bool()> on_idle_;
  Shelf shelf_;
  std::optional<Filling> filling_;  // the thread's own
  bool idle_work_ = true;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Engine> engine_;
  std::string fault_;
  std::unordered_map<std::int64_t, bool> marked_;  // by id; true: more than its counters changed
  bool urgent_ = false, books_came_ = false, model_wanted_ = true, started_ = false, stopping_ = false,
       ready_ = false;
  std::uint64_t marks_ = 0, content_marks_ = 0, applied_ = 0;
  runtime::Waiters waiters_;
  std::atomic<std::uint64_t> behind_{2};  // 0: all is there, 1: counters are not, 2: books are not
  std::thread thread_;
};

}  // namespace lumina::recs
