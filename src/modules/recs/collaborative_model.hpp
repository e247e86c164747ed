// What people's choices say about books: a trained, immutable model of several parts, each of which scores
// all books from a person's present history, without training anew.
//
//   neighbours  item-kNN: books read by the same people, cosine of the people's columns, shrunk by support
//   sequence    the same, but only what was read close to each other in time counts, and more the closer
//   linear      EASE^R on the most read books: the closed-form item-item regression, negative weights too
//   factors     implicit ALS: people and books as vectors; a history becomes a vector by one least squares
//   step
//
// Memory is linear: the strongest `neighbours` of each book are kept, and the regression is made of the
// `linear_books` most read books only. Recent books count more (half_life, in books). Everything is
// thread-safe after training; training uses all cores and gives the same model whatever their number.
//
// Sources: Sarwar et al., WWW 2001 and Deshpande and Karypis, TOIS 2004 (item-kNN); Steck, "Embarrassingly
// shallow autoencoders for sparse data", WWW 2019 (EASE^R); Hu, Koren and Volinsky, ICDM 2008 (implicit ALS).
#pragma once
#include "core/vector/archive.hpp"
#include "core/vector/work.hpp"
#include "modules/recs/interactions.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::recs {

enum class Algorithm { neighbours, sequence, linear, factors };
inline constexpr std::array all_algorithms = {Algorithm::neighbours, Algorithm::sequence, Algorithm::linear,
                                              Algorithm::factors};
std::string_view name_of(Algorithm algorithm);
std::optional<Algorithm> algorithm_named(std::string_view name);

struct CollaborativeParameters {
  std::vector<Algorithm> algorithms = {Algorithm::neighbours, Algorithm::sequence, Algorithm::linear};
  float half_life = 2;           // books; 0: all count the same
  std::size_t neighbours = 100;  // kept of each book
  float shrinkage = 10;          // neighbours: people who must share two books before the cosine is believed
  float sequence_reach = 5;      // sequence: distance in books at which a pair counts half
  std::size_t linear_books = 3'000;
  float linear_regularisation = 50;
  std::size_t factors = 32;
  std::size_t factor_steps = 10;
  float factor_confidence = 10;
  float factor_regularisation = 5;
  std::uint64_t seed = 1;
};

// A score for every model index (see CollaborativeModel::books), and which of them are not zero.
struct Scores {
  std::vector<float> values;
  std::vector<std::uint32_t> touched;

  void reset(std::size_t size);  // keeps its memory
  void add(std::uint32_t index, float value) {
    auto& sum = values[index];
    if (sum == 0) touched.push_back(index);
    sum += value;
  }
};

class CollaborativeModel {
 public:
  struct Neighbour {
    std::uint32_t index = 0;
    float weight = 0;
  };

  // `books` are all of the catalogue, ascending; interactions with others are passed over, as are those that
  // speak against a book. Errors: cancelled.
  static Result<CollaborativeModel> train(std::vector<std::int64_t> books,
                                          std::span<const Interaction> interactions,
                                          const CollaborativeParameters& parameters,
                                          const vector::Work& work = {});

  const std::vector<std::int64_t>& books() const { return books_; }
  std::optional<std::uint32_t> index_of(std::int64_t book) const;
  const CollaborativeParameters& parameters() const { return parameters_; }
  bool has(Algorithm algorithm) const;

  // Adds the part's scores of all books for this history, those of the history too. Books of the history
  // that the model does not know count for nothing. Does nothing for a part that was not trained.
  void score(Algorithm algorithm, const History& history, Scores& into) const;
  // How much each entry of the history gave to the part's score of one book; sums to it.
  std::vector<float> contributions(Algorithm algorithm, const History& history, std::int64_t book) const;
  // The books that go with one, strongest first, by that part (not `factors`).
  std::vector<Neighbour> neighbours(Algorithm algorithm, std::int64_t book) const;

  void save(vector::ArchiveWriter& to) const;
  static CollaborativeModel load(vector::ArchiveReader& from);

 private:
  // Rows of neighbours, one after the other; row i is [starts[i], starts[i + 1]).
  struct Links {
    std::vector<std::uint64_t> starts;
    std::vector<std::uint32_t> indexes;
    std::vector<float> weights;
  };
  friend struct CollaborativeTraining;

  std::vector<float> fold_in(const History& history) const;

  std::vector<std::int64_t> books_;
  CollaborativeParameters parameters_;
  std::array<Links, 3> links_;  // neighbours, sequence, linear; empty when not trained
  std::vector<float> book_factors_;
  std::vector<float> gram_;  // of book_factors_, for folding in
};

}  // namespace lumina::recs
