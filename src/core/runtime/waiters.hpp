// Coroutines that wait until a thread which follows the library's events has come to a point.
//
// The owner counts what came and what it has taken in, and guards both, and this, by one lock: everything
// here is called with it held, but for Answers::give(), which resumes and is called without it.
//
//   co_await runtime::answered([&](runtime::Waiters::Resume resume) { ...waiters_.add(...) or resume(...) });
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/runtime/resuming.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace lumina::runtime {

class Waiters {
 public:
  using Clock = std::chrono::steady_clock;
  using Resume = std::move_only_function<void(Status)>;

  class Answers {
   public:
    void give() {
      for (auto& [resume, status] : all_) resume(std::move(status));
      all_.clear();
    }
    // Somebody is answered before the point he waited for.
    bool early() const { return early_; }

   private:
    friend class Waiters;
    std::vector<std::pair<Resume, Status>> all_;
    bool early_ = false;
  };

  bool empty() const { return waiting_.empty(); }
  void add(std::uint64_t until, Clock::time_point deadline, Resume resume) {
    waiting_.push_back({until, deadline, std::move(resume)});
  }
  // Those whose point is `reached`, and those out of patience: what is `there` answers as it is, what is not
  // cannot, and they are told `otherwise`.
  Answers take(bool there, std::uint64_t reached, const Status& otherwise) {
    Answers answers;
    const auto now = Clock::now();
    for (auto& one : waiting_) {
      const bool late = now >= one.deadline;
      if (there && (reached >= one.until || late)) {
        answers.early_ = answers.early_ || reached < one.until;
        answers.all_.emplace_back(std::move(one.resume), Status{});
      } else if (late) {
        answers.all_.emplace_back(std::move(one.resume), otherwise);
      }
    }
    std::erase_if(waiting_, [](const Waiter& one) { return !one.resume; });
    return answers;
  }
  Answers take_all(const Status& with) {
    Answers answers;
    for (auto& one : waiting_) answers.all_.emplace_back(std::move(one.resume), with);
    waiting_.clear();
    return answers;
  }

 private:
  struct Waiter {
    std::uint64_t until;
    Clock::time_point deadline;
    Resume resume;
  };
  std::vector<Waiter> waiting_;
};

// Suspends; `put` is given what resumes, to be called once, from any thread.
template <class Put>
Task<Status> answered(Put put) {
  auto initiate = [&put](auto handler) {
    put([resume = resuming<Status>(std::move(handler))](Status status) mutable {
      resume(nullptr, std::move(status));
    });
  };
  constexpr boost::asio::use_awaitable_t<IoExecutor> token;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<IoExecutor>,
                                                 void(std::exception_ptr, Status)>(std::move(initiate),
                                                                                   token);
}

}  // namespace lumina::runtime
