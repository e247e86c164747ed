// Language models and embeddings behind HTTP (wire.hpp). One connection a call; TLS verified; redirects are
// not followed, so the key goes to the configured origin only. What a server answers is never logged and
// never shown, its status is.
#pragma once
#include "core/http/client.hpp"
#include "core/llm/embedder.hpp"
#include "core/llm/provider.hpp"
#include "core/llm/wire.hpp"

#include <atomic>

namespace lumina::llm {

// An answer of a model is a few kilobytes, one of 256 vectors some megabytes.
inline constexpr std::uint64_t most_chat_bytes = 8 << 20, most_embedding_bytes = 64 << 20;

class RemoteProvider final : public Provider {
 public:
  // Throws std::runtime_error when ca_file cannot be read.
  RemoteProvider(Server server, int parallel, const std::string& ca_file);

  Task<Result<Generated>> generate(std::shared_ptr<const Prompt> prompt, OnToken on_token,
                                   std::chrono::milliseconds time) override;
  std::string model() const override { return server_.model; }
  ProviderStatus status() const override;
  int parallel() const override { return parallel_; }
  bool worth_retrying() const override { return true; }

 private:
  const Server server_;
  const int parallel_;
  const http::Client client_;
};

class RemoteEmbedder final : public Embedder {
 public:
  RemoteEmbedder(Server server, std::chrono::milliseconds timeout, const std::string& ca_file);

  Task<Result<Vectors>> embed(std::vector<std::string> texts, EmbedCall call = {}) override;
  bool configured() const override { return true; }
  std::string model() const override { return server_.model; }
  std::size_t dimensions() const override { return dimensions_; }
  ModelStatus status() const override;

 private:
  const Server server_;
  const std::chrono::milliseconds timeout_;
  const http::Client client_;
  std::atomic<std::size_t> dimensions_{0};
};

}  // namespace lumina::llm
