// Text to vectors: an embedding model in this process or behind a server.
//
//   if (embedder.configured()) auto vectors = co_await embedder.embed({"passage: ...", "passage: ..."});
//
// One vector a text, in order, of `dimensions()` numbers and length 1. Texts longer than the model's context
// are cut at its end. At most `most_texts` a call, within the call's budget, waiting included. Errors as in
// language_model.hpp: unavailable with
// "llm_not_configured", "llm_busy", "llm_timeout", "llm_unavailable"; refused with "llm_refused". An answer
// with the wrong number of vectors, uneven lengths or numbers that are none is a failure. Any thread.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/llm/language_model.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace lumina::llm {

inline constexpr std::size_t most_texts = 256;

using Vectors = std::vector<std::vector<float>>;

// Who waits for the vectors, and how long at most.
struct EmbedCall {
  Lane lane = Lane::interactive;
  std::chrono::milliseconds budget{30'000};
};

class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call = {}) = 0;
  virtual bool configured() const = 0;
  // Names the vectors: those of different models must not be compared. Empty without one.
  virtual std::string model() const = 0;
  // 0 until the first answer of a server.
  virtual std::size_t dimensions() const = 0;
  // Of one provider a line without figures; of a chain all of it.
  virtual ModelStatus status() const = 0;
};

class NoEmbedder final : public Embedder {
 public:
  Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call) override;
  bool configured() const override { return false; }
  std::string model() const override { return {}; }
  std::size_t dimensions() const override { return 0; }
  ModelStatus status() const override { return {}; }
};

}  // namespace lumina::llm
