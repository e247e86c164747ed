#include "core/calls/run_here.hpp"

#include "core/http/route.hpp"
#include "core/runtime/block_on.hpp"

#include <utility>

namespace lumina::calls {

http::Response run_here(http::Context& context) {
  auto answer = context.route->handler(context);
  if (answer.ready()) return std::move(answer.value());
  return runtime::block_on(std::move(answer.task()));
}

}  // namespace lumina::calls
