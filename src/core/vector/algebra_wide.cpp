// Compiled with AVX2 and FMA on x86-64 (CMakeLists.txt), as it is elsewhere.
#include "core/vector/algebra_body.hpp"

namespace lumina::vector {

const AlgebraForm wide_algebra = form;

}  // namespace lumina::vector
