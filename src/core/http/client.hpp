// Requests of ours to other servers: webhooks, language models. HTTP/1.1, one connection a request.
//
//   http::Client client({.allowed = http::is_public_address});
//   http::Outgoing request{.url = "https://example.org/hook", .body = text};
//   request.headers = {{"Content-Type", "application/json"}};
//   auto answer = co_await client.send(std::move(request));       // on an io thread
//   auto answer = runtime::block_on(client.send(std::move(request)));  // on a thread that may block
//
// The whole exchange, from resolving the name to the last byte, ends within `deadline`. The address that is
// connected to is the one that `allowed` saw: no second look-up can change it. Redirects are answers like any
// other, never followed. TLS 1.2 or 1.3 with the name and the chain verified; certificates come from the
// system or from `ca_file`.
//
// A status is not an error. Errors: refused with "bad_url", "address_refused", "answer_too_large" or
// "stopped" (the listener said so), unavailable with "unreachable", "timeout", "tls_failed" or
// "broken_answer". A Client is a value that any threads may share.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace lumina::http {

struct Outgoing {
  Method method = Method::post;
  std::string url;  // http or https, absolute, without user information
  Headers headers;  // besides Host, Content-Length, User-Agent
  std::string body;
  // Gets the body of a 2xx answer piece by piece, on the thread of the task, instead of Incoming::body:
  // tokens of a language model. False ends the exchange.
  std::function<bool(std::string_view)> listener{};
  // For this exchange instead of ClientOptions::deadline, when shorter.
  std::optional<std::chrono::milliseconds> deadline{};
};

struct Incoming {
  int status = 0;
  Headers headers;
  std::string body;
  std::string_view header(std::string_view name) const;
};

struct ClientOptions {
  std::chrono::milliseconds deadline{30'000};
  std::uint64_t most_bytes = 1 << 20;               // of an answer's body
  std::function<bool(std::string_view)> allowed{};  // may it be connected to; empty: all addresses
  std::string ca_file{};                            // PEM; empty: the system's
};

// What a URL names, for those who check one before they keep it. Error: refused, "bad_url".
struct UrlParts {
  bool tls = false;
  std::string host;  // without brackets
  std::string port;
  std::string target;     // path and query
  std::string authority;  // for Host
};
Result<UrlParts> parse_url(std::string_view url);

class Client {
 public:
  // Throws std::runtime_error when ca_file cannot be read.
  explicit Client(ClientOptions options);

  Task<Result<Incoming>> send(Outgoing request) const;

 private:
  std::shared_ptr<const ClientOptions> options_;
  std::shared_ptr<boost::asio::ssl::context> tls_;
};

}  // namespace lumina::http
