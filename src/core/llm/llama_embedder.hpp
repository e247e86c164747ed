// Vectors from a GGUF file in this process: an embedding model (BERT and its kin), or the mean of what a
// language model makes of the tokens. One text after the other on a thread of its own, at a lower priority
// than those that serve.
#pragma once
#include "core/llm/embedder.hpp"
#include "core/llm/llama_engine.hpp"

#include <memory>

namespace lumina::llm {

class LlamaEmbedder final : public Embedder {
 public:
  // Blocks while the file is read. `parallel` of the options has no meaning here.
  static Result<std::shared_ptr<LlamaEmbedder>> load(const LlamaOptions& options);
  ~LlamaEmbedder() override;
  LlamaEmbedder(const LlamaEmbedder&) = delete;
  LlamaEmbedder& operator=(const LlamaEmbedder&) = delete;

  Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call = {}) override;
  bool configured() const override { return true; }
  std::string model() const override;
  std::size_t dimensions() const override;
  ModelStatus status() const override;

 private:
  struct State;
  explicit LlamaEmbedder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lumina::llm
