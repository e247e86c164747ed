#include "core/http/expand.hpp"

#include "core/base/text.hpp"
#include "core/http/answer.hpp"
#include "core/http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lumina::http {
namespace {

using Expansions = std::vector<Expansion>;
using Chosen = std::vector<const Expansion*>;
using Handler = std::function<Eventual<Response>(Context&)>;

std::string names_of(const Expansions& all) {
  std::string names;
  for (const auto& e : all) names += (names.empty() ? "" : ", ") + e.name;
  return names;
}

// Takes ?expand= out of the query; unknown names are noted as faults.
Chosen take_expansions(Context& context, const Expansions& all) {
  Chosen chosen;
  const auto fault = [&](std::string message) {
    context.errors.push_back({{"query", "expand"}, std::move(message), "unknown"});
  };
  for (auto it = context.query.begin(); it != context.query.end();) {
    if (it->first != "expand") {
      ++it;
      continue;
    }
    std::string_view names = it->second;
    while (!names.empty()) {
      const auto comma = names.find(',');
      const auto name = names.substr(0, comma);
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
      const auto found = std::ranges::find(all, name, &Expansion::name);
      if (found == all.end()) {
        fault("must name some of " + names_of(all));
        break;
      }
      if (std::ranges::find(chosen, &*found) == chosen.end()) chosen.push_back(&*found);
    }
    it = context.query.erase(it);
  }
  return chosen;
}

Task<Response> expanded(const Handler& inner, Chosen chosen, Context& context) {
  auto answer = inner(context);
  Response response;
  if (answer.ready())
    response = std::move(answer.value());
  else
    response = co_await std::move(answer.task());
  if (response.status != context.route->success || !response.body.ends_with('}')) co_return response;
  for (const Expansion* e : chosen) {
    auto text = co_await e->load(context);
    if (!text) co_return problem(context, std::move(text.error()));
    response.body.back() = ',';
    if (response.body.size() == 2) response.body.pop_back();  // it was {}
    json::append_string(response.body, e->name);
    response.body += ':';
    response.body += *text;
    response.body += '}';
  }
  // If-Match compares the version in front; it is the resource's own.
  std::int64_t version = 0;
  if (const auto dash = response.etag.find('-'); dash != std::string::npos)
    std::from_chars(response.etag.data(), response.etag.data() + dash, version);
  response.etag = make_etag(response.body, version);
  co_return response;
}

}  // namespace

Route expandable(Route route, Expansions expansions) {
  for (const auto& e : expansions) route.expansions.push_back({e.name, e.type, e.personal});
  route.handler = [inner = std::move(route.handler),
                   all = std::move(expansions)](Context& context) -> Eventual<Response> {
    auto chosen = take_expansions(context, all);
    if (chosen.empty()) return inner(context);
    return expanded(inner, std::move(chosen), context);
  };
  return route;
}

std::int64_t path_id(const Context& context) {
  std::int64_t id = 0;
  const auto text = context.path_values[0];
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

}  // namespace lumina::http
