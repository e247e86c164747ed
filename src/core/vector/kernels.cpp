#include "core/vector/kernels.hpp"

#include <cstring>

namespace lumina::vector {
namespace {

using Eight = float __attribute__((vector_size(32)));

// Inlined into both forms below, and compiled there for what each may use.
[[gnu::always_inline]] inline float dot_body(const float* a, const float* b, std::size_t size) {
  Eight sums[4] = {};
  Eight left;
  Eight right;
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32)
    for (std::size_t lane = 0; lane < 4; ++lane) {
      std::memcpy(&left, a + i + lane * 8, sizeof left);
      std::memcpy(&right, b + i + lane * 8, sizeof right);
      sums[lane] += left * right;
    }
  for (; i + 8 <= size; i += 8) {
    std::memcpy(&left, a + i, sizeof left);
    std::memcpy(&right, b + i, sizeof right);
    sums[0] += left * right;
  }
  const Eight all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = ((all[0] + all[4]) + (all[1] + all[5])) + ((all[2] + all[6]) + (all[3] + all[7]));
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

[[gnu::always_inline]] inline void add_body(float factor, const float* from, float* to, std::size_t size) {
  const Eight factors = {factor, factor, factor, factor, factor, factor, factor, factor};
  Eight more;
  Eight sum;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::memcpy(&more, from + i, sizeof more);
    std::memcpy(&sum, to + i, sizeof sum);
    sum += factors * more;
    std::memcpy(to + i, &sum, sizeof sum);
  }
  for (; i < size; ++i) to[i] += factor * from[i];
}

float dot_plain(const float* a, const float* b, std::size_t size) { return dot_body(a, b, size); }
void add_plain(float factor, const float* from, float* to, std::size_t size) {
  add_body(factor, from, to, size);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float dot_wide(const float* a, const float* b, std::size_t size) {
  return dot_body(a, b, size);
}
[[gnu::target("avx2,fma")]] void add_wide(float factor, const float* from, float* to, std::size_t size) {
  add_body(factor, from, to, size);
}
bool has_wide() { return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0; }
#else
constexpr auto dot_wide = dot_plain;
constexpr auto add_wide = add_plain;
bool has_wide() { return false; }
#endif

}  // namespace

float dot_product(const float* a, const float* b, std::size_t size) {
  static const auto best = has_wide() ? dot_wide : dot_plain;
  return best(a, b, size);
}

void add_scaled(float factor, const float* from, float* to, std::size_t size) {
  static const auto best = has_wide() ? add_wide : add_plain;
  best(factor, from, to, size);
}

}  // namespace lumina::vector
