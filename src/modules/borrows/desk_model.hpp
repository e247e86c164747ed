// What the desk says and hears: lending and taking back by barcode, a person at a glance, and what was done
// while the server was away. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/hold_model.hpp"
#include "modules/borrows/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

constexpr int longest_desk_loan_days = 366;

struct Checkout {
  std::string patron;  // id, e-mail address or card number
  std::string barcode;
  std::optional<std::string> override_reason;  // sets aside what staff may set aside; audited
  std::optional<Timestamp> due_date;
  static constexpr std::string_view type_name = "Checkout";
  static std::vector<schema::Field> fields();
};
struct Checkin {
  std::string barcode;
  std::optional<BranchId> branch_id;  // the desk where it was handed in
  static constexpr std::string_view type_name = "Checkin";
  static std::vector<schema::Field> fields();
};
struct CheckedIn {
  std::optional<Borrow> borrow;  // nothing when a copy that was missed was found
  std::optional<Hold> hold;      // for whom to put it aside
  Copy copy;
  static constexpr std::string_view type_name = "CheckedIn";
  static std::vector<schema::Field> fields();
};

// Why somebody cannot borrow at present.
struct PatronBlock {
  std::string code;
  std::string detail;
  static constexpr std::string_view type_name = "DeskBlock";
  static std::vector<schema::Field> fields();
};
struct PatronSummary {
  Borrower user;
  bool is_active = true;
  std::vector<Borrow> loans;  // open, the longest due first
  std::int64_t overdue_loans = 0;
  std::vector<Hold> holds;  // open
  std::vector<PatronBlock> blocks;
  static constexpr std::string_view type_name = "PatronSummary";
  static std::vector<schema::Field> fields();
};

enum class OfflineKind : std::uint8_t { checkout, checkin };
constexpr std::array<std::string_view, 2> offline_kind_names{"checkout", "checkin"};
constexpr auto& enum_names(OfflineKind) { return offline_kind_names; }

struct OfflineTransaction {
  std::string client_id;  // unique for ever; told again it changes nothing
  OfflineKind kind = OfflineKind::checkout;
  std::string barcode;
  std::optional<std::string> patron;  // of a checkout
  Timestamp at;                       // by the client's clock
  std::optional<Timestamp> due_date;
  static constexpr std::string_view type_name = "OfflineTransaction";
  static std::vector<schema::Field> fields();
};
struct OfflineBatch {
  std::vector<OfflineTransaction> transactions;
  static constexpr std::string_view type_name = "OfflineBatch";
  static std::vector<schema::Field> fields();
};

enum class OfflineOutcome : std::uint8_t { done, duplicate, conflict };
constexpr std::array<std::string_view, 3> offline_outcome_names{"done", "duplicate", "conflict"};
constexpr auto& enum_names(OfflineOutcome) { return offline_outcome_names; }

struct OfflineResult {
  std::string client_id;
  OfflineOutcome outcome = OfflineOutcome::done;
  std::optional<std::string> code, detail;  // of a conflict
  std::optional<BorrowId> borrow_id;
  static constexpr std::string_view type_name = "OfflineResult";
  static std::vector<schema::Field> fields();
};
struct OfflineReport {
  std::int64_t done = 0, duplicates = 0, conflicts = 0;
  std::vector<OfflineResult> results;  // in the order of the clients' times
  static constexpr std::string_view type_name = "OfflineReport";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
