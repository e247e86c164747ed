// luminalib healthcheck: asks a running server, for container images without curl.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"

namespace lumina::cli {

int check_health(const Invocation&, const config::Config& config) {
  namespace http = boost::beast::http;
  const auto& listen = config.http_addr.front();
  const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1" : listen.host == "::" ? "::1" : listen.host;
  boost::asio::io_context io;
  boost::beast::tcp_stream stream(io);
  boost::system::error_code error;
  int status = 0;
  stream.expires_after(std::chrono::seconds(5));
  stream.async_connect({boost::asio::ip::make_address(host), listen.port}, [&](boost::system::error_code e) { error = e; });
  io.run();
  if (!error) {
    http::request<http::empty_body> request{http::verb::get, "/ready", 11};
    request.set(http::field::host, listen.to_string());
    request.keep_alive(false);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    io.restart();
    stream.expires_after(std::chrono::seconds(5));
    http::async_write(stream, request, [&](boost::system::error_code e, std::size_t) {
      if ((error = e)) return;
      http::async_read(stream, buffer, response, [&](boost::system::error_code f, std::size_t) { error = f; });
    });
    io.run();
    status = static_cast<int>(response.result_int());
  }
  if (error) {
    fmt::print(stderr, "not reachable at {}: {}\n", listen.to_string(), error.message());
    return 1;
  }
  if (status != 200) {
    fmt::print(stderr, "not ready: status {}\n", status);
    return 1;
  }
  fmt::print("ready\n");
  return 0;
}

}  // namespace lumina::cli
