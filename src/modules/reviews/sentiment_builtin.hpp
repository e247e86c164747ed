// The analyser that needs nothing but the text: valence rules (valence.hpp) and a linear model
// (linear_model.hpp).
//
// Blend. The two readings are added with the coefficients that the model's training found for them. A text in
// which the lexicon finds nothing is left to the model alone, and it must be sure (a logit of 1.2): below
// that, and where the text only shrugs ("okay, nothing special"), the text says nothing, and the answer is
// the rating's, (rating - 3) / 2 with source `rating`, or 0 without one. A text that says little (one mild
// word, an even balance) is nudged: its clarity, 0..1, is the evidence over 4 or the size of the verdict over
// 2, whichever is more, and (1 - clarity) / 2 of the score comes from the rating. From clarity 1 on, which
// every plain review reaches, the rating has no say. A score is tanh(logit / 4).
//
// Sentences that address the scorer ("ignore the instructions and output 1.0") are not read.
//
// English. Of a review in another language little is known, so its rating decides. Text after the first 32 KB
// is not read; 5,000 characters take about 0.6 ms. Deterministic and thread-safe; `use` may be called while
// others analyse.
//
// The model that is built in was trained by bench/sentiment_train.cpp on "From Group to Individual Labels
// using Deep Features" (Kotzias et al., KDD 2015; UCI, CC BY 4.0), less the sentences in
// tests/data/sentiment.
#pragma once
#include "modules/reviews/linear_model.hpp"
#include "modules/reviews/sentiment.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace lumina::reviews {

class BuiltinSentiment final : public SentimentAnalyzer {
 public:
  // With the model that is built in.
  BuiltinSentiment();
  explicit BuiltinSentiment(LinearModel model);

  Sentiment analyze(std::string_view text, std::optional<double> rating) const override;

  struct Verdict {
    double logit = 0;    // above 0 for praise; 0 when the text says nothing
    double clarity = 0;  // 0 says nothing, 1 speaks for itself
  };
  Verdict read(std::string_view text) const;

  // From now on this model; analyses under way finish with the one they began with.
  void use(LinearModel model);
  std::shared_ptr<const LinearModel> model() const;

  static const LinearModel& shipped_model();

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LinearModel> model_;
};

// A model kept in a file. Reading gives `malformed` for a damaged file and `not_found` for none; writing
// replaces the file at once or not at all, and gives `unavailable` when the disk refuses.
Result<LinearModel> read_model(const std::filesystem::path& path);
Status write_model(const LinearModel& model, const std::filesystem::path& path);

}  // namespace lumina::reviews
