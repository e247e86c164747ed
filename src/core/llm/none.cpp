#include "core/llm/embedder.hpp"
#include "core/llm/language_model.hpp"

namespace lumina::llm {
namespace {

Failure nobody() {
  return Failure(
      Error{ErrorKind::unavailable, "llm_not_configured", "No language model is configured", {}, 3600});
}

}  // namespace

Task<Result<Generated>> NoModel::generate(Prompt, OnToken) { co_return nobody(); }

Task<Result<Vectors>> NoEmbedder::embed(std::vector<std::string>, EmbedCall) { co_return nobody(); }

}  // namespace lumina::llm
