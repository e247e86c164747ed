#include "modules/recs/factors.hpp"

#include "core/vector/algebra.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <random>

namespace lumina::recs {
namespace {

using Square = Eigen::MatrixXf;
using Column = Eigen::VectorXf;

// The least squares vector of one row against the other side's vectors.
template <class Each>
void solve(std::span<const float> others, std::span<const float> gram, std::size_t factors, float confidence,
           float regularisation, const Each& each_entry, float* out) {
  const auto f = static_cast<Eigen::Index>(factors);
  Square left = Eigen::Map<const Square>(gram.data(), f, f);
  left.diagonal().array() += regularisation;
  Column right = Column::Zero(f);
  each_entry([&](std::uint32_t other, float weight) {
    const Eigen::Map<const Column> vector(others.data() + other * factors, f);
    const auto extra = confidence * weight;
    left.selfadjointView<Eigen::Lower>().rankUpdate(vector, extra);
    right += (1 + extra) * vector;
  });
  Eigen::Map<Column>(out, f) = left.selfadjointView<Eigen::Lower>().llt().solve(right);
}

bool half_step(const SparseRows& rows, const std::vector<float>& others, std::vector<float>& own,
               const FactorParameters& parameters, const vector::Work& work) {
  const auto factors = parameters.factors;
  const auto gram = vector::gram(others, others.size() / factors, factors);
  return vector::for_pieces(rows.rows(), 64, work, [&](std::size_t from, std::size_t to) {
    for (auto row = from; row < to; ++row)
      solve(
          others, gram, factors, parameters.confidence, parameters.regularisation,
          [&](const auto& add) {
            for (auto i = rows.starts[row]; i < rows.starts[row + 1]; ++i)
              add(rows.columns[i], rows.weights[i]);
          },
          own.data() + row * factors);
  });
}

}  // namespace

SparseRows SparseRows::transposed(std::size_t column_count) const {
  SparseRows other;
  other.starts.assign(column_count + 1, 0);
  for (const auto column : columns) ++other.starts[column + 1];
  for (std::size_t i = 0; i < column_count; ++i) other.starts[i + 1] += other.starts[i];
  other.columns.resize(columns.size());
  other.weights.resize(weights.size());
  auto next = other.starts;
  for (std::size_t row = 0; row < rows(); ++row)
    for (auto i = starts[row]; i < starts[row + 1]; ++i) {
      const auto to = next[columns[i]]++;
      other.columns[to] = static_cast<std::uint32_t>(row);
      other.weights[to] = weights[i];
    }
  return other;
}

std::vector<float> train_factors(const SparseRows& people, std::size_t books,
                                 const FactorParameters& parameters, const vector::Work& work) {
  const auto factors = parameters.factors;
  const auto by_book = people.transposed(books);
  std::vector<float> person_factors(people.rows() * factors);
  std::vector<float> book_factors(books * factors);
  std::mt19937_64 random(parameters.seed);
  const auto scale = 1 / std::sqrt(static_cast<float>(factors));
  for (auto& value : book_factors)
    value = scale * (static_cast<float>(random() >> 40U) / 8'388'608.0F - 1.0F);
  vector::Work quiet = work;
  quiet.progress = {};
  for (std::size_t step = 0; step < parameters.steps; ++step) {
    if (!half_step(people, book_factors, person_factors, parameters, quiet)) return {};
    if (!half_step(by_book, person_factors, book_factors, parameters, quiet)) return {};
    work.report(static_cast<double>(step + 1) / static_cast<double>(parameters.steps));
  }
  return book_factors;
}

std::vector<float> fold_in(std::span<const Wanted> history, std::span<const float> book_factors,
                           std::span<const float> gram, const FactorParameters& parameters) {
  std::vector<float> vector(parameters.factors);
  solve(
      book_factors, gram, parameters.factors, parameters.confidence, parameters.regularisation,
      [&](const auto& add) {
        for (const auto& entry : history)
          if (entry.weight > 0) add(entry.book, entry.weight);
      },
      vector.data());
  return vector;
}

}  // namespace lumina::recs
