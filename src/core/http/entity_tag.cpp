#include "core/http/entity_tag.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::http {

bool names_tag(std::string_view list, std::string_view tag, TagComparison comparison) {
  if (trim_ascii(list) == "*") return true;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto one = trim_ascii(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (comparison == TagComparison::weak && one.starts_with("W/")) one.remove_prefix(2);
    if (one.size() == tag.size() + 2 && one.front() == '"' && one.back() == '"' &&
        one.substr(1, tag.size()) == tag)
      return true;
  }
  return false;
}

}  // namespace lumina::http
