// Works: what editions have in common. Editions of one work share its reviews and can be waited for together.
#pragma once
#include "core/base/clock.hpp"
#include "core/schema/type.hpp"
#include "modules/books/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct Work {
  WorkId id;
  std::string title, author;
  std::int64_t editions = 0;
  std::int64_t copies_total = 0, copies_available = 0, review_count = 0;
  std::optional<double> average_rating;  // of all reviews of all editions
  std::vector<Book> books;               // the editions, the oldest publication first; not in lists
  Timestamp created_at;
  static constexpr std::string_view type_name = "Work";
  static std::vector<schema::Field> fields();
};
struct NewWork {
  std::vector<BookId> books;                 // 1..100
  std::optional<std::string> title, author;  // default: those of the first book
  static constexpr std::string_view type_name = "NewWork";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books
