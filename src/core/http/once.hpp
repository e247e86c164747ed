// The step of the pipeline that makes a POST with an Idempotency-Key happen once. An interface: keeping
// answers takes a database and rules of its own, which live in core/calls.
#pragma once
#include "core/base/task.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"

namespace lumina::http {

class Once {
 public:
  virtual ~Once() = default;
  // Serves the request of `context`, whose route is known and allowed, or gives the answer it had before.
  // Called on the io thread of the request, for a POST whose header Idempotency-Key is there and not empty.
  virtual Task<Response> serve(Context& context) = 0;
};

}  // namespace lumina::http
