// A route whose answers are kept as bytes: encoded once, served from memory until what they show changes.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/task.hpp"
#include "core/cache/body_cache.hpp"
#include "core/http/context.hpp"
#include "core/http/route.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::http {

using TagOf = std::function<cache::Tag(const Context&)>;

// Answers of status 200 are kept by request target under the tag; everything else passes through. Only for
// routes that answer everybody alike: throws std::logic_error for one that needs a caller.
// With an age, an answer that is older by its clock is made anew though nothing changed.
struct Age {
  std::chrono::seconds most;
  const Clock& clock;
};
Route cached(Route route, cache::BodyCache& cache, TagOf tag, std::optional<Age> age = std::nullopt);

// Answers of the resources numbered first to last, those that exist, in any order.
using Numbered = std::vector<std::pair<std::int64_t, Response>>;
using ReadAhead = std::function<Task<Result<Numbered>>(Context&, std::int64_t first, std::int64_t last)>;

// For a route whose path ends with its one parameter, a number: a miss also loads its neighbours, 16 for the
// hop of one, while there is room for what nobody asked for. A cold memory fills in a sixteenth of the time.
Route cached_with_neighbours(Route route, cache::BodyCache& cache, std::string_view kind, ReadAhead read);

// The same tag for every answer: lists and totals.
TagOf always(cache::Tag tag);
// kind and the number in the first path parameter: Tag("book", 42) for /books/42.
TagOf by_path_id(std::string_view kind);

}  // namespace lumina::http
