// "did you mean": the known name closest to one that was mistyped.
#pragma once
#include <optional>
#include <span>
#include <string_view>

namespace lumina {

// By the number of letters inserted, dropped, changed or swapped; case and the difference between '-' and '_'
// do not count. Nothing when even the best differs in more than a third of its letters (two at least).
std::optional<std::string_view> nearest(std::string_view typed, std::span<const std::string_view> known);

}  // namespace lumina
