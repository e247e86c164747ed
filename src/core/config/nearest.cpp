#include "core/config/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace lumina {
namespace {

constexpr std::size_t longest = 64;

std::string plain(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

// Optimal string alignment: Damerau and Levenshtein's distance where no letter is touched twice.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto width = b.size() + 1;
  std::vector<std::size_t> rows(3 * width);
  auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& { return rows[(i % 3) * width + j]; };
  for (std::size_t j = 0; j < width; ++j) cell(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    cell(i, 0) = i;
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      auto best = std::min({cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = std::min(best, cell(i - 2, j - 2) + 1);
      cell(i, j) = best;
    }
  }
  return cell(a.size(), b.size());
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view typed, std::span<const std::string_view> known) {
  if (typed.empty() || typed.size() > longest) return std::nullopt;
  const auto wanted = plain(typed);
  std::optional<std::string_view> best;
  std::size_t least = 0;
  for (const auto name : known) {
    const auto apart = distance(wanted, plain(name));
    if (apart < typed.size() && apart <= std::max<std::size_t>(2, name.size() / 3) &&
        (!best || apart < least)) {
      best = name;
      least = apart;
    }
  }
  return best;
}

}  // namespace lumina
