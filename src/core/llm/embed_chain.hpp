// Several embedders as one: batches, waiting, retries and fail-over.
//
//   EmbedChain chain(std::move(embedders), options, figures);
//   auto vectors = co_await chain.embed(texts, {.lane = Lane::bulk});
//
// All of them must be one model (other servers of it, say): vectors of different models cannot be compared,
// so the chain bears the name of the first, and an answer of another length than what is known counts as a
// failure of its embedder, unless it is the first one, whose model was exchanged behind its name then.
// Who is asked, and how often: relay.hpp. Texts go out in batches of `batch`, one after the other; a call
// gets at most `timeout` and its own budget for all of them, and gives all vectors or an error. Metrics:
// luminalib_embed_requests_total{provider,outcome}, luminalib_embed_texts_total,
// luminalib_embed_request_duration_seconds.
#pragma once
#include "core/llm/embedder.hpp"
#include "core/llm/relay.hpp"
#include "core/telemetry/metrics.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace lumina::llm {

struct EmbedOptions : RelayOptions {
  std::size_t batch = 32;  // texts, 1..most_texts
  int parallel = 2;        // batches at one embedder at once
};

// The series in the registry, made once for all chains that follow each other on reloads.
class EmbedMetrics {
 public:
  explicit EmbedMetrics(metrics::Registry& registry);
  void ended(const std::string& provider, std::string_view outcome);
  void made(std::size_t texts, std::chrono::nanoseconds took);

 private:
  metrics::Registry& registry_;
  metrics::Counter& texts_;
  metrics::Histogram& duration_;
};

class EmbedChain final : public Embedder, public std::enable_shared_from_this<EmbedChain> {
 public:
  // `metrics` may be null. Without embedders it answers as NoEmbedder does.
  EmbedChain(std::vector<std::shared_ptr<Embedder>> embedders, EmbedOptions options, EmbedMetrics* metrics);

  Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call = {}) override;
  bool configured() const override { return !links_.empty(); }
  std::string model() const override;
  std::size_t dimensions() const override;
  ModelStatus status() const override;
  // Turns away who waits; those who are served are served.
  void stop();

 private:
  struct Link : Post {
    Link(std::shared_ptr<Embedder> e, const EmbedOptions& o);
    std::shared_ptr<Embedder> embedder;
  };
  Task<Result<Vectors>> run(std::shared_ptr<const std::vector<std::string>> texts, Lane lane,
                            std::chrono::steady_clock::time_point until);
  Task<Result<Vectors>> attempt(std::size_t number, std::shared_ptr<const std::vector<std::string>> texts,
                                EmbedCall call);

  const EmbedOptions options_;
  EmbedMetrics* const metrics_;
  std::vector<std::unique_ptr<Link>> links_;
  std::atomic<std::size_t> dimensions_{0};
};

}  // namespace lumina::llm
