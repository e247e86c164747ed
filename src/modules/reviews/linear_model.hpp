// A linear model of sentiment: logistic regression on words and pairs of words, hashed into a fixed table.
//
// Features are the words of the text (folded, contractions written out, what follows a negation in the same
// clause marked) and each two neighbours; each counts once a text, and together they have length one (Wang
// and Manning, ACL 2012, on why pairs and binary counts suit sentiment; Weinberger et al., ICML 2009, on
// hashing). Training is stochastic gradient descent with a step per weight (Duchi et al., JMLR 2011), and the
// blend with the valence rules is fitted to predictions for texts that the model has not seen (stacking), so
// a model from few reviews earns little say. A text much longer than those the model learnt from is less its
// business; `Reading::logit` shrinks with that.
//
// Training is deterministic: the same examples in the same order give the same bytes. Cost: about 4 us a word
// of training text, and 4 bytes of memory for each word and pair; 50,000 reviews take half a minute. A
// trained model is immutable, so threads share one; reading a text costs about 0.1 us a byte.
#pragma once
#include "core/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reviews {

struct Example {
  std::string_view text;
  double positive = 0.5;  // 0..1: how surely the writer liked it; (rating - 1) / 4 for a rating
  double weight = 1;      // how much the example counts, above 0
};

// How the linear model and the rules are put together: logit = bias + linear * L + rules * V.
struct Blend {
  double bias = 0;
  double linear = 1;
  double rules = 1;
};

class LinearModel {
 public:
  static constexpr std::size_t min_examples = 40;      // fewer teach nothing
  static constexpr std::size_t min_per_side = 8;       // of examples below and above one half
  static constexpr std::size_t max_examples = 50'000;  // the rest is not read; give the newest first

  // Says nothing about any text.
  LinearModel();

  // Error `too_few_examples` (refused) when there is too little of either kind to learn from, `stopped`
  // (unavailable) when `stop` asked to end.
  static Result<LinearModel> train(std::span<const Example> examples, std::stop_token stop = {});

  // A checked, portable form of a few tens of KB, at most 600 KB. `load` refuses (malformed) whatever `save`
  // would not have written, damaged bytes included.
  std::string save() const;
  static Result<LinearModel> load(std::string_view bytes);

  struct Reading {
    double logit = 0;       // above 0 for praise; damped on texts longer than those of the training
    std::size_t known = 0;  // features of the text that the training has seen
  };
  Reading read(std::string_view text) const;

  const Blend& blend() const { return blend_; }
  // Share of the examples' signs that the blend gets right on texts held out in training, 0..1.
  double accuracy() const { return accuracy_; }
  std::size_t examples() const { return examples_; }
  std::size_t features() const;

 private:
  friend class Trainer;

  std::vector<std::int8_t> weights_;  // one a bucket; 0 for what the training has not seen
  double scale_ = 0;                  // a weight is its byte times this
  double bias_ = 0;
  double usual_words_ = 1;  // nine tenths of the training texts are no longer
  Blend blend_;
  double accuracy_ = 0;
  std::size_t examples_ = 0;
};

// The checksum (CRC-32) that ends a saved model; 0 for fewer than four bytes.
std::uint32_t model_checksum(std::string_view saved);

}  // namespace lumina::reviews
