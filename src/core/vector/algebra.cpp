#include "core/vector/algebra.hpp"

#include "core/vector/algebra_form.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace lumina::vector {
namespace {

const AlgebraForm& form() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#else
  static const bool wide = false;
#endif
  return wide ? wide_algebra : plain_algebra;
}

// Directions whose squared length is below this share of the longest are rounding errors.
constexpr float negligible = 1e-5F;

// One pass of orthonormalisation by the spectrum of the columns' inner products.
std::size_t orthonormalise_once(std::vector<float>& matrix, std::size_t rows, std::size_t columns) {
  const auto spectrum = symmetric_eigen(gram(matrix, rows, columns), columns);
  std::size_t rank = 0;
  while (rank < columns && spectrum.values[rank] > negligible * spectrum.values[0]) ++rank;
  if (rank == 0) {
    matrix.clear();
    return 0;
  }
  std::vector<float> turn(columns * rank);
  for (std::size_t i = 0; i < columns; ++i)
    for (std::size_t j = 0; j < rank; ++j)
      turn[i * rank + j] = spectrum.vectors[i * columns + j] / std::sqrt(spectrum.values[j]);
  matrix = product(matrix, turn, rows, columns, rank);
  return rank;
}

}  // namespace

std::size_t orthonormalise(std::vector<float>& matrix, std::size_t rows, std::size_t columns) {
  // Twice is enough (Yamamoto et al., "Roundoff error analysis of the CholeskyQR2 algorithm", ETNA 2015).
  const auto first = orthonormalise_once(matrix, rows, columns);
  return first == 0 ? 0 : orthonormalise_once(matrix, rows, first);
}

std::vector<float> product(std::span<const float> left, std::span<const float> right, std::size_t rows,
                           std::size_t inner, std::size_t columns) {
  std::vector<float> out(rows * columns);
  if (!out.empty()) form().product(left.data(), right.data(), rows, inner, columns, out.data());
  return out;
}

std::vector<float> gram(std::span<const float> matrix, std::size_t rows, std::size_t columns) {
  std::vector<float> out(columns * columns);
  if (!out.empty()) form().gram(matrix.data(), rows, columns, out.data());
  return out;
}

Spectrum symmetric_eigen(std::span<const float> matrix, std::size_t size) {
  Spectrum spectrum;
  if (size == 0) return spectrum;
  using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(size);
  Square values(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      values(i, j) = static_cast<double>(matrix[static_cast<std::size_t>(i * n + j)]);
  const Eigen::SelfAdjointEigenSolver<Square> solver(values);
  spectrum.values.resize(size);
  spectrum.vectors.resize(size * size);
  for (std::size_t j = 0; j < size; ++j) {
    const auto from = static_cast<Eigen::Index>(size - 1 - j);  // Eigen's rise
    spectrum.values[j] = static_cast<float>(solver.eigenvalues()(from));
    for (std::size_t i = 0; i < size; ++i)
      spectrum.vectors[i * size + j] =
          static_cast<float>(solver.eigenvectors()(static_cast<Eigen::Index>(i), from));
  }
  return spectrum;
}

bool invert(std::vector<float>& matrix, std::size_t size, const Work& work) {
  if (size == 0) return true;
  if (work.stopped() || !form().factorise(matrix.data(), size)) return false;
  work.report(0.3);
  std::vector<float> inverse(size * size);
  const auto all = for_pieces(size, 256, work.part(0.3, 1), [&](std::size_t from, std::size_t to) {
    form().inverse_columns(matrix.data(), size, from, to, inverse.data() + from * size);
  });
  matrix = std::move(inverse);
  return all;
}

}  // namespace lumina::vector
