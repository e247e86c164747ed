#include "modules/pages/repository.hpp"

namespace lumina::pages {

Totals PageRepository::totals() {
  Totals t;
  const auto row = tx_.one<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                           std::int64_t>(
      "SELECT count(*), CAST(coalesce(sum(s.copies_total), 0) AS BIGINT), "
      "CAST(coalesce(sum(s.copies_available), 0) AS BIGINT), "
      "(SELECT count(*) FROM users WHERE deleted_at IS NULL), "
      "CAST(coalesce(sum(s.active_borrows), 0) AS BIGINT), CAST(coalesce(sum(s.review_count), 0) AS BIGINT) "
      "FROM books b LEFT JOIN book_stats s ON s.book_id = b.id WHERE b.deleted_at IS NULL");
  if (row) std::tie(t.books, t.copies, t.copies_available, t.readers, t.open_loans, t.reviews) = *row;
  return t;
}

}  // namespace lumina::pages
