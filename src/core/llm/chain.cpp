#include "core/llm/chain.hpp"

#include "core/base/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <random>

namespace lumina::llm {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, IoExecutor>;

Milliseconds left(Clock::time_point until) {
  return std::chrono::duration_cast<Milliseconds>(until - Clock::now());
}

Failure unavailable(std::string code, std::string detail, int seconds) {
  return Failure(Error{ErrorKind::unavailable, std::move(code), std::move(detail), {}, seconds});
}
Failure too_late() { return unavailable("llm_timeout", "The language model did not answer in time", 10); }

// What the request itself is the cause of: the provider is not worse for it.
bool is_our_fault(const Error& error) {
  return error.code == "cancelled" || error.code == "prompt_too_long" || error.code == "bad_grammar" ||
         error.code == "llm_refused";
}

// Longer for each attempt, and not the same for everybody who was turned away at once.
Milliseconds pause_before(int attempt, Milliseconds first) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto whole = first * (1 << (attempt - 1));
  return whole * (80 + static_cast<int>(random() % 41)) / 100;
}

Task<void> rest(Milliseconds time) {
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(time);
  constexpr auto as_result = asio::as_tuple(asio::use_awaitable_t<IoExecutor>{});
  const auto ignored = co_await timer.async_wait(as_result);
  (void)ignored;
}

}  // namespace

struct Chain::Call {
  std::shared_ptr<const Prompt> prompt;
  OnToken listener;
  Instant began, until;
  // Something went out to the caller; a first piece came; the call has ended.
  std::atomic<bool> spoke{false}, heard{false}, over{false};

  bool cancelled() const { return prompt->cancelled && prompt->cancelled->load(); }
};

ChainMetrics::ChainMetrics(metrics::Registry& registry)
    : registry_(registry),
      prompt_tokens_(
          registry.counter("luminalib_llm_tokens_total", "Tokens of language models.", {{"kind", "prompt"}})),
      completion_tokens_(registry.counter("luminalib_llm_tokens_total", "Tokens of language models.",
                                          {{"kind", "completion"}})),
      duration_(registry.histogram("luminalib_llm_request_duration_seconds",
                                   "From a prompt to the end of its answer, waiting included.",
                                   std::vector<double>{0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60})),
      first_token_(registry.histogram("luminalib_llm_first_token_seconds",
                                      "From a prompt to the first piece of its answer.",
                                      std::vector<double>{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30})) {
  for (const auto* outcome : {"success", "failure"})
    registry.counter("luminalib_llm_requests_total", "Calls of language models.",
                     {{"provider", "none"}, {"outcome", outcome}}, metrics::Show::always);
}

void ChainMetrics::ended(const std::string& provider, std::string_view outcome) {
  registry_
      .counter("luminalib_llm_requests_total", "Calls of language models.",
               {{"provider", provider}, {"outcome", std::string(outcome)}})
      .add();
}

void ChainMetrics::wrote(const Generated& written) {
  prompt_tokens_.add(static_cast<std::uint64_t>(std::max(0, written.prompt_tokens)));
  completion_tokens_.add(static_cast<std::uint64_t>(std::max(0, written.completion_tokens)));
  duration_.observe(std::chrono::nanoseconds(written.took));
}

Chain::Chain(std::vector<std::shared_ptr<Provider>> providers, ChainOptions options, ChainMetrics* metrics)
    : options_(std::move(options)), metrics_(metrics) {
  for (auto& provider : providers) links_.push_back(std::make_unique<Link>(std::move(provider), options_));
}

std::string Chain::model() const {
  return links_.empty() ? std::string{} : links_.front()->provider->model();
}

Task<Result<Generated>> Chain::generate(Prompt prompt, OnToken on_token) {
  if (options_.allowed)
    if (auto allowed = options_.allowed(prompt); !allowed) co_return Failure(std::move(allowed.error()));
  const auto self = shared_from_this();  // a reload may let go of the chain meanwhile
  auto call = std::make_shared<Call>();
  call->began = Clock::now();
  call->until = call->began + std::clamp(prompt.budget, Milliseconds(1), options_.timeout);
  call->prompt = std::make_shared<const Prompt>(std::move(prompt));
  // One place that sees every piece: notes the first, and hears nothing after the end.
  call->listener = [this, weak = std::weak_ptr(call),
                    on_token = std::move(on_token)](std::string_view piece) {
    const auto alive = weak.lock();  // while it is, so is the chain
    if (!alive || alive->over.load() || abandoned_.load()) return false;
    if (alive->cancelled()) return false;
    if (!alive->spoke.exchange(static_cast<bool>(on_token)) && metrics_ && !alive->heard.exchange(true))
      metrics_->first_token(Clock::now() - alive->began);
    return !on_token || on_token(piece);
  };
  auto outcome = co_await self->run(call);
  call->over = true;
  co_return outcome;
}

Task<Result<Generated>> Chain::run(std::shared_ptr<Call> call) {
  if (links_.empty()) co_return unavailable("llm_not_configured", "No language model is configured", 3600);
  Error last{
      ErrorKind::unavailable, "llm_unavailable", "No language model can be reached at the moment", {}, 0};
  for (std::size_t i = 0; i < links_.size(); ++i) {
    Link& link = *links_[i];
    if (call->cancelled()) co_return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
    if (left(call->until) <= Milliseconds(0)) co_return too_late();
    if (!link.breaker.enter()) {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(link.breaker.wait());
      last.retry_after_seconds =
          std::max(last.retry_after_seconds, std::max(1, static_cast<int>(wait.count())));
      continue;
    }
    const auto share = left(call->until) / static_cast<int>(links_.size() - i);
    auto outcome = co_await ask(link, call, Clock::now() + share);
    if (outcome) {
      link.breaker.succeeded();
    } else if (is_our_fault(outcome.error()) || outcome.error().code == "llm_busy") {
      link.breaker.withdrew();
    } else {
      link.breaker.failed();
    }
    note(link, *call, outcome);
    if (outcome || call->spoke || outcome.error().code == "cancelled") co_return outcome;
    last = std::move(outcome.error());
  }
  if (last.retry_after_seconds == 0 && last.kind == ErrorKind::unavailable) last.retry_after_seconds = 10;
  co_return Failure(std::move(last));
}

Task<Result<Generated>> Chain::ask(Link& link, std::shared_ptr<Call> call, Instant until) {
  auto place = co_await link.door->enter(call->prompt->lane, until);
  if (!place) co_return Failure(std::move(place.error()));
  for (int attempt = 1;; ++attempt) {
    const auto time = left(until);
    if (time <= Milliseconds(0)) co_return too_late();
    auto outcome = co_await link.provider->generate(call->prompt, call->listener, time);
    if (outcome) {
      if (trim(outcome->text).empty() || !is_valid_utf8(outcome->text))
        outcome = unavailable("llm_unavailable", "The language model gave no usable answer", 0);
      else
        outcome->took = std::chrono::duration_cast<Milliseconds>(Clock::now() - call->began);
    }
    if (outcome || call->spoke || is_our_fault(outcome.error()) || attempt >= options_.attempts ||
        !link.provider->worth_retrying())
      co_return outcome;
    if (outcome.error().code == "timeout" || outcome.error().code == "llm_timeout") co_return too_late();
    const auto wait = std::max(pause_before(attempt, options_.pause),
                               Milliseconds(std::chrono::seconds(outcome.error().retry_after_seconds)));
    if (wait >= left(until)) co_return outcome;
    co_await rest(wait);
    if (call->cancelled()) co_return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
  }
}

void Chain::note(Link& link, const Call& call, const Result<Generated>& outcome) {
  ++link.requests;
  if (!outcome) ++link.failures;
  const auto status = link.provider->status();
  if (metrics_) {
    metrics_->ended(status.provider,
                    outcome                                                                      ? "success"
                    : outcome.error().code == "cancelled"                                        ? "cancelled"
                    : outcome.error().code == "llm_busy"                                         ? "busy"
                    : outcome.error().code == "llm_timeout" || outcome.error().code == "timeout" ? "timeout"
                                                                                                 : "failure");
    if (outcome) metrics_->wrote(*outcome);
  }
  if (!options_.finished) return;
  Spent spent{.task = call.prompt->task, .provider = status.provider, .model = status.model};
  spent.user_id = call.prompt->user_id;
  spent.succeeded = outcome.has_value();
  if (outcome) {
    spent.prompt_tokens = outcome->prompt_tokens;
    spent.completion_tokens = outcome->completion_tokens;
  }
  spent.took = std::chrono::duration_cast<Milliseconds>(Clock::now() - call.began);
  options_.finished(spent);
}

ModelStatus Chain::status() const {
  ModelStatus out;
  for (const auto& link : links_) {
    auto one = link->provider->status();
    one.circuit = link->breaker.state();
    one.failures_in_a_row = link->breaker.failures();
    one.requests = link->requests;
    one.failures = link->failures;
    if (one.circuit == Circuit::open) {
      one.available = false;
      if (one.detail.empty()) one.detail = "it failed again and again and is left alone for a while";
    }
    const auto door = link->door->figures();
    one.running = static_cast<std::int64_t>(door.running);
    out.running += one.running;
    out.waiting_interactive += static_cast<std::int64_t>(door.interactive);
    out.waiting_bulk += static_cast<std::int64_t>(door.bulk);
    out.queue_limit += static_cast<std::int64_t>(door.queue);
    out.providers.push_back(std::move(one));
  }
  return out;
}

void Chain::abandon() {
  abandoned_ = true;
  stop();
}

void Chain::stop() {
  for (const auto& link : links_) link->door->stop();
}

}  // namespace lumina::llm
