// Several providers as one model: who is asked, in which order, how often, and for how long.
//
//   auto chain = std::make_shared<Chain>(std::move(providers), options, figures);
//   auto written = co_await chain->generate(std::move(prompt));
//
// The providers are asked in order, as relay.hpp says: as many prompts at once as each can work on, the rest
// waits, interactive prompts before bulk ones. A call gets at most `timeout` and the prompt's own budget,
// waiting and retries included. A provider fails over only before its first piece went out.
//
// `allowed` is asked first and may refuse for the sake of a budget; `finished` hears of every call that
// reached a provider, on any thread. Both must be quick and must not throw. Metrics:
// luminalib_llm_requests_total{provider,outcome}, luminalib_llm_tokens_total{kind},
// luminalib_llm_request_duration_seconds, luminalib_llm_first_token_seconds,
// luminalib_llm_circuit_open{provider}, luminalib_llm_queue{lane}.
#pragma once
#include "core/llm/provider.hpp"
#include "core/llm/relay.hpp"
#include "core/telemetry/metrics.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace lumina::llm {

// What a call came to, for those who count.
struct Spent {
  std::string task, provider, model;
  std::int64_t user_id = 0;
  bool succeeded = false;
  int prompt_tokens = 0, completion_tokens = 0;
  std::chrono::milliseconds took{0};
};

struct ChainOptions : RelayOptions {
  std::function<Status(const Prompt&)> allowed{};
  std::function<void(const Spent&)> finished{};
};

// The series in the registry, made once for all chains that follow each other on reloads.
class ChainMetrics {
 public:
  explicit ChainMetrics(metrics::Registry& registry);
  void ended(const std::string& provider, std::string_view outcome);
  void wrote(const Generated& written);
  void first_token(std::chrono::nanoseconds after) { first_token_.observe(after); }

 private:
  metrics::Registry& registry_;
  metrics::Counter &prompt_tokens_, &completion_tokens_;
  metrics::Histogram &duration_, &first_token_;
};

class Chain final : public LanguageModel, public std::enable_shared_from_this<Chain> {
 public:
  // `metrics` may be null. Without providers it answers as NoModel does.
  Chain(std::vector<std::shared_ptr<Provider>> providers, ChainOptions options, ChainMetrics* metrics);

  Task<Result<Generated>> generate(Prompt prompt, OnToken on_token = {}) override;
  bool configured() const override { return !links_.empty(); }
  std::string model() const override;
  ModelStatus status() const override;
  // Turns away who waits; those who are served are served.
  void stop();
  // Also ends what is being written, at the next token. Before the io_contexts end.
  void abandon();

 private:
  struct Link : Post {
    Link(std::shared_ptr<Provider> p, const ChainOptions& o)
        : Post(p->parallel(), p->worth_retrying(), o), provider(std::move(p)) {}
    std::shared_ptr<Provider> provider;
  };
  using Instant = std::chrono::steady_clock::time_point;
  struct Call;

  Task<Result<Generated>> run(std::shared_ptr<Call> call);
  Task<Result<Generated>> attempt(Link& link, std::shared_ptr<Call> call, std::chrono::milliseconds time);
  void note(Link& link, const Call& call, const Result<Generated>& outcome);

  const ChainOptions options_;
  ChainMetrics* const metrics_;
  std::vector<std::unique_ptr<Link>> links_;
  std::atomic<bool> abandoned_{false};
};

}  // namespace lumina::llm
