// The OpenAPI 3.1 document, made from the table that dispatches: what is not declared is not served, and the
// reverse.
#pragma once
#include "core/http/route.hpp"

#include <string>
#include <vector>

namespace lumina::http {

// Deterministic: the same table gives the same bytes. Indented, for review as a diff.
std::string openapi_document(const std::vector<Route>& routes);

}  // namespace lumina::http
