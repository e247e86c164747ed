#include "core/http/prefer.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace lumina::http {

std::optional<std::chrono::seconds> preferred_wait(const RawRequest& request) {
  std::string_view rest = request.header("Prefer");
  while (!rest.empty()) {
    const auto comma = rest.find_first_of(",;");
    const auto one = trim_ascii(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (!one.starts_with("wait=")) continue;
    int seconds = 0;
    const auto [end, error] = std::from_chars(one.data() + 5, one.data() + one.size(), seconds);
    if (error == std::errc{} && end == one.data() + one.size() && seconds >= 0)
      return std::chrono::seconds(std::clamp(seconds, 1, 60));
  }
  return {};
}

}  // namespace lumina::http
