// Holds: people who wait for a book, in line. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/borrows/branch_model.hpp"
#include "modules/borrows/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

using HoldId = Id<struct HoldTag>;

class RuleBook;

constexpr int shortest_pickup_days = 1, longest_pickup_days = 90;

// What the library has decided about holds; from the configuration.
struct HoldRules {
  int pickup_days = 7;        // how long a copy waits for the person it is kept for
  int loan_period_days = 14;  // what a forecast believes where nothing was ever lent
  // Its rules go before `pickup_days`, and no time to pick up ends on a day its calendar says is closed.
  RuleBook* rule_book = nullptr;
};

// waiting: in line for a copy. suspended: in line, but passed over. ready: a copy is kept. The rest has
// ended.
enum class HoldStatus : std::uint8_t { waiting, suspended, ready, fulfilled, expired, cancelled };
constexpr std::array<std::string_view, 6> hold_status_names{"waiting",   "suspended", "ready",
                                                            "fulfilled", "expired",   "cancelled"};
constexpr auto& enum_names(HoldStatus) { return hold_status_names; }

// When a copy is to be expected, with the range in which it comes four times out of five.
struct Forecast {
  Timestamp expected_at;
  Timestamp earliest;
  Timestamp latest;
  static constexpr std::string_view type_name = "Forecast";
  static std::vector<schema::Field> fields();
};

struct Hold {
  HoldId id;
  BookId book_id;
  UserId user_id;
  HoldStatus status = HoldStatus::waiting;
  std::optional<int> position;  // 1..n among the open holds of the book; nothing once it has ended
  BranchId pickup_branch_id;
  std::optional<CopyId> copy_id;  // the copy that is kept, or was lent
  std::optional<BorrowId> borrow_id;
  std::optional<Timestamp> ready_at;
  std::optional<Timestamp> pickup_until;
  std::optional<Timestamp> suspended_until;
  std::optional<Timestamp> expires_at;
  std::optional<std::string> note;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;
  LoanBook book;
  std::optional<Forecast> forecast;  // of one that waits
  std::optional<Borrower> user;      // in the lists of staff
  static constexpr std::string_view type_name = "Hold";
  static std::vector<schema::Field> fields();
};

struct NewHold {
  std::optional<UserId> user_id;  // somebody else; staff only
  std::optional<BranchId> pickup_branch_id;
  std::optional<Timestamp> expires_at;
  std::optional<std::string> note;
  static constexpr std::string_view type_name = "NewHold";
  static std::vector<schema::Field> fields();
};
// RFC 7396. `suspended_until` alone suspends, too; null means until told otherwise.
struct HoldChanges {
  schema::Patch<bool> suspended;
  schema::Patch<Timestamp> suspended_until;
  schema::Patch<BranchId> pickup_branch_id;
  schema::Patch<Timestamp> expires_at;
  schema::Patch<std::string> note;
  static constexpr std::string_view type_name = "HoldChanges";
  static std::vector<schema::Field> fields();
};
struct Suspension {
  std::optional<Timestamp> until;
  static constexpr std::string_view type_name = "Suspension";
  static std::vector<schema::Field> fields();
};
struct LinePlace {
  int position = 1;  // 1..n; beyond the end is the end
  static constexpr std::string_view type_name = "LinePlace";
  static std::vector<schema::Field> fields();
};

struct OwnHolds {
  std::optional<HoldStatus> status;
  static constexpr std::string_view type_name = "OwnHolds";
  static std::vector<schema::Field> fields();
};
struct HoldFilter {
  std::optional<UserId> user_id;
  std::optional<BookId> book_id;
  std::optional<BranchId> pickup_branch_id;
  std::optional<HoldStatus> status;
  static constexpr std::string_view type_name = "HoldFilter";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
