#include "core/http/own_address.hpp"

#include "core/base/text.hpp"

namespace lumina::http {

std::string own_address(const Request& request) {
  const bool tls = request.tls || iequals(request.head.header("X-Forwarded-Proto"), "https");
  return std::string(tls ? "https://" : "http://").append(request.head.header("Host"));
}

}  // namespace lumina::http
