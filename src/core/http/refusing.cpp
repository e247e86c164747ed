#include "core/http/refusing.hpp"

#include <algorithm>

namespace lumina::http {

std::string path_of_head(std::string_view octets) {
  constexpr std::size_t longest = 1024;
  const auto begin = std::min(octets.find_first_not_of("\r\n"), octets.size());
  auto line = octets.substr(begin);
  line = line.substr(0, line.find_first_of("\r\n"));
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return {};
  auto path = line.substr(space + 1);
  path = path.substr(0, path.find_first_of(" ?#"));
  if (!path.starts_with('/')) return {};
  path = path.substr(0, longest);
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  return std::string(path.begin(), std::ranges::find_if_not(path, visible));
}

}  // namespace lumina::http
