// What a value must satisfy beyond its type. Rules are data: the codec checks them and OpenAPI shows them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::schema {

struct Rule {
  enum class Kind : std::uint8_t { length, range, step, one_of, format, items };
  Kind kind;
  double low = 0, high = 0;  // length and items: counts; range: inclusive bounds; step: low is the step
  std::vector<std::string_view> choices;  // one_of
  std::string_view format_name;           // OpenAPI `format`
  std::string_view message;               // format: what a valid value is ("must be an e-mail address")
  bool (*check)(std::string_view) = nullptr;
};

// Length in code points.
inline Rule length(double low, double high) { return {Rule::Kind::length, low, high, {}, {}, {}, nullptr}; }
inline Rule range(double low, double high) { return {Rule::Kind::range, low, high, {}, {}, {}, nullptr}; }
// A multiple of `size`: ratings come in steps of 0.5.
inline Rule step(double size) { return {Rule::Kind::step, size, 0, {}, {}, {}, nullptr}; }
inline Rule one_of(std::vector<std::string_view> choices) {
  return {Rule::Kind::one_of, 0, 0, std::move(choices), {}, {}, nullptr};
}
inline Rule format(std::string_view name, bool (*check)(std::string_view), std::string_view message) {
  return {Rule::Kind::format, 0, 0, {}, name, message, check};
}
// Number of elements of an array.
inline Rule items(double low, double high) { return {Rule::Kind::items, low, high, {}, {}, {}, nullptr}; }

}  // namespace lumina::schema
