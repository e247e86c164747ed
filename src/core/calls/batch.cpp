#include "core/calls/batch.hpp"

#include "core/base/text.hpp"
#include "core/calls/refusal.hpp"
#include "core/calls/run_here.hpp"
#include "core/db/joined.hpp"
#include "core/http/problem.hpp"
#include "core/http/route.hpp"
#include "core/json/codec.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace lumina::calls {
namespace {

using http::Context;
using http::Request;
using http::Response;
using schema::Field;

constexpr double most_calls = 50;
// On SQLite everybody else who writes waits meanwhile.
constexpr auto longest_on_sqlite = std::chrono::seconds(1), longest_on_postgresql = std::chrono::seconds(3);
constexpr int most_at_once = 8;
constexpr std::size_t most_headers = 20;

bool is_path(std::string_view text) {
  return text.starts_with("/api/") &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

// One call, ready to be run; or why it cannot be. `match` points into the request, so it stays where it is.
struct Prepared {
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  Request request;
  http::Router::Match match{};
  std::optional<Response> refusal;
};

// False when they are no object of strings, or name what belongs to the batch as a whole.
bool take_headers(std::string_view text, http::Headers& out) {
  if (text.empty() || text == "null") return true;
  boost::system::error_code error;
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object() || value.get_object().size() > most_headers) return false;
  static constexpr std::string_view of_the_whole[] = {
      "authorization", "x-api-key",         "idempotency-key", "host",   "connection",
      "prefer",        "transfer-encoding", "content-length",  "cookie", "traceparent"};
  for (const auto& [key, member] : value.get_object()) {
    const std::string name(key.data(), key.size());
    if (name.empty() || name.size() > 100 || !member.is_string() || member.get_string().size() > 1000)
      return false;
    const auto is_token = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    };
    if (!std::ranges::all_of(name, is_token)) return false;
    if (std::ranges::find(of_the_whole, ascii_lower(name)) != std::end(of_the_whole)) return false;
    const std::string_view content(member.get_string().data(), member.get_string().size());
    if (std::ranges::any_of(content,
                            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
      return false;
    out.emplace_back(name, content);
  }
  return true;
}

http::Method method_of(std::string_view name) {
  using enum http::Method;
  for (const auto method : {get, post, put, patch, del})
    if (http::to_string(method) == name) return method;
  return get;
}

void prepare(Prepared& out, const http::Router& router, const Call& call, const Context& outer) {
  auto& head = out.request.head;
  head.method = method_of(call.method);
  head.target = call.path;
  out.request.peer_address = outer.request->peer_address;
  out.request.tls = outer.request->tls;
  const auto say = [&](int status, std::string_view code, std::string_view detail) {
    out.refusal = refusal(outer, status, code, detail, head.path());
  };
  if (!take_headers(call.headers.text, head.headers)) {
    say(422, "batch_headers",
        "The headers of a call are an object of strings, and credentials, keys and framing belong to the "
        "batch");
    return;
  }
  if (!call.body.text.empty()) {
    out.request.body = call.body.text;
    head.content_length = out.request.body.size();
    if (head.header("Content-Type").empty()) head.headers.emplace_back("Content-Type", "application/json");
  }
  out.match = router.find(head.method, head.path());
  if (!out.match.route) {
    out.match.path_known
        ? say(405, "method_not_allowed", "This method is not offered here; try " + out.match.allow)
        : say(404, "unknown_path", "There is nothing at this path");
    return;
  }
  const http::Route& route = *out.match.route;
  const bool uploads = route.body_required && !route.body;
  if (!route.joins || route.repeat != http::Repeat::replayed || uploads || route.success == 202 ||
      route.path == outer.route->path)
    say(400, "not_in_a_batch",
        fmt::format("{} {} cannot be part of a batch; call it by itself", call.method, route.path));
  else if (route.access.kind != http::Access::Kind::anyone && !route.access.allows_role(outer.caller.role))
    say(403, "forbidden", "Admin access required");
  else if (!route.access.allows_caller(outer.caller))
    say(403, "insufficient_scope", "This API key does not allow that");
}

Response serve(Prepared& call, const Context& outer) {
  Context context;
  context.head = &call.request.head;
  context.request = &call.request;
  context.route = call.match.route;
  context.caller = outer.caller;
  context.uncached = true;
  context.path_values = call.match.values;
  auto query = http::parse_form(call.request.head.query());
  if (!query)
    return refusal(outer, 400, "malformed_query", "The query string is not percent-encoded correctly",
                   call.request.head.path());
  context.query = std::move(*query);
  return run_here(context);
}

std::string as_json(const Response& response) {
  const auto bytes = response.bytes();
  if (bytes.empty()) return "null";
  if (response.content_type.find("json") != std::string::npos) return std::string(bytes);
  std::string text;
  json::append_string(text, bytes);
  return text;
}

CallAnswer answer_of(const Response& response) {
  CallAnswer out;
  out.status = response.status;
  std::string headers = "{";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (headers.size() > 1) headers += ',';
    json::append_string(headers, name);
    headers += ':';
    json::append_string(headers, value);
  };
  for (const auto& [name, value] : response.headers) add(name, value);
  if (!response.etag.empty()) add("ETag", "\"" + response.etag + "\"");
  out.headers.text = headers + "}";
  out.body.text = as_json(response);
  return out;
}

Response failed(const Context& outer, std::size_t index, const Call& call, const Response& inner) {
  const int status = inner.status >= 500 ? inner.status : 400;
  auto response = refusal(outer, status, "batch_failed",
                          fmt::format("Call {} ({} {}) was answered with {}; nothing was changed", index,
                                      call.method, call.path.substr(0, 200), inner.status));
  response.body.pop_back();
  response.body += fmt::format(",\"index\":{},\"problem\":{}}}", index, as_json(inner));
  return response;
}

}  // namespace

std::vector<Field> Call::fields() {
  return {{"method",
           &Call::method,
           "GET, POST, PUT, PATCH or DELETE",
           {schema::one_of({"GET", "POST", "PUT", "PATCH", "DELETE"})}},
          {"path",
           &Call::path,
           "Path and query: /api/v1/books/5",
           {schema::length(1, 8192), schema::format("api-path", &is_path, "must be a path below /api/")}},
          Field("body", &Call::body, "The body of the call").optional(),
          Field("headers", &Call::headers, "Headers of the call: If-Match and the like").optional()};
}
std::vector<Field> Batch::fields() {
  return {Field("calls", &Batch::calls, "1 to 50 calls, in order", {schema::items(1, most_calls)}).needed()};
}
std::vector<Field> CallAnswer::fields() {
  return {{"status", &CallAnswer::status, "Status of the call"},
          {"headers", &CallAnswer::headers, "Headers of its answer"},
          {"body", &CallAnswer::body, "Its answer; null when it has none"}};
}
std::vector<Field> BatchAnswer::fields() {
  return {{"results", &BatchAnswer::results, "One for each call, in order"}};
}

Task<Response> Batches::run(Batch batch, const Context& outer) {
  struct Place {
    std::atomic<int>& taken;
    const bool free = taken.fetch_add(1) < most_at_once;
    ~Place() { taken.fetch_sub(1); }
  } place{running_};
  if (!place.free)
    co_return refusal(outer, 503, "overloaded", "Too many batches run at present; try again shortly");
  const http::Router& router = router_();
  auto why = std::make_shared<std::optional<Response>>();  // what ended the batch
  auto work = [this, &router, &outer, &batch, why](db::Transaction& tx) -> Result<BatchAnswer> {
    why->reset();
    const auto given_up =
        std::chrono::steady_clock::now() + (tx.postgresql() ? longest_on_postgresql : longest_on_sqlite);
    BatchAnswer answer;
    for (std::size_t i = 0; i < batch.calls.size(); ++i) {
      Prepared call;
      prepare(call, router, batch.calls[i], outer);
      Response inner;
      if (call.refusal) {
        inner = std::move(*call.refusal);
      } else {
        db::Joined joined(database_, tx);
        inner = serve(call, outer);
        joined.rethrow_broken();
      }
      if (inner.status < 400 && std::chrono::steady_clock::now() > given_up)
        inner = refusal(outer, 503, "batch_too_slow", "The batch takes too long; send fewer calls",
                        call.request.head.path());
      if (inner.status >= 400) {
        why->emplace(failed(outer, i, batch.calls[i], inner));
        return Failure(Error{});
      }
      answer.results.push_back(answer_of(inner));
    }
    return answer;
  };
  auto answer = co_await database_.write(std::move(work));
  if (answer) {
    Response response;
    response.body = json::encode(*answer);
    co_return response;
  }
  if (*why) co_return std::move(**why);
  co_return http::problem(outer, std::move(answer.error()));
}

}  // namespace lumina::calls
