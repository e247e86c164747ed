// From books and interactions to a model that can serve: cleaning, embedding, learning, measuring, and the
// file it is kept in.
//
// train_all() measures before it learns for good: it holds back the last books of people (evaluation.hpp),
// learns blend weights on a validation split inside the rest, measures on what was held back, and then trains
// on everything with those weights. Given the same input it makes the same model. An empty library, one
// person, no interactions: a model all the same, with metrics of zero people.
#pragma once
#include "core/vector/lsa.hpp"
#include "modules/recs/blend.hpp"
#include "modules/recs/evaluation.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::recs {

struct TrainingParameters {
  vector::LsaParameters words;
  CollaborativeParameters people;
  std::size_t lessons = 1'000;  // people that weights are learned from, at most
  std::size_t measured_people = 2'000;
  float found_from = 0.9f;           // strength from which a held back book is one to find
  std::size_t most_per_day = 1'000;  // signals of one person on one day before it is taken for a bot
  std::chrono::days popularity_half_life{30};
};

struct StepTime {
  std::string step;
  std::chrono::milliseconds took{};
};

class TrainedModel {
 public:
  std::shared_ptr<const vector::Embedder> embedder;
  std::shared_ptr<const CollaborativeModel> collaborative;
  BlendWeights weights;
  Metrics metrics;     // of the blend, on what was held back
  Metrics popularity;  // of plain popularity in the same trial: the least a model must beat
  DataReport report;
  TrainingParameters parameters;
  Moment trained_at;
  std::vector<StepTime> steps;

  // A live catalogue with this model's vectors; what the library has now is put into it next (put_all finds
  // unchanged books by their digest and does not embed them again).
  std::unique_ptr<Catalogue> make_catalogue() const;

  // A checked archive: magic "LUMIRECS". Damaged or cut off: code "model_damaged"; made by a later release:
  // "model_newer".
  std::string to_bytes() const;
  static Result<TrainedModel> from_bytes(std::string_view bytes);
  // The same in a file: written beside, synced, renamed.
  Status save(const std::filesystem::path& path) const;
  static Result<TrainedModel> load(const std::filesystem::path& path);

 private:
  friend struct Training;
  std::string index_;                   // an archived vector::Index
  std::vector<std::uint64_t> digests_;  // of the texts, by model index
};

// Errors: cancelled.
Result<TrainedModel> train_all(std::span<const BookText> books, std::span<const Interaction> interactions,
                               const TrainingParameters& parameters, Moment now,
                               const vector::Work& work = {});

// One row for each set of parameters that was tried, best nDCG@10 on the validation split first.
struct Trial {
  CollaborativeParameters parameters;
  Metrics metrics;
  std::chrono::milliseconds took{};
};
// Tries the product of these values around `base` (empty lists: the value of base). The test split plays no
// part. Errors: cancelled.
struct Grid {
  std::vector<float> half_life, shrinkage, sequence_reach, linear_regularisation;
  std::vector<std::size_t> neighbours;
};
Result<std::vector<Trial>> search_parameters(std::span<const BookText> books,
                                             std::span<const Interaction> interactions,
                                             const TrainingParameters& base, const Grid& grid, Moment now,
                                             const vector::Work& work = {});

}  // namespace lumina::recs
