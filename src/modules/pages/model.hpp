// What one page of a reading room shows, in one answer.
#pragma once
#include "core/base/clock.hpp"
#include "core/schema/type.hpp"
#include "modules/books/model.hpp"
#include "modules/borrows/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::pages {

struct Totals {
  std::int64_t books = 0, copies = 0, copies_available = 0, readers = 0, open_loans = 0, reviews = 0;
  static constexpr std::string_view type_name = "DashboardTotals";
  static std::vector<schema::Field> fields();
};

struct Dashboard {
  Totals totals;
  std::vector<books::Book> recent_books;  // five
  std::vector<borrows::Borrow> my_loans;  // open ones, overdue first; a hundred at most of each
  std::vector<borrows::Borrow> due_soon;  // of them, those due within three days
  std::int64_t overdue_loans = 0;
  std::optional<schema::RawJson> holds, recommendations;
  Timestamp generated_at;
  static constexpr std::string_view type_name = "Dashboard";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::pages
