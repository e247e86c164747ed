#include "modules/lists/smart_query.hpp"

#include "core/json/codec.hpp"

namespace lumina::lists {

Result<books::BookFilter> filter_of(std::string_view query) {
  constexpr std::size_t longest = 4000;
  if (query.size() > longest)
    return invalid({{{"body", "query"}, "must be at most 4000 bytes of JSON", "length"}});
  books::BookFilter filter;
  if (auto read = json::decode(schema::type_of<books::BookFilter>(), &filter, query, {"body", "query"});
      !read)
    return Failure(std::move(read.error()));
  return filter;
}

}  // namespace lumina::lists
