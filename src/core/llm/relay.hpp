// What chains of providers share (chain.hpp, embed_chain.hpp): who is asked, in which order, how often, and
// for how long. Internal to core/llm.
//
// Each provider stands behind a post: a door (admission.hpp), a breaker (breaker.hpp) and figures. in_turn()
// asks one after the other; a post whose circuit is open is passed over. What waits and what is tried again
// counts against `until`; when others come after a provider, it gets an even share of what is left. 429, 5xx
// and lost connections are tried again, up to `attempts` times, after a pause that doubles and is as long as
// the provider asks; a pause that does not fit is not made. An errand that has `spoken` goes to nobody else.
//
// Any thread; goes on in the caller's io_context. What the errand refers to must outlive the task.
#pragma once
#include "core/llm/admission.hpp"
#include "core/llm/breaker.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lumina::llm {

struct RelayOptions {
  std::chrono::milliseconds timeout{30'000};
  int attempts = 3;
  std::chrono::milliseconds pause{250};  // before the second attempt
  int breaker_failures = 5;
  std::chrono::milliseconds breaker_rest{30'000};
  std::size_t queue = 2048;  // of each provider
  Now now = [] { return std::chrono::steady_clock::now(); };
};

struct Post {
  Post(int parallel, bool retried, const RelayOptions& o)
      : door(std::make_shared<Admission>(parallel, o.queue)),
        breaker(o.breaker_failures, o.breaker_rest, o.now),
        worth_retrying(retried) {}
  // Writes what the post knows over what its provider says of itself; the queue into `whole`.
  void show(ProviderStatus& one, ModelStatus& whole) const;

  const std::shared_ptr<Admission> door;
  Breaker breaker;
  const bool worth_retrying;  // not where nothing lies between
  std::atomic<std::int64_t> requests{0}, failures{0};
};

template <class T>
struct Errand {
  std::string what;  // "language model"
  Lane lane = Lane::interactive;
  std::chrono::steady_clock::time_point until;
  std::function<bool()> cancelled;
  std::function<bool()> spoke;  // something went out to the caller
  // One attempt at the provider of that number.
  std::function<Task<Result<T>>(std::size_t number, std::chrono::milliseconds time)> attempt;
  std::function<void(std::size_t number, const Result<T>& outcome)> note;
};

Failure none_configured(const std::string& what);
Failure too_late(const std::string& what);
// What the request itself is the cause of: the provider is not worse for it.
bool is_our_fault(const Error& error);
// For metrics: cancelled, busy, timeout or failure.
std::string_view outcome_name(const Error& error);
std::chrono::milliseconds left(std::chrono::steady_clock::time_point until);
// Longer for each attempt, and not the same for everybody who was turned away at once.
std::chrono::milliseconds pause_before(int attempt, std::chrono::milliseconds first);
Task<void> rest(std::chrono::milliseconds time);

template <class T>
Task<Result<T>> ask(Post& post, std::size_t number, const RelayOptions& options, const Errand<T>& errand,
                    std::chrono::steady_clock::time_point until) {
  auto place = co_await post.door->enter(errand.lane, until);
  if (!place) co_return Failure(std::move(place.error()));
  for (int attempt = 1;; ++attempt) {
    const auto time = left(until);
    if (time <= std::chrono::milliseconds(0)) co_return too_late(errand.what);
    auto outcome = co_await errand.attempt(number, time);
    if (outcome || errand.spoke() || is_our_fault(outcome.error()) || attempt >= options.attempts ||
        !post.worth_retrying)
      co_return outcome;
    if (outcome.error().code == "timeout" || outcome.error().code == "llm_timeout")
      co_return too_late(errand.what);
    const auto wait =
        std::max(pause_before(attempt, options.pause),
                 std::chrono::milliseconds(std::chrono::seconds(outcome.error().retry_after_seconds)));
    if (wait >= left(until)) co_return outcome;
    co_await rest(wait);
    if (errand.cancelled()) co_return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
  }
}

template <class T>
Task<Result<T>> in_turn(const std::vector<Post*>& posts, const RelayOptions& options,
                        const Errand<T>& errand) {
  if (posts.empty()) co_return none_configured(errand.what);
  Error last{ErrorKind::unavailable,
             "llm_unavailable",
             "No " + errand.what + " can be reached at the moment",
             {},
             0};
  for (std::size_t i = 0; i < posts.size(); ++i) {
    Post& post = *posts[i];
    if (errand.cancelled()) co_return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
    if (left(errand.until) <= std::chrono::milliseconds(0)) co_return too_late(errand.what);
    if (!post.breaker.enter()) {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(post.breaker.wait());
      last.retry_after_seconds =
          std::max(last.retry_after_seconds, std::max(1, static_cast<int>(wait.count())));
      continue;
    }
    const auto share = left(errand.until) / static_cast<int>(posts.size() - i);
    auto outcome = co_await ask<T>(post, i, options, errand, std::chrono::steady_clock::now() + share);
    if (outcome) {
      post.breaker.succeeded();
    } else if (is_our_fault(outcome.error()) || outcome.error().code == "llm_busy") {
      post.breaker.withdrew();
    } else {
      post.breaker.failed();
    }
    ++post.requests;
    if (!outcome) ++post.failures;
    errand.note(i, outcome);
    if (outcome || errand.spoke() || outcome.error().code == "cancelled") co_return outcome;
    last = std::move(outcome.error());
  }
  if (last.retry_after_seconds == 0 && last.kind == ErrorKind::unavailable) last.retry_after_seconds = 10;
  co_return Failure(std::move(last));
}

}  // namespace lumina::llm
