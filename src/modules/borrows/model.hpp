// The types of circulation, free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

constexpr int shortest_loan_days = 1, longest_loan_days = 90;

enum class LoanStatus : std::uint8_t { active, overdue, returned };
constexpr std::array<std::string_view, 3> loan_status_names{"active", "overdue", "returned"};
constexpr auto& enum_names(LoanStatus) { return loan_status_names; }

struct LoanBook {
  BookId id;
  std::string title;
  std::string author;
  static constexpr std::string_view type_name = "LoanBook";
  static std::vector<schema::Field> fields();
};
struct Borrower {
  UserId id;
  std::string full_name;
  std::string email;
  static constexpr std::string_view type_name = "Borrower";
  static std::vector<schema::Field> fields();
};

// One copy lent to one person. `status` and `is_overdue` are as of the moment of the answer, whatever is
// stored.
struct Borrow {
  BorrowId id;
  std::optional<UserId> user_id;  // nothing: the history of a closed loan was cut
  BookId book_id;
  CopyId copy_id;
  Timestamp borrow_date;
  Timestamp due_date;
  std::optional<Timestamp> return_date;
  LoanStatus status = LoanStatus::active;
  bool is_overdue = false;
  int renewals = 0;
  LoanBook book;
  std::optional<Borrower> user;  // in the lists of staff

  static constexpr std::string_view type_name = "Borrow";
  static std::vector<schema::Field> fields();
};

// What a borrower may say, in the query or in the body.
struct LoanTerms {
  std::optional<int> loan_period_days;  // 1..90
  std::optional<UserId> user_id;        // somebody else; staff only
  static constexpr std::string_view type_name = "LoanTerms";
  static std::vector<schema::Field> fields();
};
struct ReturnTerms {
  std::optional<UserId> user_id;  // somebody else; staff only
  static constexpr std::string_view type_name = "ReturnTerms";
  static std::vector<schema::Field> fields();
};

// The filters of one's own loans.
struct OwnLoans {
  std::optional<LoanStatus> status;
  static constexpr std::string_view type_name = "OwnLoans";
  static std::vector<schema::Field> fields();
};
// The filters of the lists of staff.
struct LoanFilter {
  std::optional<UserId> user_id;
  std::optional<BookId> book_id;
  std::optional<LoanStatus> status;
  std::optional<std::int64_t> branch_id;
  static constexpr std::string_view type_name = "LoanFilter";
  static std::vector<schema::Field> fields();
};

// Which part of the history is shown; its counts are of all.
struct HistoryPart {
  std::optional<std::int64_t> skip;
  std::optional<std::int64_t> limit;  // 1..100, default 100
  static constexpr std::string_view type_name = "HistoryPart";
  static std::vector<schema::Field> fields();
};
// Every loan is counted once: total = active + overdue + returned.
struct BorrowHistory {
  std::int64_t total_borrows = 0, active_borrows = 0, returned_borrows = 0, overdue_borrows = 0;
  std::vector<Borrow> borrows;  // newest first
  static constexpr std::string_view type_name = "BorrowHistory";
  static std::vector<schema::Field> fields();
};

struct Availability {
  BookId book_id;
  bool is_available = false;
  std::int64_t active_borrows = 0;  // copies that are out, overdue ones too
  std::int64_t total_borrows = 0;   // ever
  int copies_total = 0;
  int copies_available = 0;
  int holds = 0;  // people waiting for it
  std::optional<Timestamp> next_due_date;
  static constexpr std::string_view type_name = "Availability";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
