#include "modules/borrows/loan_query.hpp"

#include "core/base/text.hpp"
#include "core/events/journal.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lumina::borrows {
namespace {

struct Conditions {
  std::string where = "TRUE";
  std::vector<db::Value> values;

  template <class T>
  std::string bind(const T& value) {
    values.push_back(db::to_value(value));
    return "$" + std::to_string(values.size());
  }
};

Conditions conditions_of(const LoanFilter& filter, Order order, Timestamp now) {
  Conditions c;
  if (filter.user_id) c.where += " AND w.user_id = " + c.bind(*filter.user_id);
  if (filter.book_id) c.where += " AND w.book_id = " + c.bind(*filter.book_id);
  if (filter.branch_id)
    c.where +=
        " AND w.copy_id IN (SELECT k.id FROM copies k WHERE k.branch_id = " + c.bind(*filter.branch_id) + ")";
  if (filter.status == LoanStatus::returned) c.where += " AND w.return_date IS NOT NULL";
  if (filter.status == LoanStatus::active)
    c.where += " AND w.status IN ('active', 'overdue') AND w.due_date >= " + c.bind(now);
  if (order == Order::longest_overdue_first || filter.status == LoanStatus::overdue)
    c.where += " AND w.status IN ('active', 'overdue') AND w.due_date < " + c.bind(now);
  return c;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// "n:ID" or "o:DUE:ID", in base64url.
bool continue_after(Order order, const std::string& cursor, Conditions& c) {
  const auto decoded = base64url_decode(cursor);
  if (!decoded) return false;
  std::string_view text = *decoded;
  if (!text.starts_with(order == Order::newest_first ? "n:" : "o:")) return false;
  text.remove_prefix(2);
  if (order == Order::newest_first) {
    const auto id = whole_number(text);
    if (id) c.where += " AND w.id < " + c.bind(*id);
    return id.has_value();
  }
  const auto colon = std::min(text.find(':'), text.size() - 1);
  const auto due = whole_number(text.substr(0, colon)), id = whole_number(text.substr(colon + 1));
  if (!due || !id) return false;
  const auto key = c.bind(*due);
  c.where += " AND (w.due_date, w.id) > (" + key + ", " + c.bind(*id) + ")";
  return true;
}

}  // namespace

const std::string free_copy =
    "c.status = 'available' AND "
    "(SELECT o.id FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL) IS NULL";

const db::Columns<LoanRow> loan_columns{{"w.id", &LoanRow::id},
                                        {"w.user_id", &LoanRow::user_id},
                                        {"w.book_id", &LoanRow::book_id},
                                        {"w.copy_id", &LoanRow::copy_id},
                                        {"w.borrow_date", &LoanRow::borrow_date},
                                        {"w.due_date", &LoanRow::due_date},
                                        {"w.return_date", &LoanRow::return_date},
                                        {"w.status", &LoanRow::status},
                                        {"w.renewals", &LoanRow::renewals},
                                        {"b.title", &LoanRow::title},
                                        {"b.author", &LoanRow::author},
                                        {"u.full_name", &LoanRow::full_name},
                                        {"u.email", &LoanRow::email}};

std::optional<Statement> page_statement(const LoanFilter& filter, Order order, const PageRequest& page,
                                        Timestamp now) {
  auto c = conditions_of(filter, order, now);
  if (page.cursor && !continue_after(order, *page.cursor, c)) return {};
  const auto limit = c.bind(page.limit), offset = c.bind(page.skip);
  const std::string sorted = order == Order::newest_first ? "w.id DESC" : "w.due_date, w.id";
  // The rows that OFFSET skips are walked in an index; only the page itself is joined.
  std::string sql = "SELECT " + loan_columns.list() + " FROM (SELECT w.id FROM borrows w WHERE " + c.where +
                    " ORDER BY " + sorted + " LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" + offset +
                    " AS BIGINT)) page JOIN borrows w ON w.id = page.id JOIN books b ON b.id = w.book_id "
                    "LEFT JOIN users u ON u.id = w.user_id ORDER BY " +
                    sorted;
  return Statement{std::move(sql), std::move(c.values)};
}

Statement count_statement(const LoanFilter& filter, Order order, Timestamp now) {
  auto c = conditions_of(filter, order, now);
  return {"SELECT count(*) FROM borrows w WHERE " + c.where, std::move(c.values)};
}

std::string encode_cursor(Order order, const Borrow& last) {
  if (order == Order::newest_first) return base64url_encode(fmt::format("n:{}", last.id.value));
  return base64url_encode(fmt::format("o:{}:{}", last.due_date.ms, last.id.value));
}

const std::string_view history_sql =
    "SELECT count(*), count(return_date), count(CASE WHEN return_date IS NULL AND due_date < $2 THEN 1 END) "
    "FROM borrows WHERE user_id = $1";

// The next due date comes by way of the book's copies: a few, however often the book was ever lent.
const std::string_view availability_sql =
    "SELECT s.active_borrows, s.total_borrows, s.copies_total, s.copies_available, s.holds_open, "
    "(SELECT min((SELECT o.due_date FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL)) "
    "FROM copies c WHERE c.book_id = $1) FROM books b JOIN book_stats s ON s.book_id = b.id "
    "WHERE b.id = $1 AND b.deleted_at IS NULL";

const std::string standing_sql =
    "SELECT b.title, b.author, "
    "(SELECT u.is_active FROM users u WHERE u.id = $2 AND u.deleted_at IS NULL), "
    "(SELECT o.id FROM borrows o WHERE o.user_id = $2 AND o.book_id = $1 AND o.status <> 'returned'), "
    "(SELECT c.id FROM copies c WHERE c.book_id = $1 AND " +
    free_copy +
    " ORDER BY c.id LIMIT 1), "
    "(SELECT h.copy_id FROM holds h WHERE h.user_id = $2 AND h.book_id = $1 AND h.ended_at IS NULL), "
    "s.holds_open "
    "FROM books b JOIN book_stats s ON s.book_id = b.id WHERE b.id = $1 AND b.deleted_at IS NULL";

}  // namespace lumina::borrows
