#include "core/http/router.hpp"

#include "core/http/handler.hpp"
#include "core/http/if_match.hpp"
#include "core/http/unwanted_body.hpp"

#include <algorithm>
#include <stdexcept>

namespace lumina::http {
namespace {

constexpr std::size_t method_count = 7;

// Cuts the first segment off; the path starts with '/'.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

std::string_view without_trailing_slash(std::string_view path) {
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

}  // namespace

struct Router::Node {
  std::array<const Route*, method_count> by_method{};
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literal;
  std::unique_ptr<Node> parameter;

  Node* child(std::string_view segment) {
    if (segment.starts_with('{')) {
      if (!parameter) parameter = std::make_unique<Node>();
      return parameter.get();
    }
    for (auto& [name, node] : literal)
      if (name == segment) return node.get();
    return literal.emplace_back(std::string(segment), std::make_unique<Node>()).second.get();
  }
  bool has_route() const {
    for (const Route* r : by_method)
      if (r) return true;
    return false;
  }
  const Route* at(Method method) const { return by_method[static_cast<std::size_t>(method)]; }
};

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
  for (const Route& route : routes_) {
    Node* node = root_.get();
    std::string_view path = without_trailing_slash(route.path);
    while (path.size() > 1 || (path.size() == 1 && path != "/")) node = node->child(next_segment(path));
    auto& slot = node->by_method[static_cast<std::size_t>(route.method)];
    if (slot)
      throw std::logic_error("two routes answer " + std::string(to_string(route.method)) + " " + route.path +
                             " and " + slot->path);
    slot = &route;
  }
  for (Route& route : routes_)
    if (takes_no_body(route)) refuse_bodies(route);
  // By the tree, so that a path and its other spellings are guarded alike.
  for (Route& route : routes_) {
    if (route.if_match ||
        (route.method != Method::put && route.method != Method::patch && route.method != Method::del))
      continue;
    Node* node = root_.get();
    std::string_view path = without_trailing_slash(route.path);
    while (path.size() > 1) node = node->child(next_segment(path));
    if (const Route* shown = node->at(Method::get); shown && shows_one_resource(*shown))
      guard_by_etag(route, *shown);
  }
}
Router::~Router() = default;

Router::Match Router::find(Method method, std::string_view path) const {
  Match match;
  struct Walker {
    Match& match;
    std::size_t depth = 0;
    const Node* walk(const Node& node, std::string_view path) {
      if (path.empty() || path == "/") return node.has_route() ? &node : nullptr;
      const auto segment = next_segment(path);
      for (const auto& [name, child] : node.literal)
        if (name == segment)
          if (const Node* found = walk(*child, path)) return found;
      if (!node.parameter || segment.empty() || depth == match.values.size()) return nullptr;
      match.values[depth++] = segment;
      if (const Node* found = walk(*node.parameter, path)) return found;
      --depth;
      return nullptr;
    }
  };
  if (path.empty() || path.front() != '/') return match;
  Walker walker{match};
  const Node* node = walker.walk(*root_, without_trailing_slash(path));
  if (!node) return match;
  const Method wanted = method == Method::head ? Method::get : method;
  match.route = node->by_method[static_cast<std::size_t>(wanted)];
  if (match.route) return match;
  match.path_known = true;
  for (std::size_t i = 0; i < method_count; ++i) {
    if (!node->by_method[i]) continue;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += to_string(static_cast<Method>(i));
    if (static_cast<Method>(i) == Method::get) match.allow += ", HEAD";
  }
  match.allow += ", OPTIONS";
  return match;
}

void detail::name_path_parameters(Route& route) {
  std::size_t count = 0;
  for (std::size_t at = route.path.find('{'); at != std::string::npos;
       at = route.path.find('{', at + 1), ++count) {
    if (count >= route.path_parameters.size()) break;
    route.path_parameters[count].name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
  }
  const auto braces = static_cast<std::size_t>(std::count(route.path.begin(), route.path.end(), '{'));
  if (braces != route.path_parameters.size())
    throw std::logic_error("the handler of " + route.path + " does not take the parameters of its path");
}

Route&& Route::retired(std::string_view since, std::string_view sunset, std::string_view successor) && {
  const auto day = [](std::string_view text) {
    const auto at = parse_rfc3339(std::string(text) + "T00:00:00Z");
    if (!at) throw std::logic_error("not a day: " + std::string(text));
    return *at;
  };
  retirement = Retirement{day(since), day(sunset), std::string(successor)};
  if (retirement->sunset < retirement->since) throw std::logic_error("retired after its sunset: " + path);
  return std::move(*this);
}

std::vector<Route> mounted_at(const std::vector<Route>& routes, std::string_view from, std::string_view to,
                              const std::function<Route(Route)>& change) {
  std::vector<Route> mounted;
  for (const Route& route : routes) {
    const std::string_view path = route.path;
    if (!path.starts_with(from) || (path.size() > from.size() && path[from.size()] != '/')) continue;
    Route copy = route;
    copy.path = std::string(to) + std::string(path.substr(from.size()));
    copy.retirement.reset();
    mounted.push_back(change ? change(std::move(copy)) : std::move(copy));
  }
  return mounted;
}

bool detail::selects_members(const Route& route) {
  if (route.method != Method::get || !route.answer || route.answer->kind != schema::Kind::object)
    return false;
  return !route.query ||
         std::ranges::find(route.query->fields, "fields", &schema::Field::name) == route.query->fields.end();
}

std::vector<Route> also_at(const std::vector<Route>& routes, Method method, std::string_view documented,
                           std::initializer_list<std::string_view> others) {
  const auto original = std::find_if(routes.begin(), routes.end(), [&](const Route& r) {
    return r.method == method && r.path == documented;
  });
  if (original == routes.end()) throw std::logic_error("no route at " + std::string(documented));
  std::vector<Route> aliases;
  for (auto path : others) {
    Route alias = *original;
    alias.path = path;
    alias.hidden = true;
    aliases.push_back(std::move(alias));
  }
  return aliases;
}

}  // namespace lumina::http
