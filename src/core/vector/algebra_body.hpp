// What algebra_plain.cpp and algebra_wide.cpp compile, each for its own processor. Nothing here may leave the
// unnamed namespace: a function of the standard library that both would share could end up in its AVX2 form
// on a machine without it. Eigen itself bears another name in the wide form (CMakeLists.txt).
#pragma once
#include "core/vector/algebra_form.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace lumina::vector {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Columns = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

Eigen::Index number(std::size_t value) { return static_cast<Eigen::Index>(value); }

void gram_of(const float* matrix, std::size_t rows, std::size_t columns, float* out) {
  const Eigen::Map<const Rows> m(matrix, number(rows), number(columns));
  Eigen::Map<Rows> result(out, number(columns), number(columns));
  result.setZero();
  // By blocks, so that sums of many rows keep their small terms.
  constexpr Eigen::Index block = 4'096;
  for (Eigen::Index from = 0; from < m.rows(); from += block) {
    const auto part = m.middleRows(from, m.rows() - from < block ? m.rows() - from : block);
    result.noalias() += part.transpose() * part;
  }
}

void product_of(const float* left, const float* right, std::size_t rows, std::size_t inner,
                std::size_t columns, float* out) {
  Eigen::Map<Rows>(out, number(rows), number(columns)).noalias() =
      Eigen::Map<const Rows>(left, number(rows), number(inner)) *
      Eigen::Map<const Rows>(right, number(inner), number(columns));
}

bool factorise_in_place(float* matrix, std::size_t size) {
  Eigen::Map<Columns> m(matrix, number(size), number(size));
  const Eigen::LLT<Eigen::Ref<Columns>> factor(m);
  return factor.info() == Eigen::Success;
}

void inverse_columns_of(const float* factor, std::size_t size, std::size_t from, std::size_t to, float* out) {
  const Eigen::Map<const Columns> lower(factor, number(size), number(size));
  Eigen::Map<Columns> result(out, number(size), number(to - from));
  result.setZero();
  for (std::size_t column = from; column < to; ++column) result(number(column), number(column - from)) = 1;
  // Above `from` the first solution is zero.
  const auto rest = number(size - from);
  auto below = result.bottomRows(rest);
  lower.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>().solveInPlace(below);
  lower.triangularView<Eigen::Lower>().transpose().solveInPlace(result);
}

constexpr AlgebraForm form = {gram_of, product_of, factorise_in_place, inverse_columns_of};

}  // namespace
}  // namespace lumina::vector
