// libFuzzer: clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined ... Any bytes: a query, or a fault
// within the text; what was read can be planned and evaluated.
#include "core/base/text.hpp"
#include "core/search/matcher.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace lumina::search;

namespace {

const Index& books() {
  static const Index index = [] {
    Index made({{"title"}, {}, {}, {}});
    made.put({{1, "en", "War and Peace", {{"War and Peace"}}, {}, {}, {}},
              {2, "fr", "La guerre", {{"La guerre et la paix"}}, {}, {}, {}}});
    return made;
  }();
  return index;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query =
      parse_query(text, [](std::string_view name) { return name == "title" || name == "year"; });
  if (!query) {
    if (query.error().position > lumina::utf8_length(text) || query.error().message.empty()) std::abort();
    return 0;
  }
  Rules rules;
  rules.field = [](std::string_view name) -> std::optional<std::uint32_t> {
    return name == "title" ? std::optional(1U) : std::nullopt;
  };
  rules.special = [](std::string_view, std::string_view) -> std::expected<Condition, std::string> {
    return Condition{};
  };
  const auto snapshot = books().snapshot();
  auto plan = make_plan(*snapshot, *query, text, rules);
  if (!plan) std::abort();
  const Matches matches(snapshot, std::move(*plan), {}, {});
  if (matches.total() < 0 || matches.total() > 2) std::abort();
  return 0;
}
