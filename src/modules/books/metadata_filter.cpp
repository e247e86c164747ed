#include "modules/books/metadata_filter.hpp"

#include "core/http/context.hpp"
#include "core/json/codec.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace lumina::books {
namespace {

namespace bj = boost::json;
constexpr std::string_view prefix = "metadata.";
constexpr std::size_t most = 10;

// Several names, and several values of one name, must all hold.
void gather(http::Context& context) {
  const auto is_ours = [](const auto& pair) { return pair.first.starts_with(prefix); };
  if (std::ranges::none_of(context.query, is_ours)) {
    const auto plain = std::ranges::find(context.query, "metadata", &http::Pairs::value_type::first);
    bj::error_code error;
    if (plain != context.query.end() && !bj::parse(plain->second, error).is_object())
      context.errors.push_back({{"query", "metadata"}, "must be a JSON object", "type"});
    return;
  }
  bj::object wanted;
  std::size_t count = 0;
  for (const auto& [name, value] : context.query) {
    if (!name.starts_with(prefix)) continue;
    const auto key = name.substr(prefix.size());
    if (key.empty() || ++count > most) {
      context.errors.push_back({{"query", name}, "name at most ten fields, as metadata.lang", "unknown"});
      continue;
    }
    if (key.contains('\0') || value.contains('\0')) {
      context.errors.push_back({{"query", "metadata"}, "must not hold a NUL character", "nul"});
      continue;
    }
    auto& values = wanted[key];
    if (!values.is_array()) values = bj::array();
    values.get_array().emplace_back(value);
  }
  std::erase_if(context.query, is_ours);
  context.query.emplace_back("metadata", bj::serialize(wanted));
}

}  // namespace

http::Route with_metadata_filter(http::Route route) {
  route.handler = [inner = std::move(route.handler)](http::Context& context) {
    gather(context);
    return inner(context);
  };
  return route;
}

}  // namespace lumina::books
