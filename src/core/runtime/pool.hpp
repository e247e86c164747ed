// A named, bounded pool of threads for work that blocks or computes: database calls, hashing, models, jobs.
//
// Both bounds are fixed at construction: `threads` jobs run at once, `queue_limit` more may wait, and the
// next one is turned away at once instead of making everybody slow. Jobs start in the order in which they
// were accepted. All functions are thread-safe; stop() must not be called from a job of the same pool.
// Coroutines use run_on.hpp.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lumina::runtime {

// What a pool did since it was made; a moment's picture, its fields taken together.
struct PoolStats {
  std::size_t threads = 0;
  std::size_t queue_limit = 0;
  std::size_t depth = 0;  // accepted, not started
  std::size_t running = 0;
  std::uint64_t completed = 0;  // includes the failed
  std::uint64_t failed = 0;     // jobs that ended by an exception
  std::uint64_t rejected = 0;   // turned away: queue full or pool stopped
  std::uint64_t discarded = 0;  // accepted, then dropped by stop(Unstarted::discard)
  std::uint64_t wait_ns = 0;    // total time from acceptance to start
  std::uint64_t run_ns = 0;     // total time from start to end
};

// What stop() does with jobs that have not started.
enum class Unstarted { run, discard };

class Pool {
 public:
  using Job = std::move_only_function<void()>;

  // At least one thread and room for one waiting job. The name also names the threads (its first 12
  // characters).
  Pool(std::string name, std::size_t threads, std::size_t queue_limit);
  // Runs what was accepted, as stop() does. The pool must end before whatever its jobs refer to.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False when the queue is full or the pool was stopped; the job is destroyed then, in the caller's thread.
  // A job should not throw, for it has nobody to tell; one that does is counted as failed and its thread goes
  // on.
  [[nodiscard]] bool try_submit(Job job);

  // Accepts nothing more, runs or drops what waits, lets what runs finish, and joins the threads. Dropped
  // jobs are destroyed in the calling thread. Calling it again is harmless.
  void stop(Unstarted unstarted = Unstarted::run);

  PoolStats stats() const;
  const std::string& name() const { return name_; }

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Waiting {
    Job job;
    Instant accepted;
  };

  void work();

  const std::string name_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  PoolStats counts_;  // depth is the queue's size

  std::mutex stop_mutex_;  // joins once, also when two threads stop the pool
  std::vector<std::thread> threads_;
};

}  // namespace lumina::runtime
