// The OpenAPI 3.1 document, made from the table that dispatches: what is not declared is not served, and the
// reverse.
#pragma once
#include "core/http/route.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

// What a route answers besides success and problems.
struct OtherAnswer {
  Method method = Method::get;
  std::string_view path;  // as in the table
  int status = 0;
  std::string_view description;
};

// Deterministic: the same table gives the same bytes. Indented, for review as a diff.
std::string openapi_document(const std::vector<Route>& routes, const std::vector<OtherAnswer>& others = {});

}  // namespace lumina::http
