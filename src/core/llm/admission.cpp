#include "core/llm/admission.hpp"

#include "core/runtime/resuming.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <vector>

namespace lumina::llm {
namespace {

namespace asio = boost::asio;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;

Failure unavailable(std::string code, std::string detail, int seconds) {
  return Failure(Error{ErrorKind::unavailable, std::move(code), std::move(detail), {}, seconds});
}

}  // namespace

Task<Result<Admission::Place>> Admission::enter(Lane lane, std::chrono::steady_clock::time_point deadline) {
  const auto waiter = std::make_shared<Waiter>();
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) co_return unavailable("llm_busy", "The server is about to stop", 5);
    if (running_ < places_) {
      ++running_;
      co_return Place(shared_from_this());
    }
    const std::size_t most = lane == Lane::interactive ? queue_ : queue_ - queue_ / 4;
    if (interactive_.size() + bulk_.size() >= most)
      co_return unavailable("llm_busy", "The language model has too much to do; try again shortly", 5);
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto timer = std::make_shared<Timer>(executor);
  constexpr asio::use_awaitable_t<IoExecutor> token;
  const auto self = shared_from_this();
  auto initiate = [self, waiter, lane](auto handler) {
    auto resume = runtime::resuming<Outcome>(std::move(handler));
    std::unique_lock lock(self->mutex_);
    // A place, or the end, may have come since the first look.
    if (self->stopped_ || self->running_ < self->places_) {
      const auto outcome = self->stopped_ ? Outcome::stopped : Outcome::granted;
      if (outcome == Outcome::granted) ++self->running_;
      waiter->waiting = false;
      lock.unlock();
      resume(nullptr, outcome);
      return;
    }
    waiter->resume = [resume = std::move(resume)](Outcome outcome) mutable { resume(nullptr, outcome); };
    (lane == Lane::interactive ? self->interactive_ : self->bulk_).push_back(waiter);
  };
  timer->expires_at(deadline);
  timer->async_wait([self, waiter](boost::system::error_code error) {
    if (!error) self->expire(waiter);
  });
  auto waiting =
      asio::async_initiate<const asio::use_awaitable_t<IoExecutor>, void(std::exception_ptr, Outcome)>(
          std::move(initiate), token);
  const Outcome outcome = co_await std::move(waiting);
  timer->cancel();
  if (outcome == Outcome::late)
    co_return unavailable("llm_timeout", "The language model was busy for too long", 10);
  if (outcome == Outcome::stopped) co_return unavailable("llm_busy", "The server is about to stop", 5);
  co_return Place(self);
}

void Admission::leave() {
  std::shared_ptr<Waiter> next;
  {
    const std::scoped_lock lock(mutex_);
    auto& lane = interactive_.empty() ? bulk_ : interactive_;
    if (lane.empty()) {
      --running_;
      return;
    }
    next = std::move(lane.front());
    lane.pop_front();
    next->waiting = false;
  }
  next->resume(Outcome::granted);
}

void Admission::expire(const std::shared_ptr<Waiter>& waiter) {
  {
    const std::scoped_lock lock(mutex_);
    if (!waiter->waiting) return;
    waiter->waiting = false;
    std::erase(interactive_, waiter);
    std::erase(bulk_, waiter);
  }
  waiter->resume(Outcome::late);
}

void Admission::stop() {
  std::vector<std::shared_ptr<Waiter>> all;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    for (auto* lane : {&interactive_, &bulk_}) {
      all.insert(all.end(), lane->begin(), lane->end());
      lane->clear();
    }
    for (const auto& waiter : all) waiter->waiting = false;
  }
  for (const auto& waiter : all) waiter->resume(Outcome::stopped);
}

Admission::Figures Admission::figures() const {
  const std::scoped_lock lock(mutex_);
  return {static_cast<std::size_t>(running_), interactive_.size(), bulk_.size(), queue_};
}

}  // namespace lumina::llm
