// libllama, opened while the program runs: a machine without it runs everything else. Internal to core/llm;
// the only header that includes llama.h.
//
// The libraries belong to one release, `llama_release`: their structures are compiled in. They are looked for
// in the configured folder, else in lib/luminalib beside the program's folder, in /usr/lib/luminalib, and
// where script/bootstrap puts them. Once opened they stay. Thread-safe.
#pragma once
#include "core/base/error.hpp"

#include <cstdint>
#include <llama.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::llm {

inline constexpr std::string_view llama_release = "v0.5.0";

// What is used of it, under its own names without the prefix.
struct LlamaLibrary {
  decltype(&::llama_backend_init) backend_init = nullptr;
  decltype(&::llama_log_set) log_set = nullptr;
  decltype(&::ggml_backend_load_all_from_path) load_backends = nullptr;
  decltype(&::llama_model_default_params) model_default_params = nullptr;
  decltype(&::llama_model_load_from_file) model_load_from_file = nullptr;
  decltype(&::llama_model_free) model_free = nullptr;
  decltype(&::llama_model_get_vocab) model_get_vocab = nullptr;
  decltype(&::llama_model_n_ctx_train) model_n_ctx_train = nullptr;
  decltype(&::llama_model_n_embd) model_n_embd = nullptr;
  decltype(&::llama_model_desc) model_desc = nullptr;
  decltype(&::llama_model_chat_template) model_chat_template = nullptr;
  decltype(&::llama_model_has_encoder) model_has_encoder = nullptr;
  decltype(&::llama_model_has_decoder) model_has_decoder = nullptr;
  decltype(&::llama_chat_apply_template) chat_apply_template = nullptr;
  decltype(&::llama_context_default_params) context_default_params = nullptr;
  decltype(&::llama_init_from_model) init_from_model = nullptr;
  decltype(&::llama_free) free = nullptr;
  decltype(&::llama_n_ctx) n_ctx = nullptr;
  decltype(&::llama_n_batch) n_batch = nullptr;
  decltype(&::llama_pooling_type) pooling_type = nullptr;
  decltype(&::llama_set_abort_callback) set_abort_callback = nullptr;
  decltype(&::llama_get_memory) get_memory = nullptr;
  decltype(&::llama_memory_seq_rm) memory_seq_rm = nullptr;
  decltype(&::llama_memory_clear) memory_clear = nullptr;
  decltype(&::llama_batch_init) batch_init = nullptr;
  decltype(&::llama_batch_free) batch_free = nullptr;
  decltype(&::llama_decode) decode = nullptr;
  decltype(&::llama_encode) encode = nullptr;
  decltype(&::llama_get_embeddings_seq) get_embeddings_seq = nullptr;
  decltype(&::llama_tokenize) tokenize = nullptr;
  decltype(&::llama_token_to_piece) token_to_piece = nullptr;
  decltype(&::llama_vocab_is_eog) vocab_is_eog = nullptr;
  decltype(&::llama_sampler_chain_default_params) sampler_chain_default_params = nullptr;
  decltype(&::llama_sampler_chain_init) sampler_chain_init = nullptr;
  decltype(&::llama_sampler_chain_add) sampler_chain_add = nullptr;
  decltype(&::llama_sampler_init_grammar) sampler_init_grammar = nullptr;
  decltype(&::llama_sampler_init_greedy) sampler_init_greedy = nullptr;
  decltype(&::llama_sampler_init_top_p) sampler_init_top_p = nullptr;
  decltype(&::llama_sampler_init_temp) sampler_init_temp = nullptr;
  decltype(&::llama_sampler_init_dist) sampler_init_dist = nullptr;
  decltype(&::llama_sampler_sample) sampler_sample = nullptr;
  decltype(&::llama_sampler_free) sampler_free = nullptr;
};

// Opened at the first call; later calls give the same, or the same failure for the same folder.
Result<const LlamaLibrary*> open_llama(const std::string& folder);

// A model file, checked and loaded.
struct LlamaFile {
  std::string path;
  std::string library_folder;
  std::string sha256;  // wanted; empty: any
};
class LlamaModel {
 public:
  // Blocks: reads the file once for its checksum, then maps it. Errors: unavailable "llm_unavailable" with a
  // sentence.
  static Result<std::shared_ptr<const LlamaModel>> load(const LlamaFile& file);
  ~LlamaModel();
  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

  const LlamaLibrary& library() const { return library_; }
  llama_model* get() const { return model_; }
  const llama_vocab* vocab() const { return library_.model_get_vocab(model_); }
  const std::string& path() const { return path_; }
  const std::string& sha256() const { return sha256_; }
  std::int64_t bytes() const { return bytes_; }
  std::string name() const;  // the file's name without its ending

  // `special`: words such as <|end|> are tokens, not text.
  std::vector<llama_token> tokens_of(std::string_view text, bool begins, bool special) const;
  std::string piece_of(llama_token token) const;

 private:
  explicit LlamaModel(const LlamaLibrary& library) : library_(library) {}
  const LlamaLibrary& library_;
  llama_model* model_ = nullptr;
  std::string path_, sha256_;
  std::int64_t bytes_ = 0;
};

// Computing threads give way to those that serve.
void step_back();

}  // namespace lumina::llm
