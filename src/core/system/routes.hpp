// What operators ask: is it alive, is it ready, how is it doing, what does it offer. No prefix, no login, no
// limits.
#pragma once
#include "core/http/route.hpp"
#include "core/schema/type.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lumina::system {

struct Check {
  std::string name;  // database, migrations, executors, draining
  bool ok = true;
  std::optional<std::string> detail;  // for administrators
  static constexpr std::string_view type_name = "Check";
  static std::vector<schema::Field> fields();
};
struct Readiness {
  std::string status;  // ready or unavailable
  std::vector<Check> checks;
  static constexpr std::string_view type_name = "Readiness";
  static std::vector<schema::Field> fields();
};

// What the routes look at; each function is called for every request that needs it.
struct Probes {
  std::function<Task<Readiness>()> ready;
  std::function<std::string()> metrics;
  std::function<const std::string&()> openapi;
};

std::vector<http::Route> system_routes(Probes probes);

}  // namespace lumina::system
