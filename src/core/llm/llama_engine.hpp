// A GGUF model in this process: one thread decodes, several prompts at once in one batch.
//
//   auto engine = LlamaEngine::load({.file = {.path = "model.gguf"}, .parallel = 4});
//   if (!engine) ...the old one keeps serving
//
// Prompts share the cells of one context: each reserves its tokens and those it may write, the next one waits
// until there is room. New prompts join while others are written (continuous batching). An aborted or late
// prompt stops within a few milliseconds, also while its prompt is read; the others go on. A grammar binds
// every token. Text of the prompt is never read as control words of the chat template.
//
// The thread runs at a lower priority than those that serve. Destroying the engine waits for the token at
// hand and fails what is left. Source: llama.cpp release `llama_release`, llama.h.
#pragma once
#include "core/llm/provider.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace lumina::llm {

struct LlamaOptions {
  std::string path;
  std::string library_folder;  // empty: see llama_library.hpp
  std::string sha256;          // wanted; empty: any
  int context = 0;   // tokens of all prompts together; 0: what the model was trained for, at most 8192
  int threads = 0;   // 0: half the cores
  int parallel = 4;  // prompts in one batch, 1 to 32
};

class LlamaEngine final : public Provider {
 public:
  // Blocks while the file is read. Error: unavailable "llm_unavailable" with a sentence.
  static Result<std::shared_ptr<LlamaEngine>> load(const LlamaOptions& options);
  ~LlamaEngine() override;
  LlamaEngine(const LlamaEngine&) = delete;
  LlamaEngine& operator=(const LlamaEngine&) = delete;

  Task<Result<Generated>> generate(std::shared_ptr<const Prompt> prompt, OnToken on_token,
                                   std::chrono::milliseconds time) override;
  std::string model() const override;
  ProviderStatus status() const override;
  int parallel() const override;
  bool worth_retrying() const override { return false; }

 private:
  class Worker;
  explicit LlamaEngine(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace lumina::llm
