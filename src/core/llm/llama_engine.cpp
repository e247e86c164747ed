#include "core/llm/llama_engine.hpp"

#include "core/base/text.hpp"
#include "core/llm/llama_library.hpp"
#include "core/llm/utf8_pieces.hpp"
#include "core/runtime/resuming.hpp"
#include "core/telemetry/log.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace lumina::llm {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr int batch_tokens = 512, most_context = 8192, least_answer = 4;
constexpr std::string_view system_place = "@@lumina-system@@", user_place = "@@lumina-user@@";

Failure refused(std::string code, std::string detail) {
  return fail(ErrorKind::refused, std::move(code), std::move(detail));
}
Failure broken(std::string detail) {
  return Failure(Error{ErrorKind::unavailable, "llm_unavailable", std::move(detail), {}, 0});
}

int threads_of(int wanted) {
  if (wanted > 0) return wanted;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

class LlamaEngine::Worker {
 public:
  Worker(std::shared_ptr<const LlamaModel> model, llama_context* context, int parallel)
      : model_(std::move(model)),
        library_(model_->library()),
        context_(context),
        cells_(static_cast<int>(library_.n_ctx(context))),
        parallel_(parallel),
        batch_(library_.batch_init(batch_tokens, 0, 1)),
        template_(template_of(*model_)) {
    for (int id = parallel; id > 0; --id) free_ids_.push_back(id - 1);
    library_.set_abort_callback(context_, &Worker::abort_asked, this);
    thread_ = std::thread([this] { run(); });
  }
  ~Worker() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    library_.batch_free(batch_);
    library_.free(context_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  using Resume = std::move_only_function<void(Result<Generated>)>;
  void submit(std::shared_ptr<const Prompt> prompt, OnToken on_token, Clock::time_point until,
              Resume resume) {
    auto job = std::make_unique<Job>();
    job->prompt = std::move(prompt);
    job->on_token = std::move(on_token);
    job->began = Clock::now();
    job->until = until;
    job->resume = std::move(resume);
    {
      const std::scoped_lock lock(mutex_);
      if (!stopping_) {
        queue_.push_back(std::move(job));
      }
    }
    if (job) return job->resume(broken("The language model is being replaced"));
    wake_.notify_all();
  }

  const LlamaModel& model() const { return *model_; }
  int parallel() const { return parallel_; }
  static bool abort_asked(void* self) { return static_cast<Worker*>(self)->somebody_left(); }

 private:
  struct Job {
    std::shared_ptr<const Prompt> prompt;
    OnToken on_token;
    Clock::time_point began, until;
    Resume resume;
    // From here on only while it is worked on.
    llama_seq_id id = -1;
    std::vector<llama_token> tokens;  // of the prompt, then those written
    std::size_t prompt_size = 0, fed = 0;
    int most = 0;  // tokens to write
    int logits_at = -1, in_batch = 0;
    llama_sampler* sampler = nullptr;
    Utf8Pieces pieces;
    std::string text;

    int reserved() const { return static_cast<int>(prompt_size) + most; }
    bool is_read() const { return fed >= prompt_size; }
    int written() const { return static_cast<int>(tokens.size() - prompt_size); }
    bool cancelled() const { return prompt->cancelled && prompt->cancelled->load(std::memory_order_relaxed); }
    bool late() const { return Clock::now() >= until; }
  };

  // The chat template applied to two words that stand for the texts; empty for models without one.
  static std::string template_of(const LlamaModel& model) {
    const auto& library = model.library();
    const char* own = library.model_chat_template(model.get(), nullptr);
    if (own == nullptr) return {};
    const std::string system(system_place), user(user_place);
    const std::array<llama_chat_message, 2> chat{{{"system", system.c_str()}, {"user", user.c_str()}}};
    std::string out(4096, '\0');
    const auto size = library.chat_apply_template(own, chat.data(), chat.size(), true, out.data(),
                                                  static_cast<std::int32_t>(out.size()));
    if (size <= 0 || static_cast<std::size_t>(size) > out.size()) return {};
    out.resize(static_cast<std::size_t>(size));
    if (!out.contains(user_place)) return {};
    return out;
  }

  std::vector<llama_token> tokens_of(const Prompt& prompt) const {
    if (template_.empty())
      return model_->tokens_of(prompt.system.empty() ? prompt.user : prompt.system + "\n\n" + prompt.user,
                               true, false);
    std::vector<llama_token> all;
    std::string_view rest = template_;
    const auto add = [&](std::string_view text, bool special) {
      if (text.empty()) return;
      const auto more = model_->tokens_of(text, all.empty(), special);
      all.insert(all.end(), more.begin(), more.end());
    };
    while (!rest.empty()) {
      const auto system = rest.find(system_place), user = rest.find(user_place);
      const auto next = std::min(system, user);
      add(rest.substr(0, next), true);
      if (next == std::string_view::npos) break;
      add(next == system ? std::string_view(prompt.system) : std::string_view(prompt.user), false);
      rest.remove_prefix(next + (next == system ? system_place.size() : user_place.size()));
    }
    return all;
  }

  void run() {
    step_back();
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock,
                   [&] { return stopping_ || !queue_.empty() || !arrived_.empty() || !active_.empty(); });
        if (stopping_) break;
        while (!queue_.empty()) {
          arrived_.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      drop_those_who_left();
      while (!arrived_.empty() && !free_ids_.empty() && admit()) {
      }
      if (!active_.empty()) step();
    }
    std::deque<std::unique_ptr<Job>> rest;
    {
      const std::scoped_lock lock(mutex_);
      rest = std::move(queue_);
    }
    while (!active_.empty()) finish(active_.size() - 1, broken("The language model is being replaced"));
    for (auto* list : {&arrived_, &rest})
      for (auto& job : *list) job->resume(broken("The language model is being replaced"));
  }

  // Gives the first that waits a place. False when there is no room yet.
  bool admit() {
    auto& job = arrived_.front();
    if (job->prompt_size == 0) {
      job->tokens = tokens_of(*job->prompt);
      job->prompt_size = job->tokens.size();
      const int room = cells_ - static_cast<int>(job->prompt_size);
      if (job->prompt_size == 0 || room < least_answer) {
        auto refusal = std::move(job);
        arrived_.pop_front();
        refusal->resume(refused("prompt_too_long", "The text is too long for the language model"));
        return true;
      }
      job->most = std::min(job->prompt->max_tokens, room);
    }
    int taken = 0;
    for (const auto& other : active_) taken += other->reserved();
    if (taken + job->reserved() > cells_) return false;
    job->sampler = sampler_for(*job->prompt);
    if (job->sampler == nullptr) {
      auto refusal = std::move(job);
      arrived_.pop_front();
      refusal->resume(refused("bad_grammar", "The grammar of the answer cannot be read"));
      return true;
    }
    job->id = free_ids_.back();
    free_ids_.pop_back();
    active_.push_back(std::move(job));
    arrived_.pop_front();
    return true;
  }

  llama_sampler* sampler_for(const Prompt& prompt) const {
    llama_sampler* chain = library_.sampler_chain_init(library_.sampler_chain_default_params());
    if (!prompt.grammar.empty()) {
      llama_sampler* grammar = library_.sampler_init_grammar(model_->vocab(), prompt.grammar.c_str(), "root");
      if (grammar == nullptr) {
        library_.sampler_free(chain);
        return nullptr;
      }
      library_.sampler_chain_add(chain, grammar);
    }
    if (prompt.temperature <= 0) {
      library_.sampler_chain_add(chain, library_.sampler_init_greedy());
      return chain;
    }
    library_.sampler_chain_add(chain, library_.sampler_init_top_p(static_cast<float>(prompt.top_p), 1));
    library_.sampler_chain_add(chain, library_.sampler_init_temp(static_cast<float>(prompt.temperature)));
    library_.sampler_chain_add(chain, library_.sampler_init_dist(std::random_device{}()));
    return chain;
  }

  bool somebody_left() const {
    return std::ranges::any_of(active_, [](const auto& job) { return job->cancelled() || job->late(); });
  }

  void drop_those_who_left() {
    const auto verdict = [](const Job& job) -> std::optional<Failure> {
      if (job.cancelled()) return refused("cancelled", "The request was cancelled");
      if (job.late())
        return Failure(
            Error{ErrorKind::unavailable, "timeout", "The language model did not answer in time", {}, 10});
      return {};
    };
    for (std::size_t i = active_.size(); i-- > 0;)
      if (auto why = verdict(*active_[i])) finish(i, *why);
    for (std::size_t i = arrived_.size(); i-- > 0;)
      if (auto why = verdict(*arrived_[i])) {
        auto job = std::move(arrived_[i]);
        arrived_.erase(arrived_.begin() + static_cast<std::ptrdiff_t>(i));
        job->resume(*why);
      }
  }

  // One batch: the next token of those who write, pieces of the prompts of those who begin.
  void step() {
    batch_.n_tokens = 0;
    for (auto& job : active_) {
      job->in_batch = 0;
      job->logits_at = -1;
    }
    // Those who write have one token each. Those whose prompts are read get even shares first, so that a long
    // prompt keeps nobody waiting.
    int readers = 0;
    for (auto& job : active_) {
      if (job->is_read())
        feed(*job, batch_tokens);
      else
        ++readers;
    }
    const int share = readers == 0 ? 0 : std::max(16, (batch_tokens - batch_.n_tokens) / readers);
    for (const int most : {share, batch_tokens})
      for (auto& job : active_)
        if (!job->is_read() && job->logits_at < 0) feed(*job, most);
    const int outcome = decode();
    if (outcome == 2) return take_back();  // aborted: somebody left
    if (outcome != 0) {
      log::warn("the language model failed", {{"code", outcome}});
      while (!active_.empty()) finish(active_.size() - 1, broken("The language model failed"));
      library_.memory_clear(library_.get_memory(context_), true);
      return;
    }
    for (auto& job : active_) job->fed += static_cast<std::size_t>(job->in_batch);
    for (std::size_t i = active_.size(); i-- > 0;)
      if (active_[i]->logits_at >= 0) write_one(i);
  }

  void feed(Job& job, int most) {
    const std::size_t begin = job.fed + static_cast<std::size_t>(job.in_batch);
    const auto room = static_cast<std::size_t>(std::min(most, batch_tokens - batch_.n_tokens));
    const auto count = std::min(room, job.tokens.size() - begin);
    for (std::size_t i = begin; i < begin + count; ++i) {
      const auto at = batch_.n_tokens++;
      batch_.token[at] = job.tokens[i];
      batch_.pos[at] = static_cast<llama_pos>(i);
      batch_.n_seq_id[at] = 1;
      batch_.seq_id[at][0] = job.id;
      const bool last = i + 1 == job.tokens.size();
      batch_.logits[at] = last ? 1 : 0;
      if (last) job.logits_at = at;
    }
    job.in_batch += static_cast<int>(count);
  }

  int decode() {
    try {
      return library_.decode(context_, batch_);
    } catch (const std::exception& e) {
      log::warn("the language model threw", {{"what", std::string_view(e.what())}});
      return -1;
    }
  }

  // Part of the aborted batch may be in memory: what was fed before it is the truth.
  void take_back() {
    for (auto& job : active_) {
      if (job->in_batch == 0) continue;
      auto* memory = library_.get_memory(context_);
      if (!library_.memory_seq_rm(memory, job->id, static_cast<llama_pos>(job->fed), -1)) {
        library_.memory_seq_rm(memory, job->id, -1, -1);
        job->fed = 0;
      }
    }
    drop_those_who_left();
  }

  void write_one(std::size_t i) {
    Job& job = *active_[i];
    llama_token token = 0;
    try {
      token = library_.sampler_sample(job.sampler, context_, job.logits_at);
    } catch (const std::exception& e) {
      log::warn("the grammar of an answer failed", {{"what", std::string_view(e.what())}});
      return finish(i, broken("The language model failed"));
    }
    if (library_.vocab_is_eog(model_->vocab(), token)) return finish_whole(i);
    job.tokens.push_back(token);
    const std::string piece = job.pieces.add(model_->piece_of(token));
    job.text += piece;
    if (!piece.empty() && job.on_token && !job.on_token(piece))
      return finish(i, refused("cancelled", "The request was cancelled"));
    if (job.written() >= job.most) finish_whole(i);
  }

  void finish_whole(std::size_t i) {
    const Job& job = *active_[i];
    Generated out;
    out.text = job.text;
    out.provider = "llama";
    out.model = model_->name();
    out.prompt_tokens = static_cast<int>(job.prompt_size);
    out.completion_tokens = job.written();
    out.took = std::chrono::duration_cast<Milliseconds>(Clock::now() - job.began);
    finish(i, std::move(out));
  }

  void finish(std::size_t i, Result<Generated> outcome) {
    auto job = std::move(active_[i]);
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
    library_.memory_seq_rm(library_.get_memory(context_), job->id, -1, -1);
    library_.sampler_free(job->sampler);
    free_ids_.push_back(job->id);
    job->on_token = nullptr;
    job->resume(std::move(outcome));
  }

  const std::shared_ptr<const LlamaModel> model_;
  const LlamaLibrary& library_;
  llama_context* const context_;
  const int cells_, parallel_;
  llama_batch batch_;
  const std::string template_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<std::unique_ptr<Job>> queue_;

  // Only of the thread.
  std::deque<std::unique_ptr<Job>> arrived_;
  std::vector<std::unique_ptr<Job>> active_;
  std::vector<llama_seq_id> free_ids_;
  std::thread thread_;
};

LlamaEngine::LlamaEngine(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
LlamaEngine::~LlamaEngine() = default;

Result<std::shared_ptr<LlamaEngine>> LlamaEngine::load(const LlamaOptions& options) {
  auto loaded = LlamaModel::load({options.path, options.library_folder, options.sha256});
  if (!loaded) return Failure(std::move(loaded.error()));
  const auto& model = *loaded;
  const auto& library = model->library();
  if (!library.model_has_decoder(model->get()))
    return broken(fmt::format("{} is an embedding model and writes no text", options.path));
  const int parallel = std::clamp(options.parallel, 1, 32);
  auto parameters = library.context_default_params();
  const int trained = library.model_n_ctx_train(model->get());
  parameters.n_ctx = static_cast<std::uint32_t>(options.context > 0 ? options.context
                                                                    : std::clamp(trained, 256, most_context));
  parameters.n_batch = batch_tokens;
  parameters.n_ubatch = batch_tokens;
  parameters.n_seq_max = static_cast<std::uint32_t>(parallel);
  parameters.kv_unified = true;
  parameters.n_threads = threads_of(options.threads);
  parameters.n_threads_batch = parameters.n_threads;
  parameters.no_perf = true;
  llama_context* context = library.init_from_model(model->get(), parameters);
  if (context == nullptr) return broken(fmt::format("there is not enough memory for {}", options.path));
  auto worker = std::make_unique<Worker>(model, context, parallel);
  return std::shared_ptr<LlamaEngine>(new LlamaEngine(std::move(worker)));
}

Task<Result<Generated>> LlamaEngine::generate(std::shared_ptr<const Prompt> prompt, OnToken on_token,
                                              Milliseconds time) {
  constexpr asio::use_awaitable_t<IoExecutor> token;
  const auto until = Clock::now() + time;
  auto initiate = [this, until](auto handler, std::shared_ptr<const Prompt> p, OnToken heard) {
    auto resume = runtime::resuming<Result<Generated>>(std::move(handler));
    worker_->submit(std::move(p), std::move(heard), until,
                    [resume = std::move(resume)](Result<Generated> outcome) mutable {
                      resume(nullptr, std::move(outcome));
                    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<IoExecutor>,
                              void(std::exception_ptr, Result<Generated>)>(
      std::move(initiate), token, std::move(prompt), std::move(on_token));
}

std::string LlamaEngine::model() const { return worker_->model().name(); }
int LlamaEngine::parallel() const { return worker_->parallel(); }

ProviderStatus LlamaEngine::status() const {
  ProviderStatus status;
  status.provider = "llama";
  status.model = worker_->model().name();
  status.available = true;
  status.path = worker_->model().path();
  status.sha256 = worker_->model().sha256();
  status.bytes = worker_->model().bytes();
  return status;
}

}  // namespace lumina::llm
