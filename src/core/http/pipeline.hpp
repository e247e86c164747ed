// The steps around every handler, in one order, with the reason of each:
//
//   1 request id, clock          so that every answer, refused ones too, can be found in the log
//   2 route                      404 and 405 cost nothing more
//   3 rate limit by address      before any work that a stranger could cause
//   4 credentials                who asks; a token from the cache of verified ones needs no hop
//   5 access                     what this role may do; strangers are refused before their body is read
//   6 rate limit by person
//   -- the connection reads the body under the route's limit --
//   7 Idempotency-Key            a repeated POST gets its first answer: core/http/once.hpp
//   8 extractors                 every fault at once: 400, 415, 422
//   9 handler
//  10 If-None-Match, compression, security headers, CORS
//  11 log line and metrics       after the last byte was written
//
// Exceptions from 4 to 9 end in one place: logged with the request id, answered with 500.
#pragma once
#include "core/base/caller.hpp"
#include "core/http/message.hpp"
#include "core/http/once.hpp"
#include "core/http/refusing.hpp"
#include "core/http/router.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

// Who sent this? Answers a Caller without user when no credentials came; an error when they are wrong.
// `known` carries address and request id and is returned completed.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Eventual<Result<Caller>> authenticate(const Request& request, Caller known) = 0;
};

// The standing of one client under one policy after this request.
struct RateState {
  bool allowed = true;
  std::string_view policy;
  std::int64_t quota = 0, window_seconds = 0, remaining = 0, reset_seconds = 0;
};
// Empty: this class is not limited.
using RateCheck =
    std::function<std::optional<RateState>(RateClass, std::string_view address, std::optional<UserId>)>;

// What is known of a request when it is over; `route` is the template, never the path.
struct RequestRecord {
  const Route* route = nullptr;
  Method method = Method::get;
  std::string_view target;
  int status = 0;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds duration{};
  std::string_view request_id, trace_id, address;
  std::string_view problem_code;  // of a refused request
  std::optional<UserId> user;
};

// Whom the server listens to; may change while it runs.
struct Neighbours {
  std::vector<std::string> allowed_origins;             // CORS; "*" allows all, without credentials
  std::function<bool(std::string_view)> trusted_proxy;  // whether this peer's X-Forwarded-For counts
  bool credentials = true;  // pages of listed origins may send cookies and the like
};

struct PipelineOptions {
  std::uint64_t body_limit = 10 * 1024 * 1024;  // bytes
  std::vector<std::string> allowed_origins;     // as in Neighbours, at the start
  std::function<bool(std::string_view)> trusted_proxy;
  bool credentials = true;
  std::function<bool()> basic_auth;  // whether 401 offers HTTP Basic too
  Once* once = nullptr;              // serves repeated POSTs; without it the key is not looked at
  bool tls = false;                  // send HSTS
  RateCheck rate;
  std::function<void(const RequestRecord&)> finished;
  std::function<void(std::string_view request_id, std::string_view what)>
      failed;  // an exception became a 500
};

class Pipeline final : public Application, public Refusing {
 public:
  Pipeline(const Router& router, Authenticator& authenticator, PipelineOptions options);
  ~Pipeline() override;
  std::unique_ptr<Exchange> begin() override;
  Response refuse(int status, std::string_view code, std::string_view detail) override;
  // Counts against the peer, unless that is a proxy.
  Response refuse_at(int status, std::string_view code, std::string_view detail, std::string_view path,
                     std::string_view peer) override;
  // Requests whose head has come and whose last byte has not gone out. Thread-safe.
  std::int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  // From the next request on. Thread-safe.
  void set_neighbours(Neighbours neighbours);

 private:
  class PipelineExchange;
  std::shared_ptr<const Neighbours> neighbours() const;
  const Router& router_;
  Authenticator& authenticator_;
  PipelineOptions options_;
  mutable std::mutex neighbours_mutex_;
  std::shared_ptr<const Neighbours> neighbours_;
  std::atomic<std::int64_t> in_flight_{0};
};

// Serves one request without a socket: what tests and the batch endpoint use.
Task<Response> serve(Application& application, Request request);

}  // namespace lumina::http
