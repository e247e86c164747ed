// Units of work on the database threads, awaited from the io threads.
//
//   co_await database.read([id](db::Transaction& tx) { return BookRepository(tx).find(id); });
//   co_await database.write([=](db::Transaction& tx) -> Result<Book> { ... });
//
// read: SQLite, one of a few reading threads with its own connection; PostgreSQL, one of the pool. Statements
// of one
//   read see the last commit each, not one snapshot.
// write: all of it commits or nothing does. A function that gives an Error or throws is rolled back. SQLite
// has one
//   writing thread that takes every waiting unit, runs them in turn and commits once (group commit), so that
//   durability (synchronous=FULL) is paid once for many; a failing unit loses only itself: when it had
//   already changed something, the group is taken back and done again, a savepoint for each. PostgreSQL runs
//   units in parallel and repeats one after a serialization failure or deadlock. So the function may run more
//   than once: it must not move from what it captured.
//
// Nothing resumes before the commit is durable. Actions registered with Transaction::after_commit run first,
// in the order of commits (SQLite) or right after each commit (PostgreSQL). While the calling thread has a
// db::Joined scope open (joined.hpp), its units of work run at once inside another one. Errors: queue full,
// database down -> unavailable (503); disk full -> storage_full (507); everything else throws.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/transaction.hpp"
#include "core/runtime/resuming.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace lumina::db {

struct Options {
  std::string url;           // "sqlite:PATH" or "postgresql://..."
  int readers = 2;           // SQLite: reading threads
  int pool = 16;             // PostgreSQL: connections
  std::size_t queue = 4096;  // waiting units at most, for reads and for writes
};

// For metrics; all monotonic but the gauges.
struct Statistics {
  std::int64_t waiting = 0, running = 0, connections = 0;  // gauges
  std::int64_t reads = 0, writes = 0, commits = 0, retries = 0, rejected = 0, failures = 0;
  double wait_seconds = 0, run_seconds = 0;
};

// How a write may be run. `single` is one statement on PostgreSQL, committed by itself: half the round trips.
enum class Atomicity : std::uint8_t { transaction, single };

namespace detail {
template <class R>
struct Outcome {
  using Value = R;
  static Result<R> wrap(R&& r) { return Result<R>(std::move(r)); }
};
template <class R>
struct Outcome<Result<R>> {
  using Value = R;
  static Result<R> wrap(Result<R>&& r) { return std::move(r); }
};
template <>
struct Outcome<void> {
  using Value = void;
};

}  // namespace detail

template <class Item, class Answer>
class Combiner;

class Database {
 public:
  explicit Database(Options options);  // connects; throws db::Unreachable
  ~Database();                         // finishes what was accepted, then stops
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Dialect dialect() const;
  const std::string& url() const;

  template <class F>
  auto read(F f) {
    return submit<F>(std::move(f), Kind::read, Atomicity::transaction);
  }
  template <class F>
  auto write(F f, Atomicity atomicity = Atomicity::transaction) {
    return submit<F>(std::move(f), Kind::write, atomicity);
  }
  // Blocking forms for the command line, start-up and tests; never on an io thread.
  template <class F>
  auto read_now(F f) {
    return wait<F>(std::move(f), Kind::read);
  }
  template <class F>
  auto write_now(F f) {
    return wait<F>(std::move(f), Kind::write);
  }

  Statistics statistics() const;
  // Runs what was accepted and ends the threads; later units are unavailable. Idempotent.
  void stop();

 private:
  friend class Joined;
  template <class Item, class Answer>
  friend class Combiner;
  enum class Kind : std::uint8_t { read, write };
  // One unit: `run` gives true to commit; `done` is called exactly once, with an Error or an exception or
  // neither.
  struct Unit {
    std::move_only_function<bool(Transaction&)> run;
    std::move_only_function<void(std::optional<Error>, std::exception_ptr)> done;
    Atomicity atomicity = Atomicity::transaction;
    bool is_write = false;
    std::chrono::steady_clock::time_point queued{};
  };
  void enqueue(Kind kind, Unit unit);
  // Whether the calling thread has a scope open in which units run at once.
  bool joined() const;

  template <class F>
  using ResultOf = Result<typename detail::Outcome<std::invoke_result_t<F&, Transaction&>>::Value>;

  template <class F, class Done>
  static Unit make_unit(F f, Atomicity atomicity, Done done) {
    using R = std::invoke_result_t<F&, Transaction&>;
    using Answer = ResultOf<F>;
    auto answer = std::make_shared<std::optional<Answer>>();
    Unit unit;
    unit.atomicity = atomicity;
    unit.run = [f = std::move(f), answer](Transaction& tx) mutable {
      if constexpr (std::is_void_v<R>) {
        f(tx);
        answer->emplace();
      } else {
        answer->emplace(detail::Outcome<R>::wrap(f(tx)));
      }
      return (*answer)->has_value();
    };
    unit.done = [answer, done = std::move(done)](std::optional<Error> error,
                                                 std::exception_ptr thrown) mutable {
      if (thrown) return done(std::move(thrown), Answer(Failure(Error{})));
      if (error) return done(nullptr, Answer(Failure(std::move(*error))));
      done(nullptr, std::move(**answer));
    };
    return unit;
  }

  template <class F>
  Task<ResultOf<F>> submit(F f, Kind kind, Atomicity atomicity) {
    using Answer = ResultOf<F>;
    auto initiate = [this, kind, atomicity](auto handler, F work) {
      enqueue(kind, make_unit(std::move(work), atomicity, runtime::resuming<Answer>(std::move(handler))));
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<IoExecutor>,
                                       void(std::exception_ptr, Answer)>(
        std::move(initiate), boost::asio::use_awaitable_t<IoExecutor>{}, std::move(f));
  }

  template <class F>
  ResultOf<F> wait(F f, Kind kind) {
    using Answer = ResultOf<F>;
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    enqueue(kind, make_unit(std::move(f), Atomicity::transaction,
                            [promise](std::exception_ptr thrown, Answer answer) {
                              if (thrown)
                                promise->set_exception(std::move(thrown));
                              else
                                promise->set_value(std::move(answer));
                            }));
    return future.get();
  }

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lumina::db
