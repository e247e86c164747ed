#include "core/http/problem.hpp"

#include "core/http/route.hpp"
#include "core/json/codec.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace lumina::http {
namespace {

// A missing text is written as a readable place: body.tags.2
void append_fields(std::string& out, const std::vector<FieldError>& fields) {
  out += ",\"errors\":[";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += i == 0 ? "{\"loc\":[" : ",{\"loc\":[";
    for (std::size_t k = 0; k < fields[i].loc.size(); ++k) {
      if (k != 0) out += ',';
      json::append_string(out, fields[i].loc[k]);
    }
    out += "],\"msg\":";
    json::append_string(out, fields[i].message);
    out += ",\"type\":";
    json::append_string(out, fields[i].type);
    out += '}';
  }
  out += ']';
}

std::string_view type_of_problem(int status) {
  switch (status) {
    case 429:
      return "https://iana.org/assignments/http-problem-types#quota-exceeded";
    case 503:
      return "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
    default:
      return "about:blank";
  }
}

std::string document(int status, std::string_view code, std::string_view detail, std::string_view instance,
                     std::string_view request_id) {
  std::string out = "{\"type\":";
  json::append_string(out, type_of_problem(status));
  out += ",\"title\":";
  json::append_string(out, reason_of(status));
  out += fmt::format(",\"status\":{},\"detail\":", status);
  json::append_string(out, detail);
  out += ",\"instance\":";
  json::append_string(out, instance);
  out += ",\"code\":";
  json::append_string(out, code);
  out += ",\"request_id\":";
  json::append_string(out, request_id);
  return out;
}

// Errors that any route may answer without listing them.
[[maybe_unused]] bool common_to_all(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::refused:
    case ErrorKind::not_found:
    case ErrorKind::conflict:
    case ErrorKind::stale:
      return false;
    default:
      return true;
  }
}

constexpr std::size_t most_faults_shown = 100;

}  // namespace

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::malformed:
      return 400;
    case ErrorKind::invalid:
      return 422;
    case ErrorKind::refused:
      return 400;
    case ErrorKind::unauthenticated:
      return 401;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::stale:
      return 412;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::unsupported_media:
      return 415;
    case ErrorKind::rate_limited:
      return 429;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::storage_full:
      return 507;
  }
  return 500;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    default:
      break;
  }
  const auto text = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {text.data(), text.size()};
}

Response problem(int status, std::string_view code, std::string_view detail, std::string_view instance,
                 std::string_view request_id) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = document(status, code, detail, instance, request_id) + "}";
  response.problem_code = code;
  response.set("Cache-Control", "no-store");
  if (status == 503) response.set("Retry-After", "1");
  return response;
}

Response problem(const Context& context, Error error) {
  const int status = status_of(error.kind);
  // A row that answers what it does not document is a bug of the row; checked builds say so loudly.
  assert(!context.route || common_to_all(error.kind) ||
         std::find(context.route->errors.begin(), context.route->errors.end(), error.kind) !=
             context.route->errors.end());
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = document(status, error.code, error.detail, context.head->path(), context.caller.request_id);
  if (error.fields.size() > most_faults_shown) error.fields.resize(most_faults_shown);
  if (error.kind == ErrorKind::invalid || !error.fields.empty()) append_fields(response.body, error.fields);
  response.body += '}';
  response.problem_code = std::move(error.code);
  response.set("Cache-Control", "no-store");
  if (error.retry_after_seconds > 0 || status == 503)
    response.set("Retry-After", fmt::format("{}", std::max(1, error.retry_after_seconds)));
  if (status == 401) {
    // Who sent nothing is not told of a fault (RFC 6750, 3.1).
    const bool tried =
        !context.head->header("Authorization").empty() || !context.head->header("X-API-Key").empty();
    response.set("WWW-Authenticate", tried ? "Bearer realm=\"luminalib\", error=\"invalid_token\""
                                           : "Bearer realm=\"luminalib\"");
  }
  return response;
}

}  // namespace lumina::http
