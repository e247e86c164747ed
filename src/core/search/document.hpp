// What the index is told about a thing that can be found. The engine knows no books: a Schema names the text
// fields, facets and numbers, and a Document gives their values in the same order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lumina::search {

constexpr std::size_t most_fields = 8, most_facets = 8;

struct Schema {
  std::vector<std::string> fields;   // of text, at most 8
  std::vector<std::string> facets;   // texts to filter by and to count, at most 8
  std::vector<std::string> numbers;  // 64 bits, change with the document; absent: no_number
  std::vector<std::string> live;     // 32 bits, may change without it: counters
};

constexpr std::int64_t no_number = INT64_MIN;

struct Document {
  std::int64_t id = 0;
  std::string language;                          // tag (BCP 47); see language.hpp
  std::string title;                             // shown by suggestions, sorted by
  std::vector<std::vector<std::string>> texts;   // by field; no phrase reaches from one text into the next
  std::vector<std::vector<std::string>> facets;  // by facet; none, one or several values
  std::vector<std::int64_t> numbers;             // by number
  std::vector<std::int32_t> live;
};

}  // namespace lumina::search
