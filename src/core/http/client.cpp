#include "core/http/client.hpp"

#include "core/base/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace lumina::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, IoExecutor>;
using Resolver = asio::ip::basic_resolver<tcp, IoExecutor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
using TlsStream = asio::ssl::stream<Socket&>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable_t<IoExecutor>{});
constexpr std::size_t piece_size = 16 * 1024, most_head = 64 * 1024;

Failure unavailable(std::string code, std::string detail) {
  return fail(ErrorKind::unavailable, std::move(code), std::move(detail));
}
Failure bad_url(std::string detail) { return fail(ErrorKind::refused, "bad_url", std::move(detail)); }

// What the deadline ends.
struct Exchange : std::enable_shared_from_this<Exchange> {
  explicit Exchange(const IoExecutor& executor) : resolver(executor), socket(executor), timer(executor) {}
  void end_after(std::chrono::milliseconds time) {
    timer.expires_after(time);
    timer.async_wait([self = shared_from_this()](error_code error) {
      if (error) return;
      self->late = true;
      error_code ignored;
      self->resolver.cancel();
      self->socket.close(ignored);
    });
  }
  Failure failed(std::string code, const std::string& what) const {
    if (late) return unavailable("timeout", "The other server did not answer in time");
    return unavailable(std::move(code), what);
  }
  Resolver resolver;
  Socket socket;
  Timer timer;
  bool late = false;
};

beast::http::verb verb_of(Method method) {
  return beast::http::string_to_verb(std::string(to_string(method)));
}

// Writes the request and reads the answer on a connected stream.
template <class Stream>
Task<Result<Incoming>> talk(Exchange& exchange, Stream& stream, const Outgoing& request, const UrlParts& url,
                            std::uint64_t most_bytes) {
  beast::http::request<beast::http::string_body> out{verb_of(request.method), url.target, 11};
  for (const auto& [name, value] : request.headers) out.insert(name, value);
  out.set(beast::http::field::host, url.authority);
  out.set(beast::http::field::user_agent, "LuminaLib/" LUMINA_VERSION);
  out.set(beast::http::field::connection, "close");
  if (!request.body.empty() || request.method == Method::post || request.method == Method::put ||
      request.method == Method::patch) {
    out.body() = request.body;
    out.prepare_payload();
  }
  const auto [write_error, written] = co_await beast::http::async_write(stream, out, as_result);
  if (write_error) co_return exchange.failed("unreachable", "The connection broke: " + write_error.message());

  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::buffer_body> parser;
  parser.header_limit(most_head);
  parser.body_limit(boost::none);  // counted here, so that both ways of reading have one bound
  if (request.method == Method::head) parser.skip(true);
  const auto [head_error, head_bytes] =
      co_await beast::http::async_read_header(stream, buffer, parser, as_result);
  if (head_error)
    co_return exchange.failed("broken_answer", "No answer could be read: " + head_error.message());

  Incoming in;
  in.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get())
    in.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  const bool heard = request.listener && in.status >= 200 && in.status < 300;
  std::uint64_t received = 0;
  auto piece = std::make_unique<char[]>(piece_size);
  while (!parser.is_done()) {
    parser.get().body().data = piece.get();
    parser.get().body().size = piece_size;
    const auto [error, bytes] = co_await beast::http::async_read_some(stream, buffer, parser, as_result);
    const std::size_t got = piece_size - parser.get().body().size;
    received += got;
    if (received > most_bytes)
      co_return fail(ErrorKind::refused, "answer_too_large", "The answer of the other server is too large");
    if (heard) {
      if (got > 0 && !request.listener({piece.get(), got}))
        co_return fail(ErrorKind::refused, "stopped", "Nobody wanted the rest of the answer");
    } else {
      in.body.append(piece.get(), got);
    }
    if (error == beast::http::error::need_buffer) continue;
    // A body without a length ends with the connection, over TLS often without a farewell.
    if ((error == asio::error::eof || error == asio::ssl::error::stream_truncated) && parser.need_eof())
      break;
    if (error) co_return exchange.failed("broken_answer", "The answer broke off: " + error.message());
  }
  co_return in;
}

Task<Result<Incoming>> run(std::shared_ptr<const ClientOptions> options,
                           std::shared_ptr<asio::ssl::context> tls, Outgoing request) {
  const auto url = parse_url(request.url);
  if (!url) co_return Failure(url.error());
  const auto executor = co_await asio::this_coro::executor;
  const auto exchange = std::make_shared<Exchange>(executor);
  exchange->end_after(request.deadline ? std::min(*request.deadline, options->deadline) : options->deadline);
  struct Ended {
    ~Ended() {
      error_code ignored;
      exchange.timer.cancel();
      exchange.socket.close(ignored);
    }
    Exchange& exchange;
  } const ended{*exchange};

  const auto [resolve_error, found] =
      co_await exchange->resolver.async_resolve(url->host, url->port, Resolver::numeric_service, as_result);
  if (resolve_error)
    co_return exchange->failed("unreachable", "The name cannot be resolved: " + resolve_error.message());
  bool refused = false, connected = false;
  error_code connect_error = asio::error::host_not_found;
  for (const auto& entry : found) {
    const auto address = entry.endpoint().address();
    if (options->allowed && !options->allowed(address.to_string())) {
      refused = true;
      continue;
    }
    error_code ignored;
    exchange->socket.close(ignored);
    const auto [error] = co_await exchange->socket.async_connect(entry.endpoint(), as_result);
    connect_error = error;
    connected = !error && !exchange->late;
    if (connected || exchange->late) break;
  }
  if (!connected && refused && !exchange->late)
    co_return fail(ErrorKind::refused, "address_refused", "The address is not one that the library sends to");
  if (!connected) co_return exchange->failed("unreachable", "No connection: " + connect_error.message());
  error_code ignored;
  exchange->socket.set_option(tcp::no_delay(true), ignored);

  if (!url->tls) co_return co_await talk(*exchange, exchange->socket, request, *url, options->most_bytes);
  TlsStream stream(exchange->socket, *tls);
  SSL_set_tlsext_host_name(stream.native_handle(), url->host.c_str());
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(url->host));
  const auto [tls_error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
  if (tls_error) co_return exchange->failed("tls_failed", "No trusted connection: " + tls_error.message());
  co_return co_await talk(*exchange, stream, request, *url, options->most_bytes);
}

}  // namespace

std::string_view Incoming::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (iequals(key, name)) return value;
  return {};
}

Result<UrlParts> parse_url(std::string_view text) {
  if (text.size() > 2048) return bad_url("The URL is too long");
  const auto parsed = boost::urls::parse_absolute_uri(text);
  if (!parsed) return bad_url("This is not an absolute URL");
  const auto& url = *parsed;
  UrlParts parts;
  if (url.scheme() != "http" && url.scheme() != "https")
    return bad_url("The URL must begin with http:// or https://");
  parts.tls = url.scheme() == "https";
  if (url.has_userinfo()) return bad_url("The URL must not hold a name or password");
  parts.host = url.host_address();
  if (parts.host.empty()) return bad_url("The URL names no host");
  parts.port = url.port().empty() ? std::string(parts.tls ? "443" : "80") : std::string(url.port());
  int port = 0;
  const auto [end, error] = std::from_chars(parts.port.data(), parts.port.data() + parts.port.size(), port);
  if (error != std::errc{} || end != parts.port.data() + parts.port.size() || port < 1 || port > 65'535)
    return bad_url("The port of the URL is not one");
  parts.authority = std::string(url.encoded_host_and_port());
  parts.target = std::string(url.encoded_path());
  if (parts.target.empty()) parts.target = "/";
  if (url.has_query()) parts.target += "?" + std::string(url.encoded_query());
  return parts;
}

Client::Client(ClientOptions options)
    : options_(std::make_shared<const ClientOptions>(std::move(options))),
      tls_(std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client)) {
  SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
  error_code error;
  if (options_->ca_file.empty())
    tls_->set_default_verify_paths(error);
  else
    tls_->load_verify_file(options_->ca_file, error);
  if (error)
    throw std::runtime_error("the certificates of " + options_->ca_file +
                             " cannot be read: " + error.message());
}

Task<Result<Incoming>> Client::send(Outgoing request) const {
  return run(options_, tls_, std::move(request));
}

}  // namespace lumina::http
