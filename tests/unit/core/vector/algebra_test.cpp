#include "core/vector/algebra.hpp"

#include "core/vector/algebra_form.hpp"
#include "core/vector/kernels.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace lumina::vector {
namespace {

std::vector<float> random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> spread;
  std::vector<float> matrix(rows * columns);
  for (auto& value : matrix) value = spread(random);
  return matrix;
}

TEST_CASE("columns become orthonormal, and dependent ones are dropped") {
  constexpr std::size_t rows = 60;
  auto matrix = random_matrix(rows, 5, 1);
  for (std::size_t i = 0; i < rows; ++i) matrix[i * 5 + 4] = matrix[i * 5] + 2 * matrix[i * 5 + 1];
  const auto rank = orthonormalise(matrix, rows, 5);
  REQUIRE(rank == 4);
  REQUIRE(matrix.size() == rows * rank);
  const auto products = gram(matrix, rows, rank);
  for (std::size_t i = 0; i < rank; ++i)
    for (std::size_t j = 0; j < rank; ++j)
      CHECK(products[i * rank + j] == Approx(i == j ? 1.0F : 0.0F).margin(1e-4));
  std::vector<float> zeros(30, 0.0F);
  CHECK(orthonormalise(zeros, 10, 3) == 0);
}

TEST_CASE("a matrix times its inverse is one, in the plain and in the wide form") {
  constexpr std::size_t size = 70;
  auto matrix = gram(random_matrix(100, size, 2), 100, size);
  for (std::size_t i = 0; i < size; ++i) matrix[i * size + i] += 5;
  auto inverse = matrix;
  REQUIRE(invert(inverse, size));
  const auto one = product(matrix, inverse, size, size, size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j)
      CHECK(one[i * size + j] == Approx(i == j ? 1.0F : 0.0F).margin(1e-3));

  std::vector<float> plain(size * size);
  plain_algebra.gram(matrix.data(), size, size, plain.data());
  const auto best = gram(matrix, size, size);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(plain[i] == Approx(best[i]).epsilon(1e-3));

  std::vector<float> indefinite = {1, 2, 2, 1};
  CHECK_FALSE(invert(indefinite, 2));
}

TEST_CASE("inner products are right for every length") {
  for (std::size_t length = 0; length < 70; ++length) {
    const auto a = random_matrix(1, length, 3);
    auto b = random_matrix(1, length, 4);
    double expected = 0;
    for (std::size_t i = 0; i < length; ++i)
      expected += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    CHECK(dot_product(a.data(), b.data(), length) == Approx(expected).margin(1e-4));
    const auto before = b;
    add_scaled(2, a.data(), b.data(), length);
    for (std::size_t i = 0; i < length; ++i) CHECK(b[i] == Approx(before[i] + 2 * a[i]).margin(1e-5));
  }
}

}  // namespace
}  // namespace lumina::vector
