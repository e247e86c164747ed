#include "core/http/pipeline.hpp"

#include "core/base/text.hpp"
#include "core/cache/body_cache.hpp"
#include "core/http/body_sink.hpp"
#include "core/http/compress.hpp"
#include "core/http/entity_tag.hpp"
#include "core/http/problem.hpp"
#include "core/http/rate_classes.hpp"
#include "core/security/random.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace lumina::http {
namespace {

constexpr std::string_view security_headers =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
constexpr std::string_view api_policy =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
constexpr std::string_view hsts = "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n";
constexpr std::string_view guarded_code = "too_many_attempts";  // of security::LoginGuard
constexpr std::string_view exposed =
    "Deprecation, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "Sunset, "
    "X-Request-Id, X-Total-Count";

// 1 to 128 visible ASCII characters that cannot break a header or a log line.
bool usable_request_id(std::string_view id) {
  if (id.empty() || id.size() > 128) return false;
  for (char c : id)
    if (!(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == ':' ||
          c == '/'))
      return false;
  return true;
}

// The trace id of a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>.
std::string_view trace_of(std::string_view traceparent) {
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-') return {};
  const auto id = traceparent.substr(3, 32);
  return id.find_first_not_of("0123456789abcdef") == std::string_view::npos ? id : std::string_view{};
}

// What one client may still do, and of what.
void append_rate(std::string& block, const RateState& rate) {
  fmt::format_to(std::back_inserter(block),
                 "RateLimit-Policy: \"{}\";q={};w={}\r\nRateLimit: \"{}\";r={};t={}\r\n", rate.policy,
                 rate.quota, rate.window_seconds, rate.policy, rate.remaining, rate.reset_seconds);
}

void name_violated(Response& response, std::string_view policy) {
  response.body.pop_back();
  response.body += fmt::format(",\"violated-policies\":[\"{}\"]}}", policy);
}

bool tries_passwords(const Route& route) {
  return route.rate == RateClass::login || route.rate == sign_in_class;
}

}  // namespace

class Pipeline::PipelineExchange final : public Exchange, public Refusing {
 public:
  explicit PipelineExchange(Pipeline& pipeline)
      : pipeline_(pipeline), neighbours_(pipeline.neighbours()), begun_(std::chrono::steady_clock::now()) {
    pipeline_.in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  ~PipelineExchange() override { pipeline_.in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  PipelineExchange(const PipelineExchange&) = delete;
  PipelineExchange& operator=(const PipelineExchange&) = delete;

  Eventual<Admission> admit(const Request& request) override {
    context_.head = &request.head;
    identify(request);
    match_ = pipeline_.router_.find(request.head.method, request.head.path());
    // What is not there is counted too: who looks for what there is, asks often.
    if (auto limited = count_against(std::nullopt)) return refuse(std::move(*limited));
    if (request.head.method == Method::options) return refuse(answer_options());
    if (!match_.route) return refuse(no_route());
    context_.route = match_.route;

    // Whoever signs in anew is not refused for an old token that the client still sends.
    if (tries_passwords(*match_.route) && match_.route->access.kind == Access::Kind::anyone)
      return admitted(context_.caller);
    auto known = pipeline_.authenticator_.authenticate(request, context_.caller);
    if (known.ready()) return admitted(std::move(known.value()));
    return admit_later(std::move(known.task()));
  }

  Eventual<Response> handle(Request& request) override {
    context_.request = &request;
    if (context_.head !=
        &request.head) {  // moved since admit(): the path values would point into the old one
      context_.head = &request.head;
      match_ = pipeline_.router_.find(request.head.method, request.head.path());
    }
    context_.path_values = match_.values;
    auto query = parse_form(request.head.query());
    if (!query) {
      Error error{ErrorKind::malformed,
                  "malformed_query",
                  "The query string is not percent-encoded correctly",
                  {},
                  0};
      return finish(problem(context_, std::move(error)));
    }
    context_.query = std::move(*query);
    try {
      if (context_.head->method == Method::post && pipeline_.options_.once &&
          !context_.head->header("Idempotency-Key").empty())
        return handle_later(pipeline_.options_.once->serve(context_));
      auto answer = match_.route->handler(context_);
      if (answer.ready()) return finish(std::move(answer.value()));
      return handle_later(std::move(answer.task()));
    } catch (const std::exception& e) {
      return finish(failure(e.what()));
    }
  }

  Response refuse_at(int status, std::string_view code, std::string_view detail, std::string_view,
                     std::string_view) override {
    return finish(problem(status, code, detail, context_.head ? context_.head->path() : std::string_view{},
                          context_.caller.request_id));
  }

  void finished(int status, std::uint64_t bytes) override {
    if (!pipeline_.options_.finished || !context_.head) return;
    RequestRecord record;
    record.route = match_.route;
    record.method = context_.head->method;
    record.target = context_.head->target;
    record.status = status;
    record.bytes = bytes;
    record.duration = std::chrono::steady_clock::now() - begun_;
    record.request_id = context_.caller.request_id;
    record.trace_id = trace_of(context_.head->header("traceparent"));
    record.address = context_.caller.address;
    record.user = context_.caller.user;
    record.problem_code = problem_code_;
    pipeline_.options_.finished(record);
  }

 private:
  void identify(const Request& request) {
    const auto given = request.head.header("X-Request-Id");
    context_.caller.request_id = usable_request_id(given) ? std::string(given) : security::fast_request_id();
    context_.caller.address = request.peer_address;
    const auto& trusted = neighbours_->trusted_proxy;
    if (!trusted || !trusted(request.peer_address)) return;
    // From the right, past the proxies we trust, the first address is the client's.
    std::string_view list = request.head.header("X-Forwarded-For");
    while (!list.empty()) {
      const auto comma = list.rfind(',');
      const auto address = trim_ascii(comma == std::string_view::npos ? list : list.substr(comma + 1));
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
      if (address.empty() || address.size() > 64) return;
      context_.caller.address = address;
      if (!trusted(address)) return;
    }
  }

  Eventual<Admission> refuse(Response response) {
    Admission admission;
    admission.refusal = finish(std::move(response));
    return admission;
  }

  Response no_route() {
    if (match_.path_known) {
      auto response = problem(
          405, "method_not_allowed",
          fmt::format("{} is not offered here; try {}", to_string(context_.head->method), match_.allow),
          context_.head->path(), context_.caller.request_id);
      response.set("Allow", match_.allow);
      return response;
    }
    return problem(404, "unknown_path",
                   "There is nothing at this path; GET /openapi.json lists what there is",
                   context_.head->path(), context_.caller.request_id);
  }

  Response answer_options() {
    if (!match_.route && !match_.path_known && context_.head->target != "*") return no_route();
    Response response;
    response.status = 204;
    response.content_type.clear();
    response.set("Allow",
                 match_.allow.empty() ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : match_.allow);
    if (!context_.head->header("Access-Control-Request-Method").empty() && origin_allowed()) {
      response.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
      response.set("Access-Control-Allow-Headers",
                   "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
                   "Prefer, traceparent, X-API-Key, X-Request-Id");
      response.set("Access-Control-Max-Age", "7200");
    }
    return response;
  }

  std::optional<Response> count_against(std::optional<UserId> user) {
    if (!pipeline_.options_.rate) return {};
    const auto rate = match_.route ? match_.route->rate : RateClass::standard;
    const auto state = pipeline_.options_.rate(rate, context_.caller.address, user);
    if (!state) return {};
    if (!rate_ || !state->allowed || state->remaining < rate_->remaining) rate_ = state;
    if (state->allowed) return {};
    auto response = problem(429, "rate_limited",
                            fmt::format("Too many requests; try again in {} seconds", state->reset_seconds),
                            context_.head->path(), context_.caller.request_id);
    name_violated(response, state->policy);
    response.set("Retry-After", fmt::format("{}", std::max<std::int64_t>(1, state->reset_seconds)));
    return response;
  }

  Task<Admission> admit_later(Task<Result<Caller>> task) {
    std::optional<Result<Caller>> known;
    std::string what;
    try {
      known.emplace(co_await std::move(task));
    } catch (const std::exception& e) {
      what = e.what();
    }
    if (!known) {
      Admission admission;
      admission.refusal = finish(failure(what));
      co_return admission;
    }
    co_return admitted(std::move(*known));
  }

  Admission admitted(Result<Caller> known) {
    Admission admission;
    const auto refused = [&](Error error) {
      admission.refusal = finish(problem(context_, std::move(error)));
      return std::move(admission);
    };
    const Route& route = *match_.route;
    // Health and metrics answer strangers; bad credentials make nobody more of one.
    const bool ignorable = route.rate == RateClass::unlimited && route.access.kind == Access::Kind::anyone;
    if (!known && !ignorable) return refused(std::move(known.error()));
    if (known) context_.caller = std::move(*known);
    if (route.access.kind != Access::Kind::anyone && !context_.caller.signed_in())
      return refused({ErrorKind::unauthenticated, "not_authenticated", "Not authenticated", {}, 0});
    if (!route.access.allows_role(context_.caller.role))
      return refused({ErrorKind::forbidden, "forbidden", "Admin access required", {}, 0});
    if (!route.access.allows_caller(context_.caller))
      return refused({ErrorKind::forbidden, "insufficient_scope", "This API key does not allow that", {}, 0});
    if (context_.caller.signed_in())
      if (auto limited = count_against(context_.caller.user)) {
        admission.refusal = finish(std::move(*limited));
        return admission;
      }
    admission.body_limit = route.body_limit != 0 ? route.body_limit : pipeline_.options_.body_limit;
    if (route.sink && context_.head->has_body()) admission.sink = route.sink(context_);
    return admission;
  }

  Task<Response> handle_later(Task<Response> task) {
    std::optional<Response> response;
    std::string what;
    try {
      response.emplace(co_await std::move(task));
    } catch (const std::exception& e) {
      what = e.what();
    }
    co_return finish(response ? std::move(*response) : failure(what));
  }

  Response failure(std::string_view what) {
    if (pipeline_.options_.failed) pipeline_.options_.failed(context_.caller.request_id, what);
    return problem(500, "internal_error",
                   "Something went wrong on our side; the request id finds it in the log",
                   context_.head->path(), context_.caller.request_id);
  }

  bool origin_allowed() const {
    const auto origin = context_.head->header("Origin");
    if (origin.empty()) return false;
    for (const auto& allowed : neighbours_->allowed_origins)
      if (allowed == "*" || allowed == origin) return true;
    return false;
  }

  // Guesses of passwords are refused behind the row, for longer the more there were.
  void tell_guard(Response& response) {
    if (!rate_) return;
    rate_->remaining = 0;
    for (const auto& [name, value] : response.headers)
      if (iequals(name, "Retry-After")) rate_->reset_seconds = std::atoll(value.c_str());
    name_violated(response, rate_->policy);
  }

  // Where a retired route went, and until when it answers.
  void add_retirement(std::string& block) const {
    const Retirement& r = *match_.route->retirement;
    const auto sunset = static_cast<std::time_t>(r.sunset.ms / 1000);
    fmt::format_to(std::back_inserter(block), "Deprecation: @{}\r\nSunset: {:%a, %d %b %Y %H:%M:%S} GMT\r\n",
                   r.since.ms / 1000, fmt::gmtime(sunset));
    if (r.successor.empty()) return;
    std::string target;
    std::size_t value = 0;
    for (std::size_t i = 0; i < r.successor.size(); ++i) {
      if (r.successor[i] != '{') {
        target += r.successor[i];
        continue;
      }
      i = std::min(r.successor.find('}', i), r.successor.size());
      if (value < match_.values.size()) target += match_.values[value++];
    }
    block += "Link: <" + target + ">; rel=\"successor-version\"\r\n";
  }

  // Step 10: what every answer carries.
  Response finish(Response response) {
    if (response.status >= 400) problem_code_ = response.problem_code;
    std::string& block = response.header_block;
    block.reserve(block.size() + 640);
    block += "X-Request-Id: ";
    block += context_.caller.request_id;
    block += "\r\n";
    if (response.problem_code == guarded_code) tell_guard(response);
    if (rate_) append_rate(block, *rate_);
    block += security_headers;
    bool own_policy = false, own_cache = false, coded = false;
    for (const auto& [name, value] : response.headers) {
      own_policy = own_policy || iequals(name, "Content-Security-Policy");
      own_cache = own_cache || iequals(name, "Cache-Control");
      coded = coded || iequals(name, "Content-Encoding");
    }
    if (!own_policy) block += api_policy;
    if (pipeline_.options_.tls) block += hsts;
    if (match_.route && match_.route->retirement) add_retirement(block);
    if (response.status == 401 && pipeline_.options_.basic_auth && pipeline_.options_.basic_auth())
      block += "WWW-Authenticate: Basic realm=\"luminalib\", charset=\"UTF-8\"\r\n";
    const bool secret = match_.route && tries_passwords(*match_.route);
    if (!own_cache) block += secret ? "Cache-Control: no-store\r\n" : "Cache-Control: private, no-cache\r\n";
    if (!neighbours_->allowed_origins.empty()) add_cors(block);
    block += neighbours_->allowed_origins.empty() ? "Vary: Authorization, Accept-Encoding\r\n"
                                                  : "Vary: Authorization, Accept-Encoding, Origin\r\n";
    const bool read =
        context_.head && (context_.head->method == Method::get || context_.head->method == Method::head);
    Coding coding = Coding::identity;
    if (!coded && compressible(response)) coding = negotiate(context_.head->header("Accept-Encoding"));
    if (!response.etag.empty()) {
      // One tag a representation: the compressed one is another sequence of bytes (RFC 9110, 8.8.3).
      std::string etag = response.etag;
      if (coding != Coding::identity) etag += fmt::format("-{}", name_of(coding));
      block += "ETag: \"" + etag + "\"\r\n";
      const auto asked = read ? context_.head->header("If-None-Match") : std::string_view{};
      if (response.status == 200 && !asked.empty() &&
          (names_tag(asked, etag, TagComparison::weak) ||
           names_tag(asked, response.etag, TagComparison::weak))) {
        response.status = 304;
        response.content_type.clear();
        response.shared.reset();
        response.body.clear();
        return response;
      }
    }
    if (coding != Coding::identity) compress(response, coding);
    return response;
  }

  bool compressible(const Response& response) const {
    const auto size = response.bytes().size();
    return context_.head && size >= smallest_compressed && size <= largest_compressed &&
           (response.content_type.find("json") != std::string::npos ||
            response.content_type.starts_with("text/"));
  }

  static void compress(Response& response, Coding coding) {
    const auto how = coding == Coding::gzip ? &gzip : &brotli;
    if (response.cached) {
      const auto which = coding == Coding::gzip ? cache::Body::Variant::gzip : cache::Body::Variant::brotli;
      response.shared = SharedBytes(response.cached, &response.cached->variant(which, how));
    } else {
      response.body = how(response.bytes());
      response.shared.reset();
    }
    response.header_block +=
        coding == Coding::gzip ? "Content-Encoding: gzip\r\n" : "Content-Encoding: br\r\n";
  }

  void add_cors(std::string& block) const {
    if (!origin_allowed()) return;
    const auto& origins = neighbours_->allowed_origins;
    const bool everybody = std::find(origins.begin(), origins.end(), "*") != origins.end();
    block += "Access-Control-Allow-Origin: ";
    block += everybody ? std::string_view("*") : context_.head->header("Origin");
    block += "\r\n";
    if (!everybody && neighbours_->credentials) block += "Access-Control-Allow-Credentials: true\r\n";
    block += "Access-Control-Expose-Headers: ";
    block += exposed;
    block += "\r\n";
  }

  Pipeline& pipeline_;
  std::shared_ptr<const Neighbours> neighbours_;
  std::chrono::steady_clock::time_point begun_;
  Router::Match match_;
  Context context_;
  std::optional<RateState> rate_;
  std::string problem_code_;
};

Pipeline::Pipeline(const Router& router, Authenticator& authenticator, PipelineOptions options)
    : router_(router), authenticator_(authenticator), options_(std::move(options)) {
  set_neighbours(
      {std::move(options_.allowed_origins), std::move(options_.trusted_proxy), options_.credentials});
}
Pipeline::~Pipeline() = default;

void Pipeline::set_neighbours(Neighbours neighbours) {
  auto fresh = std::make_shared<const Neighbours>(std::move(neighbours));
  std::lock_guard lock(neighbours_mutex_);
  neighbours_ = std::move(fresh);
}
std::shared_ptr<const Neighbours> Pipeline::neighbours() const {
  std::lock_guard lock(neighbours_mutex_);
  return neighbours_;
}

std::unique_ptr<Exchange> Pipeline::begin() { return std::make_unique<PipelineExchange>(*this); }

Response Pipeline::refuse(int status, std::string_view code, std::string_view detail) {
  return refuse_at(status, code, detail, "", "");
}

Response Pipeline::refuse_at(int status, std::string_view code, std::string_view detail,
                             std::string_view path, std::string_view peer) {
  const auto id = security::fast_request_id();
  auto response = problem(status, code, detail, path, id);
  response.header_block = "X-Request-Id: " + id + "\r\n";
  const auto trusted = neighbours()->trusted_proxy;
  if (options_.rate && !peer.empty() && !(trusted && trusted(peer)))
    if (const auto rate = options_.rate(RateClass::standard, peer, std::nullopt))
      append_rate(response.header_block, *rate);
  response.header_block += security_headers;
  response.header_block += api_policy;
  return response;
}

Task<Response> serve(Application& application, Request request) {
  auto exchange = application.begin();
  auto asked = exchange->admit(request);
  Admission admission;
  if (asked.ready())
    admission = std::move(asked.value());
  else
    admission = co_await std::move(asked.task());
  Response response;
  if (admission.refusal) {
    response = std::move(*admission.refusal);
  } else if (request.body.size() > admission.body_limit) {
    constexpr std::string_view code = "body_too_large", detail = "The body is too large";
    auto* informed = dynamic_cast<Refusing*>(exchange.get());
    response = informed ? informed->refuse_at(413, code, detail, request.head.path(), request.peer_address)
                        : application.refuse(413, code, detail);
  } else {
    if (admission.sink && !request.body.empty()) {
      request.sink = admission.sink;
      const auto body = std::exchange(request.body, {});
      for (std::size_t at = 0; at < body.size(); at += body_piece) {
        auto taking = request.sink->take(body.substr(at, body_piece));
        const bool wanted = co_await std::move(taking);
        if (!wanted) break;
      }
    }
    auto answer = exchange->handle(request);
    if (answer.ready())
      response = std::move(answer.value());
    else
      response = co_await std::move(answer.task());
  }
  exchange->finished(response.status, response.bytes().size());
  co_return response;
}

}  // namespace lumina::http
