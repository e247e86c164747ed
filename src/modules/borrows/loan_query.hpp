// The text of the statements that read loans, built from filters. Text comes from constants only; every value
// is a parameter. Apart from the repository so that tests can ask both databases for the plans.
#pragma once
#include "core/base/page.hpp"
#include "core/db/columns.hpp"
#include "core/db/value.hpp"
#include "modules/borrows/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

enum class Order : std::uint8_t { newest_first, longest_overdue_first };

struct Statement {
  std::string sql;
  std::vector<db::Value> values;
};

// A loan w with its book b and borrower u, as a row.
struct LoanRow : Borrow {
  std::string title, author;
  std::string full_name, email;
};
extern const db::Columns<LoanRow> loan_columns;

// A page of these rows. Nothing when the page names a cursor that is not one of ours for this order.
std::optional<Statement> page_statement(const LoanFilter& filter, Order order, const PageRequest& page,
                                        Timestamp now);
// The number of loans that the filter lets through; the second list holds overdue loans only.
Statement count_statement(const LoanFilter& filter, Order order, Timestamp now);
// Where a page ended: opaque to clients.
std::string encode_cursor(Order order, const Borrow& last);

// All loans, those returned and those overdue at $2 of the person $1.
extern const std::string_view history_sql;
// Active and total loans, copies, free copies, people in line and the next due date of the book $1.
extern const std::string_view availability_sql;

// Whether a copy c can be lent now. A scalar subquery is looked up copy by copy; NOT EXISTS may become a join
// with all open loans.
extern const std::string free_copy;
// For the book $1 and the person $2: title, author, whether the person is active, the loan of this book the
// person has, a copy that is free, the copy that is kept for the person, how many people are in line.
extern const std::string standing_sql;

}  // namespace lumina::borrows
