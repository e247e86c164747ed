// Dense algebra on matrices of floats in row order, by Eigen, in a plain and an AVX2 form (see algebra.cpp).
//
// Single-threaded unless it takes a Work. Memory is the caller's; sizes of a few thousand are what it is for.
#pragma once
#include "core/vector/work.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace lumina::vector {

// The columns of `rows` x `columns` made orthonormal in place of themselves; directions that the others hold
// already (rank) are dropped and the matrix packed to what is left. Returns the columns left.
std::size_t orthonormalise(std::vector<float>& matrix, std::size_t rows, std::size_t columns);

// left (rows x inner) times right (inner x columns).
std::vector<float> product(std::span<const float> left, std::span<const float> right, std::size_t rows,
                           std::size_t inner, std::size_t columns);
// The transpose of `matrix` (rows x columns) times itself.
std::vector<float> gram(std::span<const float> matrix, std::size_t rows, std::size_t columns);

// Eigenvalues, falling, and eigenvectors as columns, of a symmetric matrix.
struct Spectrum {
  std::vector<float> values;
  std::vector<float> vectors;
};
Spectrum symmetric_eigen(std::span<const float> matrix, std::size_t size);

// The inverse of a symmetric positive definite matrix, in its place. False when cancelled or not definite.
bool invert(std::vector<float>& matrix, std::size_t size, const Work& work = {});

}  // namespace lumina::vector
