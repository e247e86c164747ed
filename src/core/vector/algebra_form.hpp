// The heavy operations of algebra.cpp, compiled twice from algebra_body.hpp: for any processor, and for AVX2.
#pragma once
#include <cstddef>

namespace lumina::vector {

struct AlgebraForm {
  void (*gram)(const float* matrix, std::size_t rows, std::size_t columns, float* out);
  void (*product)(const float* left, const float* right, std::size_t rows, std::size_t inner,
                  std::size_t columns, float* out);
  // The lower triangle becomes the Cholesky factor; false when the matrix is not positive definite.
  bool (*factorise)(float* matrix, std::size_t size);
  // Columns [from, to) of the inverse, by the factor; `out` holds to - from columns of `size`, one after
  // another.
  void (*inverse_columns)(const float* factor, std::size_t size, std::size_t from, std::size_t to,
                          float* out);
};

extern const AlgebraForm plain_algebra;
extern const AlgebraForm wide_algebra;

}  // namespace lumina::vector
