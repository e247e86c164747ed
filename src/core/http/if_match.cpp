#include "core/http/if_match.hpp"

#include "core/http/compress.hpp"
#include "core/http/entity_tag.hpp"
#include "core/http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace lumina::http {
namespace {

using Handler = std::function<Eventual<Response>(Context&)>;

// Also by the tag of a coding in which it may have been read: "5f-br" is "5f".
bool names_strongly(std::string_view list, std::string_view etag) {
  if (names_tag(list, etag, TagComparison::strong)) return true;
  return std::ranges::any_of(std::array{Coding::gzip, Coding::brotli}, [&](Coding coding) {
    return names_tag(list, fmt::format("{}-{}", etag, name_of(coding)), TagComparison::strong);
  });
}

Task<Response> awaited(Eventual<Response> answer) {
  if (answer.ready()) co_return std::move(answer.value());
  co_return co_await std::move(answer.task());
}

// As if the caller had read the path without a query, past the answers that are kept.
Task<Response> shown_now(const Route& shown, const Context& context) {
  Request request;
  request.head = context.request->head;
  request.head.method = Method::get;
  request.head.target = std::string(request.head.path());
  request.peer_address = context.request->peer_address;
  request.tls = context.request->tls;
  Context reading;
  reading.head = &request.head;
  reading.request = &request;
  reading.route = &shown;
  reading.caller = context.caller;
  reading.path_values = context.path_values;
  reading.uncached = true;
  auto answer = shown.handler(reading);
  co_return co_await awaited(std::move(answer));
}

Task<Response> compared(const Route& shown, const Handler& inner, Context& context) {
  auto now = co_await shown_now(shown, context);
  if (now.status == 404) co_return now;
  if (now.status == 200 && !now.etag.empty() &&
      !names_strongly(context.request->head.header("If-Match"), now.etag))
    co_return problem(
        context,
        Error{ErrorKind::stale, "stale", "It was changed meanwhile; read it again and repeat", {}, 0});
  auto answer = inner(context);
  co_return co_await awaited(std::move(answer));
}

}  // namespace

bool shows_one_resource(const Route& shown) { return !shown.paged && !shown.answers_array; }

void guard_by_etag(Route& row, const Route& shown) {
  row.if_match = true;
  if (std::ranges::find(row.errors, ErrorKind::stale) == row.errors.end())
    row.errors.push_back(ErrorKind::stale);
  row.handler = [inner = std::move(row.handler), &shown](Context& context) -> Eventual<Response> {
    if (context.request->head.header("If-Match").empty() || !shown.access.allows_role(context.caller.role) ||
        !shown.access.allows_caller(context.caller))
      return inner(context);
    return compared(shown, inner, context);
  };
}

}  // namespace lumina::http
