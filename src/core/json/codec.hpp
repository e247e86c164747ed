// JSON to and from described types: one place that decodes, validates and encodes.
//
// Decoding is strict (RFC 8259 plus): duplicate and unknown members, NUL characters, wrong types and broken
// rules are all reported together, each with its place. Depth is limited to 32. Any thread.
#pragma once
#include "core/base/error.hpp"
#include "core/schema/type.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::json {

using Location = std::vector<std::string>;

// Fills `out` (of that type) from JSON text. Error kinds: malformed (not JSON, with the offset) or invalid.
Status decode(const schema::Type& type, void* out, std::string_view text, const Location& at);
// Fills a scalar, optional or array of scalars (comma separated) from a query or path parameter.
void decode_text(const schema::Type& type, const std::vector<schema::Rule>& rules, void* out,
                 std::string_view text, const Location& at, std::vector<FieldError>& errors);
// Fills an object from form fields or query parameters; unknown names are faults.
void decode_pairs(const schema::Type& type, void* out,
                  const std::vector<std::pair<std::string, std::string>>& pairs, std::string_view where,
                  std::vector<FieldError>& errors);

// Appends the JSON text of `value`. Numbers are written in their shortest form, times as RFC 3339.
void encode(const schema::Type& type, const void* value, std::string& out);
// The same, of an object or of each object of an array, with those members only (indexes into Type::fields,
// rising).
void encode_members(const schema::Type& type, const void* value, const std::vector<std::size_t>& members,
                    std::string& out);
// Appends a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, double value);

template <class T>
Result<T> decode(std::string_view text) {
  T value{};
  if (auto done = decode(schema::type_of<T>(), &value, text, {"body"}); !done)
    return Failure(std::move(done.error()));
  return value;
}
template <class T>
std::string encode(const T& value) {
  std::string out;
  encode(schema::type_of<T>(), &value, out);
  return out;
}

// Each element of a JSON array by itself: a faulty one is an error in its place and loses nobody else. The
// outer error is for text that is no array, or has more than `most` elements.
namespace detail {
Status each_element(const schema::Type& type, std::string_view text, std::size_t most,
                    const std::function<void*()>& next, const std::function<void(Status)>& filled);
}
template <class T>
Result<std::vector<Result<T>>> decode_each(std::string_view text, std::size_t most) {
  std::vector<Result<T>> out;
  T value{};
  auto next = [&]() -> void* { return value = T{}, &value; };
  auto filled = [&](Status status) {
    if (status)
      out.emplace_back(std::move(value));
    else
      out.emplace_back(Failure(std::move(status.error())));
  };
  if (auto done = detail::each_element(schema::type_of<T>(), text, most, next, filled); !done)
    return Failure(std::move(done.error()));
  return out;
}

}  // namespace lumina::json
