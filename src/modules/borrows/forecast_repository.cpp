#include "modules/borrows/forecast_repository.hpp"

namespace lumina::borrows {
namespace {

constexpr double ms_a_day = 86'400'000;
constexpr int newest_of_title = 60, newest_of_library = 2000;

}  // namespace

std::vector<double> ForecastRepository::title_durations(BookId book) {
  std::vector<double> days;
  tx_.each<std::int64_t>(
      [&](std::int64_t ms) { days.push_back(static_cast<double>(ms) / ms_a_day); },
      "SELECT return_date - borrow_date FROM borrows WHERE book_id = $1 AND return_date IS NOT NULL "
      "ORDER BY id DESC LIMIT CAST($2 AS BIGINT)",
      book, newest_of_title);
  return days;
}

std::vector<double> ForecastRepository::library_durations() {
  std::vector<double> days;
  tx_.each<std::int64_t>(
      [&](std::int64_t ms) { days.push_back(static_cast<double>(ms) / ms_a_day); },
      "SELECT n.return_date - n.borrow_date FROM (SELECT w.return_date, w.borrow_date FROM borrows w "
      "ORDER BY w.id DESC LIMIT CAST($1 AS BIGINT)) n WHERE n.return_date IS NOT NULL",
      newest_of_library);
  return days;
}

TitleState ForecastRepository::state(BookId book, int pickup_days, Timestamp now) {
  TitleState state;
  state.pickup_days = pickup_days;
  // A copy that was lost does not come back by itself, though its loan is open.
  tx_.each<Timestamp>(
      [&](Timestamp lent) { state.out_for.push_back(static_cast<double>(now.ms - lent.ms) / ms_a_day); },
      "SELECT o.borrow_date FROM copies c JOIN borrows o ON o.copy_id = c.id AND o.return_date IS NULL "
      "WHERE c.book_id = $1 AND c.status = 'available' ORDER BY o.id",
      book);
  tx_.each<int, int>(
      [&](int kept, int free) {
        state.kept = kept;
        state.free = free;
      },
      "SELECT (SELECT count(*) FROM holds h WHERE h.book_id = $1 AND h.ended_at IS NULL AND h.status = "
      "'ready'), "
      "copies_available FROM book_stats WHERE book_id = $1",
      book);
  return state;
}

int ForecastRepository::ahead_of(HoldId hold) {
  return std::get<0>(*tx_.one<int>(
      "SELECT count(*) FROM holds h JOIN holds q ON q.book_id = h.book_id AND q.ended_at IS NULL AND "
      "q.status = 'waiting' AND (q.line, q.id) < (h.line, h.id) WHERE h.id = $1",
      hold));
}

std::vector<ForecastRepository::Demand> ForecastRepository::demand(int most) {
  std::vector<Demand> all;
  tx_.each<BookId, std::string, std::string, int, int>(
      [&](BookId id, std::string title, std::string author, int waiting, int copies) {
        all.push_back({{id, std::move(title), std::move(author)}, waiting, copies});
      },
      "SELECT b.id, b.title, b.author, d.waiting, s.copies_total FROM (SELECT h.book_id, count(*) AS waiting "
      "FROM holds h "
      "WHERE h.ended_at IS NULL AND h.status = 'waiting' GROUP BY h.book_id ORDER BY 2 DESC, h.book_id "
      "LIMIT CAST($1 AS BIGINT)) d "
      "JOIN books b ON b.id = d.book_id JOIN book_stats s ON s.book_id = d.book_id ORDER BY d.waiting DESC, "
      "b.id",
      most);
  return all;
}

}  // namespace lumina::borrows
