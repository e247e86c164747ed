// The inner loops: products and sums of float rows, by AVX2 where the processor has it.
//
// Chosen once, at the first call; a machine without AVX2 runs the plain form. Sums are taken in an order that
// depends on the form alone, so one machine always gives the same bits. Pointers need no alignment.
#pragma once
#include <cstddef>

namespace lumina::vector {

float dot_product(const float* a, const float* b, std::size_t size);
// to += factor * from
void add_scaled(float factor, const float* from, float* to, std::size_t size);

}  // namespace lumina::vector
