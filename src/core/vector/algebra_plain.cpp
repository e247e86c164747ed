#include "core/vector/algebra_body.hpp"

namespace lumina::vector {

const AlgebraForm plain_algebra = form;

}  // namespace lumina::vector
