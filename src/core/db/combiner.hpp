// What many callers want at the same moment, done for all of them in one unit of work.
//
//   db::Combiner<Move, std::optional<Loan>> moves(database, [](db::Transaction& tx, const std::vector<Move>&
//   all) {
//     return LoanRepository(tx).lend(all);        // one statement for all; an answer for each, in order
//   });
//   auto loan = co_await moves.submit(move);      // Result<std::optional<Loan>>
//
// PostgreSQL pays for every statement (plan, snapshot, round trip) and for every commit (a write to the disk)
// more than for the rows in it: sixteen loans in one statement cost about what three cost alone. SQLite needs
// none of this, since its one writer commits in groups anyhow.
//
// An item has a `kind` and a `key`. Items of one kind are done together, in the order in which they came;
// two with the same key never at the same time, so that nobody waits for a lock that a neighbour holds. A
// lone caller is served at once and alone; items gather while `units` units are under way, up to `most` for
// one. The unit is single (see Atomicity): `run` is one statement. It may be run again, after a serialization
// failure; when it throws, or conflicts too often, with several items, each is done once more by itself, so
// that a fault stays with whom it belongs to. Within a db::Joined scope of the calling thread the item is
// done at once, alone.
//
// submit() is awaited on an io thread; `run` is called on a database thread. Errors: those of
// Database::write; `overloaded` when `queue` items wait.
#pragma once
#include "core/db/database.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace lumina::db {

struct CombinerLimits {
  std::size_t most = 32;     // items in one unit
  std::size_t units = 4;     // units under way
  std::size_t queue = 4096;  // items that wait
};

template <class Item, class Answer>
class Combiner {
 public:
  using Run = std::function<std::vector<Answer>(Transaction&, const std::vector<Item>&)>;

  Combiner(Database& database, Run run, CombinerLimits limits = {})
      : state_(std::make_shared<State>(database, std::move(run), limits)) {}

  Task<Result<Answer>> submit(Item item) {
    auto initiate = [state = state_](auto handler, Item asked) {
      state->add({std::move(asked), runtime::resuming<Result<Answer>>(std::move(handler))});
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<IoExecutor>,
                                       void(std::exception_ptr, Result<Answer>)>(
        std::move(initiate), boost::asio::use_awaitable_t<IoExecutor>{}, std::move(item));
  }

 private:
  using Key = std::decay_t<decltype(std::declval<Item>().key)>;
  struct Waiting {
    Item item;
    std::move_only_function<void(std::exception_ptr, Result<Answer>)> done;
    bool alone = false;
  };
  struct Batch {
    std::vector<Item> items;
    std::vector<Waiting> callers;  // without their items
    std::vector<Answer> answers;
  };

  // Outlives the combiner while units are under way.
  struct State : std::enable_shared_from_this<State> {
    State(Database& db, Run r, CombinerLimits l) : database(db), run(std::move(r)), limits(l) {}

    Database& database;
    const Run run;
    const CombinerLimits limits;
    std::mutex mutex;
    std::deque<Waiting> waiting;
    std::vector<Key> busy;  // keys of units under way
    std::size_t units = 0;

    bool is_busy(const Key& key) const { return std::ranges::find(busy, key) != busy.end(); }

    void add(Waiting asked) {
      if (database.joined()) {
        auto batch = std::make_shared<Batch>();
        admit(*batch, std::move(asked));
        return start(std::move(batch));
      }
      {
        std::lock_guard lock(mutex);
        if (waiting.size() < limits.queue) {
          waiting.push_back(std::move(asked));
          asked.done = nullptr;
        }
      }
      if (asked.done)
        return asked.done(
            nullptr,
            Failure(Error{
                ErrorKind::unavailable, "overloaded", "The server is overloaded; try again shortly", {}, 1}));
      start_more();
    }

    // A unit for whoever can be served now, as far as there may be one more.
    void start_more() {
      {
        std::lock_guard lock(mutex);
        const auto free = [this](const Waiting& w) { return !is_busy(w.item.key); };
        if (units >= limits.units || std::ranges::none_of(waiting, free)) return;
        ++units;
      }
      auto batch = std::make_shared<Batch>();
      start(std::move(batch));
    }

    // An empty batch takes what waits when a database thread comes to it.
    void start(std::shared_ptr<Batch> batch) {
      const bool own = batch->items.empty();
      Database::Unit unit;
      unit.atomicity = Atomicity::single;
      unit.run = [self = this->shared_from_this(), batch](Transaction& tx) {
        if (batch->items.empty()) self->take(*batch);
        if (batch->items.empty()) return false;
        batch->answers = self->run(tx, batch->items);
        return true;
      };
      unit.done = [self = this->shared_from_this(), batch, own](std::optional<Error> error,
                                                                std::exception_ptr thrown) {
        self->finish(*batch, own, error, thrown);
      };
      database.enqueue(Database::Kind::write, std::move(unit));
    }

    static void admit(Batch& batch, Waiting asked) {
      batch.items.push_back(std::move(asked.item));
      batch.callers.push_back(std::move(asked));
    }

    void take(Batch& batch) {
      std::lock_guard lock(mutex);
      bool full = false;
      std::deque<Waiting> rest;
      for (Waiting& next : waiting) {
        const bool fits = !full && !is_busy(next.item.key) &&
                          (batch.items.empty() || (!next.alone && next.item.kind == batch.items[0].kind));
        if (!fits) {
          rest.push_back(std::move(next));
          continue;
        }
        busy.push_back(next.item.key);
        full = next.alone || batch.items.size() + 1 == limits.most;
        admit(batch, std::move(next));
      }
      waiting = std::move(rest);
    }

    void finish(Batch& batch, bool own, const std::optional<Error>& error, const std::exception_ptr& thrown) {
      const bool given_up = error && error->code == "database_busy";  // repeated in vain
      const bool apart = (thrown || given_up) && batch.items.size() > 1;
      if (own) {
        std::lock_guard lock(mutex);
        --units;
        for (const Item& item : batch.items) busy.erase(std::ranges::find(busy, item.key));
        for (std::size_t i = batch.items.size(); apart && i-- > 0;)
          waiting.push_front({std::move(batch.items[i]), std::move(batch.callers[i].done), true});
        // The database takes no units at present: whoever waits is told so.
        if (batch.items.empty() && (error || thrown))
          while (!waiting.empty()) {
            batch.callers.push_back(std::move(waiting.front()));
            waiting.pop_front();
          }
      }
      if (own) start_more();
      if (apart) return;
      for (std::size_t i = 0; i < batch.callers.size(); ++i) {
        auto& done = batch.callers[i].done;
        if (thrown)
          done(thrown, Failure(Error{}));
        else if (error)
          done(nullptr, Failure(*error));
        else
          done(nullptr, std::move(batch.answers[i]));
      }
    }
  };

  std::shared_ptr<State> state_;
};

}  // namespace lumina::db
