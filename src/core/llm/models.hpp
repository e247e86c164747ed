// The models that the settings ask for, and their exchange while the server runs.
//
//   llm::Models models(config, registry, {.allowed = ..., .finished = ...});
//   models.language().generate(...);  models.embedder().embed(...);
//   models.reload(fresh);             // SIGHUP
//
// At start a model file that cannot be used leaves its provider unavailable, with the reason in status(); the
// server runs. On a reload such a file changes nothing: what served goes on serving, and the log says why.
// Calls that are under way end on the models with which they began. language() and embedder() stay the same
// objects for the life of this one. Thread-safe.
#pragma once
#include "core/config/config.hpp"
#include "core/llm/chain.hpp"
#include "core/llm/embed_chain.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lumina::llm {

struct ModelHooks {
  std::function<Status(const Prompt&)> allowed{};
  std::function<void(const Spent&)> finished{};
};

class Models {
 public:
  Models(const config::Config& config, metrics::Registry& registry, ModelHooks hooks);
  ~Models();
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  LanguageModel& language() { return language_; }
  Embedder& embedder() { return embedder_; }
  // Blocks while a model file is read. What was wrong, when something was; then nothing has changed.
  Status reload(const config::Config& fresh);
  // Turns away who waits and ends what is being written; before the io_contexts end.
  void stop();
  // Called after models were exchanged. At start-up only.
  void when_exchanged(std::function<void()> then) { exchanged_ = std::move(then); }

 private:
  class Language final : public LanguageModel {
   public:
    Task<Result<Generated>> generate(Prompt prompt, OnToken on_token = {}) override;
    bool configured() const override { return now()->configured(); }
    std::string model() const override { return now()->model(); }
    ModelStatus status() const override { return now()->status(); }
    std::shared_ptr<Chain> now() const;
    void use(std::shared_ptr<Chain> chain);

   private:
    mutable std::mutex mutex_;
    std::shared_ptr<Chain> chain_;
  };
  class Embeddings final : public Embedder {
   public:
    Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call = {}) override;
    bool configured() const override { return now()->configured(); }
    std::string model() const override { return now()->model(); }
    std::size_t dimensions() const override { return now()->dimensions(); }
    ModelStatus status() const override { return now()->status(); }
    std::shared_ptr<EmbedChain> now() const;
    void use(std::shared_ptr<EmbedChain> chain);

   private:
    mutable std::mutex mutex_;
    std::shared_ptr<EmbedChain> chain_;
  };
  struct Built;
  Built build(const config::Config& config, bool first) const;

  const ModelHooks hooks_;
  const std::unique_ptr<ChainMetrics> metrics_;
  const std::unique_ptr<EmbedMetrics> embed_metrics_;
  std::mutex reloading_;
  config::Config config_;
  std::string files_;  // what the model files were when they were read
  Language language_;
  Embeddings embedder_;
  std::function<void()> exchanged_;
};

}  // namespace lumina::llm
