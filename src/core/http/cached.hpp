// A route whose answers are kept as bytes: encoded once, served from memory until what they show changes.
#pragma once
#include <functional>
#include <string_view>

#include "core/cache/body_cache.hpp"
#include "core/http/context.hpp"
#include "core/http/route.hpp"

namespace lumina::http {

using TagOf = std::function<cache::Tag(const Context&)>;

// Answers of status 200 are kept by request target under the tag; everything else passes through. Only for routes
// that answer everybody alike: throws std::logic_error for one that needs a caller.
Route cached(Route route, cache::BodyCache& cache, TagOf tag);

// The same tag for every answer: lists and totals.
TagOf always(cache::Tag tag);
// kind and the number in the first path parameter: Tag("book", 42) for /books/42.
TagOf by_path_id(std::string_view kind);

}  // namespace lumina::http
