#include "core/db/database.hpp"

#include "core/db/connection.hpp"
#include "core/db/figures.hpp"
#include "core/db/joined.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace lumina::db {
namespace {

using Moment = std::chrono::steady_clock::time_point;

constexpr std::size_t largest_batch = 64;
constexpr int tries_on_conflict = 8;
constexpr auto quiet_after_failure = std::chrono::milliseconds(250);

struct Figures {
  metrics::Registry registry;
  metrics::Histogram& run = registry.histogram("luminalib_db_query_duration_seconds",
                                               "Time units of work ran.", metrics::latency_buckets());
};
// Outlives every database, those of other static objects too.
Figures& kept_figures() {
  static auto* const all = new Figures;
  return *all;
}

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

Error unavailable(std::string code, std::string detail) {
  return {ErrorKind::unavailable, std::move(code), std::move(detail), {}, 1};
}
// The change may stand: nothing was taken back.
Error outcome_unknown() {
  return unavailable("outcome_unknown",
                     "The connection to the database was lost at a moment that leaves open whether this took "
                     "effect; look before you repeat it");
}
Error storage_full() {
  return {
      ErrorKind::storage_full, "storage_full", "The library's storage is full; nothing was changed", {}, 60};
}

}  // namespace

struct Database::State {
  // Units waiting for one group of threads.
  struct Queue {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Unit> units;
    bool stopping = false;
  };
  struct Finished {
    std::optional<Error> error;
    std::exception_ptr thrown;
  };

  Options options;
  Dialect dialect;
  Queue reads, writes;
  std::vector<std::jthread> threads;
  std::mutex stop_mutex;
  std::atomic<std::int64_t> waiting{0}, running{0}, read_count{0}, write_count{0}, commits{0}, retries{0},
      rejected{0}, failures{0}, wait_ns{0}, run_ns{0};

  Queue& queue_for(Kind kind) { return dialect == Dialect::sqlite && kind == Kind::write ? writes : reads; }

  void count_wait(const Unit& unit, Moment now) {
    wait_ns.fetch_add((now - unit.queued).count(), std::memory_order_relaxed);
    waiting.fetch_sub(1, std::memory_order_relaxed);
  }

  void count_run(std::chrono::steady_clock::duration time) {
    run_ns.fetch_add(time.count(), std::memory_order_relaxed);
    kept_figures().run.observe(time);
  }

  // Blocks until there is something to do; false when stopping and nothing is left.
  static bool take(Queue& queue, std::vector<Unit>& batch, std::size_t most) {
    std::unique_lock lock(queue.mutex);
    queue.wake.wait(lock, [&] { return queue.stopping || !queue.units.empty(); });
    while (!queue.units.empty() && batch.size() < most) {
      batch.push_back(std::move(queue.units.front()));
      queue.units.pop_front();
    }
    return !batch.empty();
  }

  // Turns what was thrown into an answer: dependencies that fail are values, bugs stay exceptions.
  Finished failed(std::exception_ptr thrown) {
    failures.fetch_add(1, std::memory_order_relaxed);
    try {
      std::rethrow_exception(thrown);
    } catch (const StorageFull&) {
      return {storage_full(), nullptr};
    } catch (const TookTooLong&) {
      return {unavailable("database_slow", "The database took too long; try again later"), nullptr};
    } catch (const Unreachable&) {
      return {unavailable("database_unavailable", "The database cannot be reached; try again shortly"),
              nullptr};
    } catch (const TryAgain&) {
      return {unavailable("database_busy", "The database is busy; try again shortly"), nullptr};
    } catch (...) {
      return {std::nullopt, std::move(thrown)};
    }
  }

  // ---- readers of SQLite, and the whole pool of PostgreSQL
  // -------------------------------------------------

  void serve(Connection& connection) {
    std::vector<Unit> one;
    Moment failed_at{};
    while (take(reads, one, 1)) {
      Unit unit = std::move(one.front());
      one.clear();
      const Moment begin = std::chrono::steady_clock::now();
      count_wait(unit, begin);
      running.fetch_add(1, std::memory_order_relaxed);
      Finished finished;
      if (begin - failed_at < quiet_after_failure) {
        finished = failed(std::make_exception_ptr(Unreachable("the database went away a moment ago")));
      } else {
        finished = perform(connection, unit);
        if (finished.error && finished.error->code == "database_unavailable")
          failed_at = std::chrono::steady_clock::now();
      }
      count_run(std::chrono::steady_clock::now() - begin);
      running.fetch_sub(1, std::memory_order_relaxed);
      unit.done(std::move(finished.error), std::move(finished.thrown));
    }
  }

  Finished perform(Connection& connection, Unit& unit) {
    thread_local std::minstd_rand random{std::random_device{}()};
    bool reconnected = false;
    for (int attempt = 1;; ++attempt) {
      bool committing = false;
      const bool in_transaction = unit.is_write && unit.atomicity == Atomicity::transaction;
      const bool commits_itself = unit.is_write && !in_transaction;
      try {
        Transaction tx(connection, unit.is_write);
        if (in_transaction) connection.begin();
        if (commits_itself && connection.ended_by_server()) connection.reconnect();
        const bool keep = unit.run(tx);
        if (in_transaction) {
          committing = true;
          if (keep)
            connection.commit();
          else
            connection.rollback();
        }
        if (keep) {
          commits.fetch_add(1, std::memory_order_relaxed);
          for (auto& action : tx.take_after_commit()) action();
        }
        return {};
      } catch (const TryAgain&) {
        connection.rollback();
        if (attempt >= tries_on_conflict) return failed(std::current_exception());
        retries.fetch_add(1, std::memory_order_relaxed);
        std::this_thread::sleep_for(
            std::chrono::microseconds(200 + random() % (1000U << std::min(attempt, 5))));
      } catch (const ConstraintViolation&) {
        const auto thrown = std::current_exception();
        connection.rollback();
        if (attempt > 1) return failed(thrown);
        retries.fetch_add(1, std::memory_order_relaxed);
      } catch (const TookTooLong&) {
        // Neither repeated nor a reason to connect again: the session is well.
        const auto thrown = std::current_exception();
        connection.rollback();
        return failed(thrown);
      } catch (const Unreachable& error) {
        const auto thrown = std::current_exception();
        connection.rollback();
        // What may have been committed is never repeated.
        if ((committing || commits_itself) && dynamic_cast<const AnswerLost*>(&error) != nullptr) {
          failures.fetch_add(1, std::memory_order_relaxed);
          return {outcome_unknown(), nullptr};
        }
        // A session that died while idle is replaced once.
        if (reconnected) return failed(thrown);
        reconnected = true;
        try {
          connection.reconnect();
        } catch (const Unreachable&) {
          return failed(std::current_exception());
        }
      } catch (...) {
        const auto thrown = std::current_exception();
        connection.rollback();
        return failed(thrown);
      }
    }
  }

  // ---- the writer of SQLite
  // --------------------------------------------------------------------------------

  void write_in_groups(Connection& connection) {
    std::vector<Unit> batch;
    while (take(writes, batch, largest_batch)) {
      const Moment begin = std::chrono::steady_clock::now();
      for (const Unit& unit : batch) count_wait(unit, begin);
      running.store(static_cast<std::int64_t>(batch.size()), std::memory_order_relaxed);
      std::vector<Finished> finished(batch.size());
      auto outcome = commit_group(connection, batch, finished, false);
      if (outcome == Group::spoiled) {
        finished.assign(batch.size(), {});
        outcome = commit_group(connection, batch, finished, true);
      }
      if (outcome == Group::lost) {
        // The group fell (disk full, I/O error): each unit gets its own transaction, and its own answer.
        for (std::size_t i = 0; i < batch.size(); ++i) {
          std::vector<Unit> alone;
          std::vector<Finished> answer(1);
          alone.push_back(std::move(batch[i]));
          std::exception_ptr why;
          if (commit_group(connection, alone, answer, false, &why) != Group::committed)
            answer[0] = failed(why);
          batch[i] = std::move(alone.front());
          finished[i] = std::move(answer[0]);
        }
      }
      count_run(std::chrono::steady_clock::now() - begin);
      running.store(0, std::memory_order_relaxed);
      for (std::size_t i = 0; i < batch.size(); ++i)
        batch[i].done(std::move(finished[i].error), std::move(finished[i].thrown));
      batch.clear();
    }
  }

  enum class Group : std::uint8_t { committed, lost, spoiled };

  // One transaction for all. `lost`: it ended by itself, and nothing was changed. Without savepoints, which
  // cost as much as the work itself, it is `spoiled` when a unit that changed something is refused after all:
  // everything was taken back and is to be done again with a savepoint for each.
  Group commit_group(Connection& connection, std::vector<Unit>& batch, std::vector<Finished>& finished,
                     bool savepoints, std::exception_ptr* why = nullptr) {
    std::vector<std::function<void()>> actions;
    try {
      connection.begin();
      std::int64_t kept = 0;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        Transaction tx(connection, true);
        if (savepoints) connection.run("SAVEPOINT unit", nullptr, 0, {}, {});
        const auto changes = connection.changes();
        try {
          if (batch[i].run(tx)) {
            ++kept;
            for (auto& action : tx.take_after_commit()) actions.push_back(std::move(action));
            if (savepoints) connection.run("RELEASE unit", nullptr, 0, {}, {});
            continue;
          }
        } catch (...) {
          finished[i] = failed(std::current_exception());
          // Some errors end the whole transaction; then every unit of the group must run again.
          if (!connection.in_transaction()) {
            if (why) *why = std::current_exception();
            return Group::lost;
          }
        }
        if (savepoints) {
          connection.run("ROLLBACK TO unit", nullptr, 0, {}, {});
          connection.run("RELEASE unit", nullptr, 0, {}, {});
        } else if (batch.size() == 1) {
          connection.rollback();
        } else if (connection.changes() != changes) {
          connection.rollback();
          return Group::spoiled;
        }
      }
      if (connection.in_transaction()) connection.commit();
      commits.fetch_add(kept, std::memory_order_relaxed);
    } catch (...) {
      if (why) *why = std::current_exception();
      connection.rollback();
      return Group::lost;
    }
    for (auto& action : actions) action();
    return Group::committed;
  }
};

Database::Database(Options options) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.options = std::move(options);
  s.dialect = s.options.url.starts_with("sqlite:") ? Dialect::sqlite : Dialect::postgresql;
  if (s.dialect == Dialect::sqlite) {
    auto writer = std::make_shared<Connection>(s.options.url, Connection::Access::write);
    s.threads.emplace_back([&s, writer] { s.write_in_groups(*writer); });
  }
  const int readers = std::max(1, s.dialect == Dialect::sqlite ? s.options.readers : s.options.pool);
  for (int i = 0; i < readers; ++i) {
    auto connection = std::make_shared<Connection>(
        s.options.url, s.dialect == Dialect::sqlite ? Connection::Access::read : Connection::Access::write);
    s.threads.emplace_back([&s, connection] { s.serve(*connection); });
  }
}
Database::~Database() { stop(); }

Dialect Database::dialect() const { return state_->dialect; }
const std::string& Database::url() const { return state_->options.url; }

bool Database::joined() const { return Joined::of(*this) != nullptr; }

void Database::enqueue(Kind kind, Unit unit) {
  State& s = *state_;
  unit.is_write = kind == Kind::write;
  if (Joined* joined = Joined::of(*this)) return joined->run(std::move(unit));
  auto& queue = s.queue_for(kind);
  unit.queued = std::chrono::steady_clock::now();
  (kind == Kind::write ? s.write_count : s.read_count).fetch_add(1, std::memory_order_relaxed);
  {
    std::unique_lock lock(queue.mutex);
    if (!queue.stopping && queue.units.size() < s.options.queue) {
      s.waiting.fetch_add(1, std::memory_order_relaxed);
      queue.units.push_back(std::move(unit));
      lock.unlock();
      queue.wake.notify_one();
      return;
    }
  }
  s.rejected.fetch_add(1, std::memory_order_relaxed);
  unit.done(unavailable("overloaded", "The server is overloaded; try again shortly"), nullptr);
}

const metrics::Registry& figures() { return kept_figures().registry; }

Statistics Database::statistics() const {
  const State& s = *state_;
  return {s.waiting,
          s.running,
          static_cast<std::int64_t>(s.threads.size()),
          s.read_count,
          s.write_count,
          s.commits,
          s.retries,
          s.rejected,
          s.failures,
          seconds(std::chrono::nanoseconds(s.wait_ns)),
          seconds(std::chrono::nanoseconds(s.run_ns))};
}

void Database::stop() {
  std::lock_guard once(state_->stop_mutex);
  for (auto* queue : {&state_->reads, &state_->writes}) {
    std::lock_guard lock(queue->mutex);
    queue->stopping = true;
    queue->wake.notify_all();
  }
  state_->threads.clear();
}

}  // namespace lumina::db
