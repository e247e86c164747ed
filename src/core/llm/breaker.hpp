// A circuit breaker: leaves a provider alone that fails again and again, and looks after a while.
//
// Closed lets everything through. After `failures` calls in a row that failed it opens: nothing goes through
// for `rest`. Then it is half open: one call goes through as a probe, and its outcome closes or opens it
// again. Thread-safe. Source: Nygard, Release It!, 2nd edition, section 5.2.
#pragma once
#include "core/llm/language_model.hpp"

#include <chrono>
#include <functional>
#include <mutex>

namespace lumina::llm {

using Now = std::function<std::chrono::steady_clock::time_point()>;

class Breaker {
 public:
  Breaker(int failures, std::chrono::milliseconds rest, Now now)
      : limit_(failures), rest_(rest), now_(std::move(now)) {}

  // Whether a call may go; every call that may ends with one of succeeded(), failed() and withdrew().
  bool enter() {
    const std::scoped_lock lock(mutex_);
    if (failures_ < limit_) return true;
    if (probing_ || now_() < opened_ + rest_) return false;
    probing_ = true;
    return true;
  }
  void succeeded() {
    const std::scoped_lock lock(mutex_);
    failures_ = 0;
    probing_ = false;
  }
  void failed() {
    const std::scoped_lock lock(mutex_);
    ++failures_;
    probing_ = false;
    if (failures_ >= limit_) opened_ = now_();
  }
  // It says nothing of the provider: the caller gave up, or asked for what cannot be.
  void withdrew() {
    const std::scoped_lock lock(mutex_);
    probing_ = false;
  }
  Circuit state() const {
    const std::scoped_lock lock(mutex_);
    if (failures_ < limit_) return Circuit::closed;
    return probing_ || now_() >= opened_ + rest_ ? Circuit::half_open : Circuit::open;
  }
  int failures() const {
    const std::scoped_lock lock(mutex_);
    return failures_;
  }
  // Until a probe may go; zero when one may go now.
  std::chrono::milliseconds wait() const {
    const std::scoped_lock lock(mutex_);
    if (failures_ < limit_) return {};
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::ceil<std::chrono::milliseconds>(opened_ + rest_ - now_()));
  }

 private:
  const int limit_;
  const std::chrono::milliseconds rest_;
  const Now now_;
  mutable std::mutex mutex_;
  int failures_ = 0;
  bool probing_ = false;
  std::chrono::steady_clock::time_point opened_{};
};

}  // namespace lumina::llm
