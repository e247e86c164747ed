#include "core/json/parse.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lumina::json {
namespace {

namespace bj = boost::json;

// Builds the tree and notices members that come twice, which a map silently loses.
struct Builder {
  static constexpr std::size_t max_object_size = 1'000'000, max_array_size = 10'000'000,
                               max_key_size = 65'536, max_string_size = 64 * 1024 * 1024;
  bj::value_stack stack;
  std::string key;
  std::vector<std::vector<std::string>> open;  // the keys seen so far in each open object
  std::vector<std::string> duplicates;
  bool number_too_large = false;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open.emplace_back(), true; }
  bool on_object_end(std::size_t n, bj::error_code&) {
    auto& keys = open.back();
    std::sort(keys.begin(), keys.end());
    for (auto it = keys.begin(); (it = std::adjacent_find(it, keys.end())) != keys.end(); ++it)
      duplicates.push_back(*it);
    open.pop_back();
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(std::size_t n, bj::error_code&) { return stack.push_array(n), true; }
  bool on_key_part(bj::string_view s, std::size_t, bj::error_code&) {
    key.append(s);
    stack.push_chars(s);
    return true;
  }
  bool on_key(bj::string_view s, std::size_t, bj::error_code&) {
    key.append(s);
    open.back().push_back(key);
    key.clear();
    stack.push_key(s);
    return true;
  }
  bool on_string_part(bj::string_view s, std::size_t, bj::error_code&) { return stack.push_chars(s), true; }
  bool on_string(bj::string_view s, std::size_t, bj::error_code&) { return stack.push_string(s), true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t i, bj::string_view, bj::error_code&) { return stack.push_int64(i), true; }
  bool on_uint64(std::uint64_t u, bj::string_view, bj::error_code&) { return stack.push_uint64(u), true; }
  bool on_double(double d, bj::string_view, bj::error_code&) {
    if (!std::isfinite(d)) number_too_large = true;
    return stack.push_double(d), true;
  }
  bool on_bool(bool b, bj::error_code&) { return stack.push_bool(b), true; }
  bool on_null(bj::error_code&) { return stack.push_null(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

Failure malformed(std::string detail) {
  return fail(ErrorKind::malformed, "malformed_json", std::move(detail));
}

}  // namespace

Result<Parsed> parse(std::string_view text) {
  bj::parse_options options;
  options.max_depth = 32;
  bj::basic_parser<Builder> parser(options);
  parser.handler().stack.reset();
  bj::error_code error;
  std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) {
    if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
      return malformed(fmt::format("The body is not valid JSON: text after the value, at byte {}", used));
  }
  if (error)
    return malformed(fmt::format("The body is not valid JSON: {} at byte {}", error.message(), used));
  if (parser.handler().number_too_large)
    return malformed("The body is not valid JSON: a number is too large");
  return Parsed{parser.handler().stack.release(), std::move(parser.handler().duplicates)};
}

}  // namespace lumina::json
