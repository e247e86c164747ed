// Finds the route of a request: exact segments before {parameters}, with or without a trailing slash.
#pragma once
#include "core/http/route.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

class Router {
 public:
  // Throws std::logic_error, naming the route, when two routes answer the same requests.
  explicit Router(std::vector<Route> routes);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  struct Match {
    const Route* route = nullptr;
    std::array<std::string_view, 4> values{};  // of the path parameters, still encoded
    bool path_known = false;                   // the path exists, with other methods
    std::string allow;                         // those methods, for 405 and OPTIONS
  };
  // HEAD finds the GET route. Thread-safe.
  Match find(Method method, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace lumina::http
