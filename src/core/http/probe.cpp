#include "core/http/probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace lumina::http {

std::expected<int, std::string> get_status(const std::string& address, std::uint16_t port,
                                           const std::string& path, std::chrono::seconds patience) {
  namespace beast = boost::beast;
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address, error);
  if (error) return std::unexpected(address + " is no IP address");
  boost::asio::io_context io;
  beast::tcp_stream stream(io);
  stream.expires_after(patience);
  stream.async_connect({ip, port}, [&](boost::system::error_code e) { error = e; });
  io.run();
  if (error) return std::unexpected(error.message());
  beast::http::request<beast::http::empty_body> request{beast::http::verb::get, path, 11};
  request.set(beast::http::field::host, "localhost");
  request.keep_alive(false);
  beast::flat_buffer buffer;
  beast::http::response<beast::http::string_body> response;
  io.restart();
  stream.expires_after(patience);
  beast::http::async_write(stream, request, [&](boost::system::error_code e, std::size_t) {
    error = e;
    if (e) return;
    beast::http::async_read(stream, buffer, response,
                            [&](boost::system::error_code f, std::size_t) { error = f; });
  });
  io.run();
  if (error) return std::unexpected(error.message());
  return static_cast<int>(response.result_int());
}

}  // namespace lumina::http
