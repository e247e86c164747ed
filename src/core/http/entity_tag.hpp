// Lists of entity tags as If-Match and If-None-Match have them (RFC 9110, 8.8.3 and 13.1). Pure.
#pragma once
#include <string_view>

namespace lumina::http {

enum class TagComparison { strong, weak };

// Whether the list names the tag, which is without its quotes: `*` names every tag. The strong comparison
// passes weak tags over; the weak one takes them as strong. What is no tag is passed over.
bool names_tag(std::string_view list, std::string_view tag, TagComparison comparison);

}  // namespace lumina::http
