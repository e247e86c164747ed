#include "core/http/cached.hpp"

#include <charconv>
#include <stdexcept>
#include <string>

namespace lumina::http {
namespace {

Response from_cache(const cache::BodyPtr& body) {
  Response response;
  response.shared = SharedBytes(body, &body->bytes);
  response.cached = body;
  response.etag = body->etag;
  response.header_block = body->header_block;
  return response;
}

cache::BodyPtr to_cache(const Response& response) {
  auto body = std::make_shared<cache::Body>();
  body->bytes = response.bytes();
  body->etag = response.etag;
  body->header_block = response.header_block;
  for (const auto& [name, value] : response.headers) body->header_block += name + ": " + value + "\r\n";
  return body;
}

// Whether ?expand= asks for something that differs by caller.
bool is_personal(const Context& context) {
  for (const auto& [name, value] : context.query)
    if (name == "expand")
      for (const auto& e : context.route->expansions)
        if (e.personal && value.find(e.name) != std::string::npos) return true;
  return false;
}

// Loads for everybody who waits; what cannot be kept goes to the one who asked first, and the others ask themselves.
Task<Response> load(cache::BodyCache& cache, cache::Tag tag, const Route& route, Context& context,
                    const std::function<Eventual<Response>(Context&)>& inner) {
  std::optional<Response> passed;
  auto loader = [&]() -> Task<Result<cache::BodyPtr>> {
    auto answer = inner(context);
    Response response;
    if (answer.ready())
      response = std::move(answer.value());
    else
      response = co_await std::move(answer.task());
    if (response.status == route.success && response.content_type == route.answer_media) co_return to_cache(response);
    passed = std::move(response);
    co_return cache::BodyPtr{};
  };
  auto asked = cache.get(context.request->head.target, {tag}, loader);
  Result<cache::BodyPtr> body;
  if (asked.ready())
    body = std::move(asked.value());
  else
    body = co_await std::move(asked.task());
  if (passed) co_return std::move(*passed);
  co_return from_cache(*body);
}

}  // namespace

Route cached(Route route, cache::BodyCache& cache, TagOf tag) {
  if (route.access.kind != Access::Kind::anyone || route.method != Method::get)
    throw std::logic_error("answers of " + route.path + " differ by caller and cannot be kept");
  route.handler = [inner = std::move(route.handler), &cache, tag = std::move(tag)](Context& context) -> Eventual<Response> {
    if (context.uncached || is_personal(context)) return inner(context);
    if (auto hit = cache.find(context.request->head.target)) return from_cache(hit);
    return load(cache, tag(context), *context.route, context, inner);
  };
  return route;
}

TagOf always(cache::Tag tag) {
  return [tag](const Context&) { return tag; };
}

TagOf by_path_id(std::string_view kind) {
  return [kind = std::string(kind)](const Context& context) {
    std::int64_t id = 0;
    const auto text = context.path_values[0];
    std::from_chars(text.data(), text.data() + text.size(), id);
    return cache::Tag(kind, id);
  };
}

}  // namespace lumina::http
