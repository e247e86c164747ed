// luminalib healthcheck: asks a running server, for container images without curl.
#include "cli/commands.hpp"
#include "core/http/probe.hpp"

#include <fmt/format.h>

namespace lumina::cli {

int check_health(const Invocation&, const config::Config& config) {
  const auto& listen = config.http_addr.front();
  const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1" : listen.host == "::" ? "::1" : listen.host;
  const auto status = http::get_status(host, listen.port, "/ready");
  if (!status) {
    fmt::print(stderr, "not reachable at {}: {}\n", listen.to_string(), status.error());
    return 1;
  }
  if (*status != 200) {
    fmt::print(stderr, "not ready: status {}\n", *status);
    return 1;
  }
  fmt::print("ready\n");
  return 0;
}

}  // namespace lumina::cli
