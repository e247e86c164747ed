#include "core/llm/llama_library.hpp"

#include "core/base/text.hpp"
#include "core/security/digest.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>
#include <optional>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lumina::llm {
namespace {

namespace fs = std::filesystem;

Failure unusable(std::string detail) {
  return Failure(Error{ErrorKind::unavailable, "llm_unavailable", std::move(detail), {}, 0});
}

std::vector<fs::path> folders_of(const std::string& configured) {
  if (!configured.empty()) return {configured};
  std::vector<fs::path> folders;
  std::error_code error;
  if (const auto program = fs::read_symlink("/proc/self/exe", error); !error)
    folders.push_back(program.parent_path().parent_path() / "lib" / "luminalib");
  folders.emplace_back("/usr/lib/luminalib");
  folders.emplace_back(LUMINA_LLAMA_FOLDER);
  return folders;
}

// An aborted batch is an error to it, and to us a reader who left: what matters is said where it is known.
void hear(ggml_log_level, const char* text, void*) {
  if (const auto line = trim_ascii(text); !line.empty()) log::debug("llama.cpp", {{"said", line}});
}

class Binder {
 public:
  explicit Binder(void* handle) : handle_(handle) {}
  template <class Function>
  void operator()(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

std::string bind_all(void* handle, LlamaLibrary& l) {
  Binder bind(handle);
  bind(l.backend_init, "llama_backend_init");
  bind(l.log_set, "llama_log_set");
  bind(l.load_backends, "ggml_backend_load_all_from_path");
  bind(l.model_default_params, "llama_model_default_params");
  bind(l.model_load_from_file, "llama_model_load_from_file");
  bind(l.model_free, "llama_model_free");
  bind(l.model_get_vocab, "llama_model_get_vocab");
  bind(l.model_n_ctx_train, "llama_model_n_ctx_train");
  bind(l.model_n_embd, "llama_model_n_embd");
  bind(l.model_desc, "llama_model_desc");
  bind(l.model_chat_template, "llama_model_chat_template");
  bind(l.model_has_encoder, "llama_model_has_encoder");
  bind(l.model_has_decoder, "llama_model_has_decoder");
  bind(l.chat_apply_template, "llama_chat_apply_template");
  bind(l.context_default_params, "llama_context_default_params");
  bind(l.init_from_model, "llama_init_from_model");
  bind(l.free, "llama_free");
  bind(l.n_ctx, "llama_n_ctx");
  bind(l.n_batch, "llama_n_batch");
  bind(l.pooling_type, "llama_pooling_type");
  bind(l.set_abort_callback, "llama_set_abort_callback");
  bind(l.get_memory, "llama_get_memory");
  bind(l.memory_seq_rm, "llama_memory_seq_rm");
  bind(l.memory_clear, "llama_memory_clear");
  bind(l.batch_init, "llama_batch_init");
  bind(l.batch_free, "llama_batch_free");
  bind(l.decode, "llama_decode");
  bind(l.encode, "llama_encode");
  bind(l.get_embeddings_seq, "llama_get_embeddings_seq");
  bind(l.tokenize, "llama_tokenize");
  bind(l.token_to_piece, "llama_token_to_piece");
  bind(l.vocab_is_eog, "llama_vocab_is_eog");
  bind(l.sampler_chain_default_params, "llama_sampler_chain_default_params");
  bind(l.sampler_chain_init, "llama_sampler_chain_init");
  bind(l.sampler_chain_add, "llama_sampler_chain_add");
  bind(l.sampler_init_grammar, "llama_sampler_init_grammar");
  bind(l.sampler_init_greedy, "llama_sampler_init_greedy");
  bind(l.sampler_init_top_p, "llama_sampler_init_top_p");
  bind(l.sampler_init_temp, "llama_sampler_init_temp");
  bind(l.sampler_init_dist, "llama_sampler_init_dist");
  bind(l.sampler_sample, "llama_sampler_sample");
  bind(l.sampler_free, "llama_sampler_free");
  return bind.missing();
}

Result<const LlamaLibrary*> open_in(const fs::path& folder) {
  const auto file = folder / fmt::format("libllama.{}.so", llama_release);
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    return unusable(fmt::format("libllama cannot be opened: {}", why != nullptr ? why : file.string()));
  }
  auto library = std::make_unique<LlamaLibrary>();
  if (const auto missing = bind_all(handle, *library); !missing.empty())
    return unusable(fmt::format("{} has no {}", file.string(), missing));
  library->log_set(hear, nullptr);
  library->load_backends(folder.c_str());
  library->backend_init();
  return library.release();  // it lives as long as the process, as what it opened does
}

}  // namespace

Result<const LlamaLibrary*> open_llama(const std::string& folder) {
  static std::mutex mutex;
  static const LlamaLibrary* opened = nullptr;
  const std::scoped_lock lock(mutex);
  if (opened != nullptr) return opened;
  Result<const LlamaLibrary*> found = unusable("libllama is in none of the folders where it is looked for");
  for (const auto& each : folders_of(folder)) {
    std::error_code error;
    if (folder.empty() && !fs::exists(each / fmt::format("libllama.{}.so", llama_release), error)) continue;
    found = open_in(each);
    if (found) break;
  }
  if (found) opened = *found;
  return found;
}

Result<std::shared_ptr<const LlamaModel>> LlamaModel::load(const LlamaFile& file) {
  const auto library = open_llama(file.library_folder);
  if (!library) return Failure(library.error());
  const std::shared_ptr<LlamaModel> model(new LlamaModel(**library));
  const auto sum = security::sha256_of_file(file.path);
  if (!sum) return unusable(fmt::format("the model file cannot be read: {}", file.path));
  if (!file.sha256.empty() && !iequals(file.sha256, sum->hex))
    return unusable(fmt::format("the model file {} has another checksum than the settings say", file.path));
  model->path_ = file.path;
  model->sha256_ = sum->hex;
  model->bytes_ = sum->bytes;
  auto parameters = model->library_.model_default_params();
  parameters.check_tensors = true;
  model->model_ = model->library_.model_load_from_file(file.path.c_str(), parameters);
  if (model->model_ == nullptr)
    return unusable(fmt::format("the model file is no GGUF that this release can load: {}", file.path));
  return model;
}

LlamaModel::~LlamaModel() {
  if (model_ != nullptr) library_.model_free(model_);
}

std::string LlamaModel::name() const { return fs::path(path_).stem().string(); }

std::vector<llama_token> LlamaModel::tokens_of(std::string_view text, bool begins, bool special) const {
  std::vector<llama_token> tokens(text.size() + 8);
  const auto count =
      library_.tokenize(vocab(), text.data(), static_cast<std::int32_t>(text.size()), tokens.data(),
                        static_cast<std::int32_t>(tokens.size()), begins, special);
  tokens.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return tokens;
}

std::string LlamaModel::piece_of(llama_token token) const {
  std::string piece(64, '\0');
  auto size = library_.token_to_piece(vocab(), token, piece.data(), static_cast<std::int32_t>(piece.size()),
                                      0, false);
  if (size < 0) {
    piece.resize(static_cast<std::size_t>(-size));
    size = library_.token_to_piece(vocab(), token, piece.data(), -size, 0, false);
  }
  piece.resize(static_cast<std::size_t>(std::max(0, size)));
  return piece;
}

void step_back() {
  constexpr int nice = 10;
  // Only this thread, and the threads that it starts: on Linux the id of a thread counts as a process here.
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice) != 0)
    log::debug("a computing thread keeps its priority");
}

}  // namespace lumina::llm
