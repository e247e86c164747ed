#include "core/llm/llama_embedder.hpp"

#include "core/llm/llama_library.hpp"
#include "core/llm/wire.hpp"
#include "core/runtime/pool.hpp"
#include "core/runtime/run_on.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::llm {
namespace {

using Vector = std::vector<float>;

constexpr int most_context = 2048;

Failure broken(std::string detail) {
  return Failure(Error{ErrorKind::unavailable, "llm_unavailable", std::move(detail), {}, 0});
}

}  // namespace

struct LlamaEmbedder::State {
  State(std::shared_ptr<const LlamaModel> m, llama_context* c)
      : model(std::move(m)),
        library(model->library()),
        context(c),
        batch(library.batch_init(capacity(), 0, 1)) {}
  ~State() {
    pool.stop();
    library.batch_free(batch);
    library.free(context);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  int capacity() const { return static_cast<int>(library.n_ctx(context)); }

  Result<Vector> vector_of(const std::string& text) {
    auto tokens = model->tokens_of(text, true, false);
    tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(capacity())));
    if (tokens.empty()) tokens = model->tokens_of(" ", true, false);
    if (tokens.empty()) return broken("The embedding model knows no such text");
    batch.n_tokens = static_cast<std::int32_t>(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      batch.token[i] = tokens[i];
      batch.pos[i] = static_cast<llama_pos>(i);
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    const bool encodes = library.model_has_encoder(model->get()) && !library.model_has_decoder(model->get());
    int outcome = -1;
    try {
      if (!encodes) library.memory_clear(library.get_memory(context), true);
      outcome = encodes ? library.encode(context, batch) : library.decode(context, batch);
    } catch (const std::exception& e) {
      log::warn("the embedding model threw", {{"what", std::string_view(e.what())}});
    }
    const float* numbers = outcome == 0 ? library.get_embeddings_seq(context, 0) : nullptr;
    if (numbers == nullptr) return broken("The embedding model failed");
    Vector vector(numbers, numbers + library.model_n_embd(model->get()));
    if (!normalize(vector)) return broken("The embedding model failed");
    return vector;
  }

  const std::shared_ptr<const LlamaModel> model;
  const LlamaLibrary& library;
  llama_context* const context;
  llama_batch batch;
  runtime::Pool pool{"embed", 1, 64};
};

LlamaEmbedder::LlamaEmbedder(std::unique_ptr<State> state) : state_(std::move(state)) {}
LlamaEmbedder::~LlamaEmbedder() = default;

Result<std::shared_ptr<LlamaEmbedder>> LlamaEmbedder::load(const LlamaOptions& options) {
  auto loaded = LlamaModel::load({options.path, options.library_folder, options.sha256});
  if (!loaded) return Failure(std::move(loaded.error()));
  const auto& model = *loaded;
  const auto& library = model->library();
  auto parameters = library.context_default_params();
  parameters.n_ctx = static_cast<std::uint32_t>(
      options.context > 0 ? options.context
                          : std::clamp(library.model_n_ctx_train(model->get()), 64, most_context));
  parameters.n_batch = parameters.n_ctx;  // an encoder reads a text in one go
  parameters.n_ubatch = parameters.n_ctx;
  parameters.n_seq_max = 1;
  parameters.embeddings = true;
  parameters.no_perf = true;
  parameters.n_threads = options.threads > 0
                             ? options.threads
                             : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
  parameters.n_threads_batch = parameters.n_threads;
  auto* context = library.init_from_model(model->get(), parameters);
  // A file that does not say how: the mean of all tokens.
  if (context != nullptr && library.pooling_type(context) == LLAMA_POOLING_TYPE_NONE) {
    library.free(context);
    parameters.pooling_type = LLAMA_POOLING_TYPE_MEAN;
    context = library.init_from_model(model->get(), parameters);
  }
  if (context == nullptr) return broken(fmt::format("there is not enough memory for {}", options.path));
  auto state = std::make_unique<State>(model, context);
  return std::shared_ptr<LlamaEmbedder>(new LlamaEmbedder(std::move(state)));
}

Task<Result<Vectors>> LlamaEmbedder::embed(std::vector<std::string> texts, EmbedCall call) {
  if (texts.size() > most_texts)
    co_return fail(ErrorKind::refused, "llm_refused",
                   fmt::format("At most {} texts can be embedded at once", most_texts));
  const auto until = std::chrono::steady_clock::now() + call.budget;
  auto work = [&]() -> Result<Vectors> {
    thread_local const bool stepped_back = (step_back(), true);
    (void)stepped_back;
    Vectors all;
    for (const auto& text : texts) {
      if (std::chrono::steady_clock::now() > until)
        return Failure(Error{
            ErrorKind::unavailable, "llm_timeout", "The embedding model did not answer in time", {}, 10});
      auto one = state_->vector_of(text);
      if (!one) return Failure(std::move(one.error()));
      all.push_back(std::move(*one));
    }
    return all;
  };
  auto done = co_await runtime::run_on(state_->pool, std::move(work));
  if (!done && done.error().code == "overloaded") done.error().code = "llm_busy";
  co_return done;
}

std::string LlamaEmbedder::model() const { return state_->model->name(); }
ModelStatus LlamaEmbedder::status() const {
  ProviderStatus one;
  one.provider = "llama";
  one.model = model();
  one.available = true;
  ModelStatus out;
  out.providers.push_back(std::move(one));
  return out;
}
std::size_t LlamaEmbedder::dimensions() const {
  return static_cast<std::size_t>(state_->library.model_n_embd(state_->model->get()));
}

}  // namespace lumina::llm
