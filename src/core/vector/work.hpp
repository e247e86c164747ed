// Long computations: how they tell their progress, how they are stopped, and how they use several cores.
//
// Results never depend on the number of threads: every piece of work writes only what is its own.
#pragma once
#include "core/base/error.hpp"

#include <cstddef>
#include <functional>

namespace lumina::vector {

struct Work {
  std::function<void(double)> progress;  // 0..1, never falling, called from the thread that computes
  std::function<bool()> cancelled;       // asked often, from any of the threads
  unsigned threads = 0;                  // 0: as many as there are cores, at most 16

  bool stopped() const { return cancelled && cancelled(); }
  void report(double share) const {
    if (progress) progress(share);
  }
  unsigned thread_count() const;
  // The same work, its progress mapped to [from, to] of this one's.
  Work part(double from, double to) const;
};

// Of any computation that `cancelled` ended: kind unavailable, code "cancelled".
Failure cancelled_failure();

// Calls body(begin, end) for pieces of [0, count), in several threads; returns when all are done. A piece is
// at most `piece` long. Stops handing out pieces once the work is cancelled; true when all were done. What
// a body throws is thrown here, after the others ended.
bool for_pieces(std::size_t count, std::size_t piece, const Work& work,
                const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace lumina::vector
