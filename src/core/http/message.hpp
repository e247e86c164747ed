// A request and a response as plain structs: no sockets, no Beast. Tests build them directly.
#pragma once
#include "core/base/task.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::cache {
struct Body;
}

namespace lumina::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view to_string(Method);

using Headers = std::vector<std::pair<std::string, std::string>>;

// The parsed head, before the body is read. Header names keep their spelling; look-up ignores case (ASCII).
struct Head {
  Method method = Method::get;
  std::string target;  // origin form, as received: "/api/v1/books?limit=20"
  Headers headers;
  bool keep_alive = true;
  std::optional<std::uint64_t> content_length;  // neither this nor chunked: no body
  bool chunked = false;
  bool expect_continue = false;

  // The first field of that name, or an empty view (which cannot be told from an empty field).
  std::string_view header(std::string_view name) const;
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

class BodySink;

struct Request {
  Head head;
  std::string body;
  std::shared_ptr<BodySink> sink;  // took the body instead, where the route says so (body_sink.hpp)
  std::string peer_address;        // of the socket, without port: "127.0.0.1"
  bool tls = false;
};

class BodySource;

// Bytes that many responses may share: a cached entity costs no copy.
using SharedBytes = std::shared_ptr<const std::string>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no Content-Type (204, 304)
  Headers headers;                                // everything else that is not framing
  std::string etag;          // strong, without quotes; the pipeline answers If-None-Match
  std::string header_block;  // more of them, already as lines "Name: value\r\n"; written as it is
  std::shared_ptr<const cache::Body> cached;  // where `shared` came from, when it came from the cache
  SharedBytes shared;                         // the body when set, else `body`
  std::string body;
  std::string problem_code;            // of a problem document, for figures
  std::shared_ptr<BodySource> stream;  // instead of a body: made while it is sent (body_source.hpp)

  std::string_view bytes() const { return shared ? std::string_view(*shared) : std::string_view(body); }
  void set(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

// What the connection asks once it has a head: refuse now, or read a body of at most `body_limit`, into
// `sink` when there is one, and go on.
struct Admission {
  std::optional<Response> refusal;
  std::uint64_t body_limit = 0;  // bytes
  std::shared_ptr<BodySink> sink;
};

// Serves one request in two steps, so that strangers are refused before their body is read. One per request;
// everything runs on the io_context of the connection.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Route, rate limit, authentication, access. Never reads the body.
  virtual Eventual<Admission> admit(const Request& request_without_body) = 0;
  // Called once after admit() let it pass and the body was read. Never throws.
  virtual Eventual<Response> handle(Request& request) = 0;
  // Called once after the last byte was written or the connection broke; `bytes` includes the head.
  virtual void finished(int status, std::uint64_t bytes) = 0;
};

class Application {
 public:
  virtual ~Application() = default;
  virtual std::unique_ptr<Exchange> begin() = 0;
  // For heads that cannot be served at all (400, 408, 413, 414, 431, 501, 503): a problem document.
  virtual Response refuse(int status, std::string_view code, std::string_view detail) = 0;
};

}  // namespace lumina::http
