#include "core/runtime/pool.hpp"

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace lumina::runtime {
namespace {

std::uint64_t nanoseconds(std::chrono::steady_clock::duration d) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(d).count());
}

}  // namespace

Pool::Pool(std::string name, std::size_t threads, std::size_t queue_limit)
    : name_(std::move(name)), queue_limit_(std::max<std::size_t>(queue_limit, 1)) {
  counts_.threads = std::max<std::size_t>(threads, 1);
  counts_.queue_limit = queue_limit_;
  try {
    for (std::size_t i = 0; i < counts_.threads; ++i) {
      std::thread& thread = threads_.emplace_back([this] { work(); });
      const std::string label = name_.substr(0, 12) + "/" + std::to_string(i % 100);
      pthread_setname_np(thread.native_handle(), label.c_str());
    }
  } catch (...) {
    stop();
    throw;
  }
}

Pool::~Pool() { stop(); }

bool Pool::try_submit(Job job) {
  const Instant now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_) {
      ++counts_.rejected;
      return false;
    }
    queue_.push_back({std::move(job), now});
  }
  wake_.notify_one();
  return true;
}

void Pool::stop(Unstarted unstarted) {
  std::deque<Waiting> dropped;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    if (unstarted == Unstarted::discard) {
      dropped.swap(queue_);
      counts_.discarded += dropped.size();
    }
  }
  wake_.notify_all();
  dropped.clear();
  const std::scoped_lock lock(stop_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

PoolStats Pool::stats() const {
  const std::scoped_lock lock(mutex_);
  PoolStats now = counts_;
  now.depth = queue_.size();
  return now;
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    ++counts_.running;
    lock.unlock();

    const Instant started = std::chrono::steady_clock::now();
    bool failed = false;
    try {
      next.job();
    } catch (...) {
      failed = true;
    }
    next.job = nullptr;  // what the job holds ends before the job counts as completed
    const Instant ended = std::chrono::steady_clock::now();

    lock.lock();
    --counts_.running;
    ++counts_.completed;
    if (failed) ++counts_.failed;
    counts_.wait_ns += nanoseconds(started - next.accepted);
    counts_.run_ns += nanoseconds(ended - started);
  }
}

}  // namespace lumina::runtime
