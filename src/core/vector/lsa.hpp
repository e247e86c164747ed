// The built-in embedder: latent semantic analysis, trained on the library's own texts in seconds.
//
// Words are folded and stemmed; a term's weight in a document is the logarithm of its weighted count (a title
// counts more than a description) times its inverse document frequency; documents are scaled to length 1 and
// the matrix is reduced to its strongest directions by a randomised truncated SVD. A new text is folded in:
// embedded by the directions found before, at a cost that grows with its length alone.
//
// fit() with the same documents, parameters and seed gives the same vectors on one machine, however many
// threads it uses. Objects never change; all functions are thread-safe.
//
// Sources: Deerwester et al., "Indexing by latent semantic analysis", JASIS 41, 1990; Salton and Buckley,
// "Term-weighting approaches in automatic text retrieval", 1988; Halko, Martinsson and Tropp, "Finding
// structure with randomness", SIAM Review 53, 2011.
#pragma once
#include "core/vector/embedder.hpp"
#include "core/vector/work.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace lumina::vector {

struct LsaParameters {
  std::size_t dimensions = 128;  // 2..1024; fewer when the texts hold fewer
  std::uint64_t seed = 1;
  std::size_t min_documents = 2;   // a term in fewer is left out
  std::size_t max_terms = 60'000;  // the most frequent ones
  bool pairs = true;               // neighbouring words of a short field are a term too
  unsigned power_steps = 2;        // of the randomised SVD: more is nearer to the exact one
};

class LsaEmbedder final : public Embedder {
 public:
  struct Fitted {
    std::shared_ptr<const LsaEmbedder> embedder;
    std::vector<float> vectors;  // one row of dimensions() for each document, as embed() gives
  };
  // Any documents, also none: an embedder that knows no word gives zeros. Error: cancelled.
  static Result<Fitted> fit(std::span<const EmbeddingText> documents, const LsaParameters& parameters,
                            const Work& work = {});

  ~LsaEmbedder() override;
  std::string id() const override;
  std::size_t dimensions() const override;
  std::vector<float> embed(const EmbeddingText& text) const override;

  std::size_t terms() const;

  // A checked archive (archive.hpp) and back.
  std::string save() const;
  static Result<std::shared_ptr<const LsaEmbedder>> load(std::string_view bytes);

 private:
  struct State;
  explicit LsaEmbedder(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace lumina::vector
