#include "core/llm/models.hpp"

#include "core/llm/llama_embedder.hpp"
#include "core/llm/llama_engine.hpp"
#include "core/llm/remote.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <tuple>

namespace lumina::llm {
namespace {

using config::EmbedProvider;
using config::LlmProvider;

Failure unavailable(std::string detail) {
  return Failure(Error{ErrorKind::unavailable, "llm_unavailable", std::move(detail), {}, 60});
}

// A model file that could not be used at start.
class BrokenProvider final : public Provider {
 public:
  BrokenProvider(std::string path, std::string why) : path_(std::move(path)), why_(std::move(why)) {}
  Task<Result<Generated>> generate(std::shared_ptr<const Prompt>, OnToken,
                                   std::chrono::milliseconds) override {
    co_return unavailable("The language model could not be loaded");
  }
  std::string model() const override { return std::filesystem::path(path_).stem().string(); }
  ProviderStatus status() const override {
    ProviderStatus status;
    status.provider = "llama";
    status.model = model();
    status.path = path_;
    status.detail = why_;
    return status;
  }
  int parallel() const override { return 1; }
  bool worth_retrying() const override { return false; }

 private:
  const std::string path_, why_;
};

class BrokenEmbedder final : public Embedder {
 public:
  BrokenEmbedder(std::string path, std::string why) : path_(std::move(path)), why_(std::move(why)) {}
  Task<Result<Vectors>> embed(std::vector<std::string>, EmbedCall) override {
    co_return unavailable("The embedding model could not be loaded");
  }
  bool configured() const override { return true; }
  std::string model() const override { return std::filesystem::path(path_).stem().string(); }
  std::size_t dimensions() const override { return 0; }
  ModelStatus status() const override {
    ProviderStatus one;
    one.provider = "llama";
    one.model = model();
    one.path = path_;
    one.detail = why_;
    ModelStatus out;
    out.providers.push_back(std::move(one));
    return out;
  }

 private:
  const std::string path_, why_;
};

// "http://a:11434 http://b:11434": servers of one model.
std::vector<std::string> servers_of(const std::string& urls) {
  std::vector<std::string> all;
  std::istringstream in(urls);
  for (std::string one; in >> one;) all.push_back(std::move(one));
  if (all.empty()) all.emplace_back();
  return all;
}

LlamaOptions llama_options(const config::Config& c, const std::string& path, const std::string& sha256) {
  LlamaOptions options;
  options.path = path;
  options.library_folder = c.llm_library_dir;
  options.sha256 = sha256;
  options.context = static_cast<int>(c.llm_context);
  options.threads = static_cast<int>(c.llm_threads);
  options.parallel = static_cast<int>(c.llm_parallel);
  return options;
}

std::optional<Wire> wire_of(int provider) {
  switch (provider) {
    case static_cast<int>(LlmProvider::ollama):
      return Wire::ollama;
    case static_cast<int>(LlmProvider::openai):
      return Wire::openai;
    case static_cast<int>(LlmProvider::huggingface):
      return Wire::huggingface;
    default:
      return {};
  }
}
static_assert(static_cast<int>(LlmProvider::ollama) == static_cast<int>(EmbedProvider::ollama) &&
              static_cast<int>(LlmProvider::openai) == static_cast<int>(EmbedProvider::openai) &&
              static_cast<int>(LlmProvider::huggingface) == static_cast<int>(EmbedProvider::huggingface));

// Says whether a model file is still the one that was read.
std::string state_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  const auto time = std::filesystem::last_write_time(path, error);
  return error ? std::string{} : fmt::format("{} {} {};", path, size, time.time_since_epoch().count());
}
std::string state_of_files(const config::Config& c) {
  std::string out;
  if (c.llm_provider == LlmProvider::llama) out += state_of(c.llm_model);
  if (c.llm_fallback_provider == LlmProvider::llama) out += state_of(c.llm_fallback_model);
  if (c.embed_provider == EmbedProvider::llama) out += state_of(c.embed_model);
  return out;
}

bool same_models(const config::Config& a, const config::Config& b) {
  const auto of = [](const config::Config& c) {
    return std::tuple(c.llm_provider, c.llm_base_url, c.llm_model, c.llm_api_key, c.llm_timeout,
                      c.llm_ca_file, c.llm_fallback_provider, c.llm_fallback_base_url, c.llm_fallback_model,
                      c.llm_fallback_api_key, c.llm_model_sha256, c.llm_threads, c.llm_context,
                      c.llm_parallel, c.embed_provider, c.embed_base_url, c.embed_model, c.embed_api_key);
  };
  return of(a) == of(b);
}

}  // namespace

struct Models::Built {
  std::shared_ptr<Chain> chain;
  std::shared_ptr<EmbedChain> embedder;
  std::vector<std::string> faults;
};

Models::Built Models::build(const config::Config& c, bool first) const {
  Built built;
  std::vector<std::shared_ptr<Provider>> providers;
  const auto add = [&](LlmProvider kind, Server server, const std::string& sha256) {
    if (kind == LlmProvider::none) return;
    if (const auto wire = wire_of(static_cast<int>(kind))) {
      server.wire = *wire;
      providers.push_back(std::make_shared<RemoteProvider>(std::move(server),
                                                           static_cast<int>(c.llm_parallel), c.llm_ca_file));
      return;
    }
    auto engine = LlamaEngine::load(llama_options(c, server.model, sha256));
    if (engine) {
      providers.push_back(std::move(*engine));
      return;
    }
    built.faults.push_back(engine.error().detail);
    if (first) providers.push_back(std::make_shared<BrokenProvider>(server.model, engine.error().detail));
  };
  add(c.llm_provider, {.base_url = c.llm_base_url, .model = c.llm_model, .api_key = c.llm_api_key},
      c.llm_model_sha256);
  add(c.llm_fallback_provider,
      {.base_url = c.llm_fallback_base_url, .model = c.llm_fallback_model, .api_key = c.llm_fallback_api_key},
      {});
  ChainOptions options;
  options.timeout = std::chrono::seconds(c.llm_timeout);
  options.allowed = hooks_.allowed;
  options.finished = hooks_.finished;
  built.chain = std::make_shared<Chain>(std::move(providers), std::move(options), metrics_.get());

  std::vector<std::shared_ptr<Embedder>> embedders;
  if (const auto wire = wire_of(static_cast<int>(c.embed_provider))) {
    for (auto& url : servers_of(c.embed_base_url))
      embedders.push_back(
          std::make_shared<RemoteEmbedder>(Server{*wire, std::move(url), c.embed_model, c.embed_api_key},
                                           std::chrono::seconds(c.llm_timeout), c.llm_ca_file));
  } else if (c.embed_provider == EmbedProvider::llama) {
    auto options_of_file = llama_options(c, c.embed_model, {});
    options_of_file.context = 0;
    if (auto loaded = LlamaEmbedder::load(options_of_file)) {
      embedders.push_back(std::move(*loaded));
    } else {
      built.faults.push_back(loaded.error().detail);
      embedders.push_back(std::make_shared<BrokenEmbedder>(c.embed_model, loaded.error().detail));
    }
  }
  EmbedOptions embedding;
  embedding.timeout = std::chrono::seconds(c.llm_timeout);
  built.embedder =
      std::make_shared<EmbedChain>(std::move(embedders), std::move(embedding), embed_metrics_.get());
  return built;
}

Models::Models(const config::Config& config, metrics::Registry& registry, ModelHooks hooks)
    : hooks_(std::move(hooks)),
      metrics_(std::make_unique<ChainMetrics>(registry)),
      embed_metrics_(std::make_unique<EmbedMetrics>(registry)),
      config_(config),
      files_(state_of_files(config)) {
  auto built = build(config, true);
  for (const auto& fault : built.faults) log::warn("a model is not available", {{"why", fault}});
  language_.use(std::move(built.chain));
  embedder_.use(std::move(built.embedder));
  const auto gauge = [&](std::string_view lane, std::int64_t ModelStatus::* field) {
    registry.gauge("luminalib_llm_queue", "Prompts that wait.", {{"lane", std::string(lane)}},
                   [this, field] { return static_cast<double>(language_.status().*field); });
  };
  gauge("interactive", &ModelStatus::waiting_interactive);
  gauge("bulk", &ModelStatus::waiting_bulk);
  for (const std::string provider : {"llama", "ollama", "openai", "huggingface"})
    registry.gauge("luminalib_llm_circuit_open",
                   "1 while a provider that failed again and again is left alone.", {{"provider", provider}},
                   [this, provider] {
                     for (const auto& each : language_.status().providers)
                       if (each.provider == provider) return each.circuit == Circuit::open ? 1.0 : 0.0;
                     return 0.0;
                   });
  for (const std::string provider : {"llama", "ollama", "openai", "huggingface"})
    registry.gauge("luminalib_embed_circuit_open",
                   "1 while an embedding provider that failed again and again is left alone.",
                   {{"provider", provider}}, [this, provider] {
                     for (const auto& each : embedder_.status().providers)
                       if (each.provider == provider && each.circuit == Circuit::open) return 1.0;
                     return 0.0;
                   });
}

Models::~Models() { stop(); }

Status Models::reload(const config::Config& fresh) {
  const std::scoped_lock lock(reloading_);
  const auto files = state_of_files(fresh);
  if (same_models(config_, fresh) && files == files_) return {};
  Built built;
  try {
    built = build(fresh, false);
  } catch (const std::runtime_error& e) {
    built.faults.emplace_back(e.what());
  }
  if (!built.faults.empty()) {
    for (const auto& fault : built.faults)
      log::warn("the models were not exchanged; the old ones go on serving", {{"why", fault}});
    return unavailable(built.faults.front());
  }
  config_ = fresh;
  files_ = files;
  const auto old = language_.now();
  const auto old_embedder = embedder_.now();
  language_.use(std::move(built.chain));
  embedder_.use(std::move(built.embedder));
  old->stop();
  old_embedder->stop();
  log::info("the models were exchanged", {{"model", language_.model()}});
  if (exchanged_) exchanged_();
  return {};
}

void Models::stop() {
  language_.now()->abandon();
  embedder_.now()->stop();
}

std::shared_ptr<Chain> Models::Language::now() const {
  const std::scoped_lock lock(mutex_);
  return chain_;
}
void Models::Language::use(std::shared_ptr<Chain> chain) {
  const std::scoped_lock lock(mutex_);
  chain_.swap(chain);
}
Task<Result<Generated>> Models::Language::generate(Prompt prompt, OnToken on_token) {
  const auto held = now();  // a reload may let go of it meanwhile
  co_return co_await held->generate(std::move(prompt), std::move(on_token));
}
std::shared_ptr<EmbedChain> Models::Embeddings::now() const {
  const std::scoped_lock lock(mutex_);
  return chain_;
}
void Models::Embeddings::use(std::shared_ptr<EmbedChain> chain) {
  const std::scoped_lock lock(mutex_);
  chain_.swap(chain);
}
Task<Result<Vectors>> Models::Embeddings::embed(std::vector<std::string> texts, EmbedCall call) {
  const auto held = now();  // a reload may let go of it meanwhile
  co_return co_await held->embed(std::move(texts), call);
}

}  // namespace lumina::llm
