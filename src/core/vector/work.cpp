#include "core/vector/work.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lumina::vector {

unsigned Work::thread_count() const {
  return threads > 0 ? threads : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
}

Work Work::part(double from, double to) const {
  Work inner = *this;
  if (progress)
    inner.progress = [outer = progress, from, to](double share) { outer(from + share * (to - from)); };
  return inner;
}

Failure cancelled_failure() {
  return fail(ErrorKind::unavailable, "cancelled", "The computation was cancelled before its end");
}

bool for_pieces(std::size_t count, std::size_t piece, const Work& work,
                const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return true;
  piece = std::max<std::size_t>(piece, 1);
  const std::size_t pieces = (count + piece - 1) / piece;
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex guard;
  std::exception_ptr thrown;

  const auto worker = [&](bool reports) {
    while (!stopped) {
      if (work.stopped()) {
        stopped = true;
        return;
      }
      const auto turn = next.fetch_add(1);
      if (turn >= pieces) return;
      try {
        body(turn * piece, std::min(count, (turn + 1) * piece));
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!thrown) thrown = std::current_exception();
        stopped = true;
      }
      if (reports) work.report(static_cast<double>(turn + 1) / static_cast<double>(pieces));
    }
  };

  {
    std::vector<std::jthread> helpers;
    const auto wanted = std::min<std::size_t>(work.thread_count(), pieces);
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(worker, false);
    worker(true);
  }
  if (thrown) std::rethrow_exception(thrown);
  return !stopped;
}

}  // namespace lumina::vector
