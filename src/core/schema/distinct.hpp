// A rule of arrays: no element twice. The codec checks it on what was read, so 1 and 1.0 are the same;
// OpenAPI shows it as `uniqueItems`.
#pragma once
#include "core/schema/rules.hpp"

#include <limits>

namespace lumina::schema {

inline constexpr std::string_view distinct_name = "uniqueItems";

// For arrays of numbers, text and enumerations. The second of two equal elements is the one at fault.
inline Rule distinct() {
  return {Rule::Kind::items, 0,      std::numeric_limits<double>::infinity(), {}, distinct_name,
          "comes twice",     nullptr};
}
inline bool is_distinct(const Rule& rule) {
  return rule.kind == Rule::Kind::items && rule.format_name == distinct_name;
}

}  // namespace lumina::schema
