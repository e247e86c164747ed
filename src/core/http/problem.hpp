// Errors as RFC 9457 problem documents: the only place that knows their statuses and titles.
#pragma once
#include "core/base/error.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"

#include <string>
#include <string_view>

namespace lumina::http {

int status_of(ErrorKind kind);
std::string_view reason_of(int status);

// `instance` is the path; the document also carries request_id, code and, for invalid input, errors.
Response problem(const Context& context, Error error);
Response problem(int status, std::string_view code, std::string_view detail, std::string_view instance,
                 std::string_view request_id);

}  // namespace lumina::http
