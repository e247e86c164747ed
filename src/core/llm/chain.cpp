#include "core/llm/chain.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::llm {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

const std::string what = "language model";

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
  Errand<Generated> errand;
  errand.what = what;
  errand.lane = call->prompt->lane;
  errand.until = call->until;
  errand.cancelled = [call] { return call->cancelled(); };
  errand.spoke = [call] { return call->spoke.load(); };
  errand.attempt = [this, call](std::size_t number, Milliseconds time) {
    return attempt(*links_[number], call, time);
  };
  errand.note = [this, call](std::size_t number, const Result<Generated>& outcome) {
    note(*links_[number], *call, outcome);
  };
  std::vector<Post*> posts;
  for (const auto& link : links_) posts.push_back(link.get());
  co_return co_await in_turn<Generated>(posts, options_, errand);
}

Task<Result<Generated>> Chain::attempt(Link& link, std::shared_ptr<Call> call, Milliseconds time) {
  auto outcome = co_await link.provider->generate(call->prompt, call->listener, time);
  if (outcome && (trim(outcome->text).empty() || !is_valid_utf8(outcome->text)))
    co_return Failure(
        Error{ErrorKind::unavailable, "llm_unavailable", "The language model gave no usable answer", {}, 0});
  if (outcome) outcome->took = std::chrono::duration_cast<Milliseconds>(Clock::now() - call->began);
  co_return outcome;
}

void Chain::note(Link& link, const Call& call, const Result<Generated>& outcome) {
  const auto status = link.provider->status();
  if (metrics_) {
    metrics_->ended(status.provider, outcome ? "success" : outcome_name(outcome.error()));
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
    link->show(one, out);
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
