// Paging as every list of the API takes and answers it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lumina {

// `skip`/`limit` answer a bare array; `page`/`size` an envelope; `cursor` continues where a Link header
// pointed.
struct PageRequest {
  std::int64_t skip = 0;
  std::int64_t limit = 100;  // 1..100
  bool envelope = false;     // asked with page and size
  std::optional<std::string> cursor;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
  std::optional<std::string> next_cursor;  // set when more rows follow
};

}  // namespace lumina
