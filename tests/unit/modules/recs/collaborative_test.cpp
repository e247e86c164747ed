#include "unit/modules/recs/fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace lumina::recs {
namespace {

using namespace fixture;

CollaborativeParameters only(Algorithm algorithm) {
  auto parameters = small().people;
  parameters.algorithms = {algorithm};
  return parameters;
}

TEST_CASE("every algorithm finds the planted clusters again", "[H6][H7]") {
  const auto interactions = readings(400);
  for (const auto algorithm : all_algorithms) {
    INFO(name_of(algorithm));
    const auto model = CollaborativeModel::train(ids(), interactions, only(algorithm)).value();
    REQUIRE(model.has(algorithm));
    for (int cluster = 0; cluster < clusters; ++cluster) {
      const auto history = history_of({100 + cluster, 104 + cluster, 112 + cluster});
      Scores scores;
      scores.reset(model.books().size());
      model.score(algorithm, history, scores);
      std::vector<std::size_t> order(scores.values.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::ranges::sort(order, std::greater(), [&](std::size_t i) { return scores.values[i]; });
      const auto own = std::count_if(order.begin(), order.begin() + 10,
                                     [&](std::size_t i) { return cluster_of(model.books()[i]) == cluster; });
      CHECK(own >= 9);
    }
  }
}

TEST_CASE("what each book of the history gave sums to the score", "[H14]") {
  const auto model = CollaborativeModel::train(ids(), readings(200), small().people).value();
  const auto history = history_of({100, 104, 109, 112});
  for (const auto algorithm : {Algorithm::neighbours, Algorithm::sequence, Algorithm::linear}) {
    Scores scores;
    scores.reset(model.books().size());
    model.score(algorithm, history, scores);
    for (const auto book : model.books()) {
      float sum = 0;
      for (const auto share : model.contributions(algorithm, history, book)) sum += share;
      CHECK(sum == Approx(scores.values[*model.index_of(book)]).margin(1e-4));
    }
  }
}

TEST_CASE("a disliked book lowers what goes with it", "[H6]") {
  const auto model = CollaborativeModel::train(ids(), readings(200), only(Algorithm::neighbours)).value();
  Scores liked;
  Scores disliked;
  liked.reset(model.books().size());
  disliked.reset(model.books().size());
  model.score(Algorithm::neighbours, History({{100, 1, now}}), liked);
  model.score(Algorithm::neighbours, History({{100, strength_of(Signal::dislike), now}}), disliked);
  for (const auto index : liked.touched) CHECK(disliked.values[index] < 0);
}

TEST_CASE("the closed form of EASE is the least squares solution without a diagonal", "[H7]") {
  // Three books, four people; compared with the definition, solved by hand for one column by its normal
  // equations: B_j minimises |X_j - X B_j|^2 + lambda |B_j|^2 with B_jj = 0.
  const std::vector<Interaction> rows = {{1, 1, 1, now}, {1, 2, 1, now}, {2, 1, 1, now}, {2, 2, 1, now},
                                         {2, 3, 1, now}, {3, 3, 1, now}, {4, 1, 1, now}, {4, 3, 1, now}};
  auto parameters = only(Algorithm::linear);
  parameters.linear_regularisation = 0.5F;
  const auto model = CollaborativeModel::train({1, 2, 3}, rows, parameters).value();
  const double g11 = 3.5;
  const double g22 = 2.5;
  const double g12 = 2;
  const double g13 = 2;
  const double g23 = 1;
  // Column of book 3 from books 1 and 2.
  const double determinant = g11 * g22 - g12 * g12;
  const double from_1 = (g22 * g13 - g12 * g23) / determinant;
  const double from_2 = (g11 * g23 - g12 * g13) / determinant;
  Scores scores;
  scores.reset(3);
  model.score(Algorithm::linear, History({{1, 1, now}}), scores);
  CHECK(scores.values[2] == Approx(from_1).margin(1e-4));
  scores.reset(3);
  model.score(Algorithm::linear, History({{2, 1, now}}), scores);
  CHECK(scores.values[2] == Approx(from_2).margin(1e-4));
}

TEST_CASE("the model does not depend on the number of threads", "[H18]") {
  const auto bytes = [](unsigned threads) {
    vector::Work work;
    work.threads = threads;
    const auto model = CollaborativeModel::train(ids(), readings(100), small().people, work).value();
    vector::ArchiveWriter writer("LUMTESTS", 1);
    model.save(writer);
    return std::move(writer).finish();
  };
  CHECK(bytes(1) == bytes(3));
}

TEST_CASE("no books, nobody, one person, all the same: a model that says nothing wrong", "[H4]") {
  const auto try_all = [](std::vector<std::int64_t> books, const std::vector<Interaction>& rows) {
    const auto model = CollaborativeModel::train(std::move(books), rows, small().people).value();
    for (const auto algorithm : all_algorithms) {
      Scores scores;
      scores.reset(model.books().size());
      model.score(algorithm, history_of({100, 104, 9'999}), scores);
      for (const auto value : scores.values) CHECK(std::isfinite(value));
      CHECK(model.neighbours(algorithm, 9'999).empty());
    }
  };
  try_all({}, {});
  try_all({}, readings(3));
  try_all(ids(), {});
  try_all({100}, {{1, 100, 1, now}});
  try_all(ids(), {{1, 100, 1, now}, {1, 104, 1, now}});
  std::vector<Interaction> same;
  for (int person = 0; person < 50; ++person)
    for (const auto book : ids()) same.push_back({person, book, 1, now});
  try_all(ids(), same);
}

TEST_CASE("training can be cancelled in every part") {
  for (const auto algorithm : all_algorithms) {
    vector::Work work;
    work.cancelled = [] { return true; };
    const auto model = CollaborativeModel::train(ids(), readings(20), only(algorithm), work);
    REQUIRE_FALSE(model);
    CHECK(model.error().code == "cancelled");
  }
}

}  // namespace
}  // namespace lumina::recs
