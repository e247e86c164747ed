// Problems of the calls themselves, with a status and a code of their own.
#pragma once
#include "core/http/context.hpp"
#include "core/http/message.hpp"
#include "core/http/problem.hpp"

#include <string_view>

namespace lumina::calls {

// About the request of `context`, or, in a batch, about the call to `path`.
inline http::Response refusal(const http::Context& context, int status, std::string_view code,
                              std::string_view detail, std::string_view path) {
  return http::problem(status, code, detail, path, context.caller.request_id);
}
inline http::Response refusal(const http::Context& context, int status, std::string_view code,
                              std::string_view detail) {
  return refusal(context, status, code, detail, context.request->head.path());
}

}  // namespace lumina::calls
