#include "core/http/cached.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace lumina::http {
namespace {

Response from_cache(const cache::BodyPtr& body, const Route& route) {
  Response response;
  response.content_type = route.answer_media;
  response.shared = SharedBytes(body, &body->bytes);
  response.cached = body;
  response.etag = body->etag;
  response.header_block = body->header_block;
  return response;
}

cache::BodyPtr to_cache(const Response& response, Timestamp made_at = {}) {
  auto body = std::make_shared<cache::Body>();
  body->bytes = response.bytes();
  body->made_at = made_at;
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

// The number that ends the target, `value` being a part of it; 0 when a query follows or when it is none.
std::int64_t number_at_end(std::string_view target, std::string_view value) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), id);
  const bool plain = error == std::errc() && id > 0 && value == std::to_string(id);
  return plain && end == target.data() + target.size() ? id : 0;
}

constexpr std::int64_t run_length = 16;

// Puts the run around `id` into the cache. Faults are left to the loading of `id` itself.
Task<void> load_run(cache::BodyCache& cache, std::string_view kind, std::int64_t id, std::string_view prefix,
                    const Route& route, Context& context, const ReadAhead& read) {
  const std::int64_t first = std::max<std::int64_t>(1, id / run_length * run_length);
  const std::int64_t last = id / run_length * run_length + run_length - 1;
  std::vector<cache::BodyCache::Versions> made_from;
  made_from.reserve(static_cast<std::size_t>(run_length));
  // Counted from 0: `last` may be the largest number there is, which nothing rises above.
  for (std::int64_t n = 0; n <= last - first; ++n)
    made_from.push_back(cache.versions({cache::Tag(kind, first + n)}));
  const auto run = co_await read(context, first, last);
  if (!run) co_return;
  for (const auto& [number, response] : *run) {
    if (number < first || number > last || response.status != route.success) continue;
    cache.put(std::string(prefix) + std::to_string(number),
              std::move(made_from[static_cast<std::size_t>(number - first)]), to_cache(response));
  }
}

// Loads for everybody who waits; what cannot be kept goes to the one who asked first, and the others ask
// themselves.
Task<Response> load(cache::BodyCache& cache, cache::Tag tag, const Route& route, Context& context,
                    const std::function<Eventual<Response>(Context&)>& inner, const std::optional<Age>& age) {
  std::optional<Response> passed;
  auto loader = [&]() -> Task<Result<cache::BodyPtr>> {
    auto answer = inner(context);
    Response response;
    if (answer.ready())
      response = std::move(answer.value());
    else
      response = co_await std::move(answer.task());
    if (response.status == route.success && response.content_type == route.answer_media)
      co_return to_cache(response, age ? age->clock.now() : Timestamp{});
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
  co_return from_cache(*body, route);
}

}  // namespace

Route cached(Route route, cache::BodyCache& cache, TagOf tag, std::optional<Age> age) {
  if (route.access.kind != Access::Kind::anyone || route.method != Method::get)
    throw std::logic_error("answers of " + route.path + " differ by caller and cannot be kept");
  route.handler = [inner = std::move(route.handler), &cache, tag = std::move(tag),
                   age](Context& context) -> Eventual<Response> {
    if (context.uncached || is_personal(context)) return inner(context);
    if (auto hit = cache.find(context.request->head.target)) {
      if (!age || age->clock.now() - age->most < hit->made_at) return from_cache(hit, *context.route);
      cache.forget(context.request->head.target, hit);
    }
    return load(cache, tag(context), *context.route, context, inner, age);
  };
  return route;
}

Route cached_with_neighbours(Route route, cache::BodyCache& cache, std::string_view kind, ReadAhead read) {
  if (route.path_parameters.size() != 1 || !route.path.ends_with('}'))
    throw std::logic_error(route.path + " does not end with its only parameter");
  auto tag = by_path_id(kind);
  route = cached(std::move(route), cache, tag);
  route.handler = [inner = std::move(route.handler), &cache, kind = std::string(kind),
                   read = std::move(read)](Context& context) -> Eventual<Response> {
    const std::string_view target = context.request->head.target;
    if (context.uncached) return inner(context);
    if (auto hit = cache.find(target)) return from_cache(hit, *context.route);
    const auto id = number_at_end(target, context.path_values[0]);
    if (id == 0 || !cache.roomy()) return inner(context);
    return [](cache::BodyCache& cache, std::string_view kind, std::int64_t id, Context& context,
              const ReadAhead& read,
              const std::function<Eventual<Response>(Context&)>& inner) -> Task<Response> {
      const std::string_view target = context.request->head.target;
      const auto prefix = target.substr(0, target.size() - context.path_values[0].size());
      co_await load_run(cache, kind, id, prefix, *context.route, context, read);
      auto answer = inner(context);
      if (answer.ready()) co_return std::move(answer.value());
      co_return co_await std::move(answer.task());
    }(cache, kind, id, context, read, inner);
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
