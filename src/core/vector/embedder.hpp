// Texts become vectors: the interface that the built-in embedder (lsa.hpp) and the models of providers share.
//
// Vectors have a length of 1, or are all zeros when nothing in the text is known; the closer two texts are in
// meaning, the nearer their inner product is to 1. Vectors of embedders whose `id` differs cannot be
// compared. Implementations are thread-safe; embed() may take long (providers) and belongs on a pool, never
// on an io thread.
#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lumina::vector {

// A text in fields, each with the weight of its words (1 is usual), and the language that chooses the stems:
// ISO 639 code or English name, empty when unknown.
struct EmbeddingText {
  std::vector<std::pair<float, std::string>> fields;
  std::string language;
};

class Embedder {
 public:
  virtual ~Embedder() = default;

  // Name and version: "lsa-128-9f86d081". Changes whenever vectors stop being comparable.
  virtual std::string id() const = 0;
  virtual std::size_t dimensions() const = 0;
  virtual std::vector<float> embed(const EmbeddingText& text) const = 0;
};

}  // namespace lumina::vector
