// Copies: the things on the shelf. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/borrows/branch_model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

// available and on_loan tell of the shelf and of an open loan; on_hold, that it is kept for somebody. lost
// and claimed_returned may come while a loan is open, which then stays open. The others take it out of
// circulation.
enum class CopyStatus : std::uint8_t {
  available,
  on_loan,
  on_hold,
  lost,
  damaged,
  claimed_returned,
  in_repair,
  missing,
  withdrawn
};
constexpr std::array<std::string_view, 9> copy_status_names{"available", "on_loan", "on_hold",
                                                            "lost",      "damaged", "claimed_returned",
                                                            "in_repair", "missing", "withdrawn"};
constexpr auto& enum_names(CopyStatus) { return copy_status_names; }

struct Copy {
  CopyId id;
  BookId book_id;
  std::optional<std::string> barcode;  // only copies of deleted books have none
  BranchId branch_id;
  std::optional<std::string> location;
  std::optional<std::string> condition;
  std::string item_type;
  CopyStatus status = CopyStatus::available;  // as it is now: on_loan while a loan is open
  static constexpr std::string_view type_name = "Copy";
  static std::vector<schema::Field> fields();
};
// Without a barcode it gets one of ours, without a branch the default, without an item type "book".
struct NewCopy {
  std::optional<std::string> barcode;  // 1..64, unique in the library
  std::optional<BranchId> branch_id;
  std::optional<std::string> location, condition, item_type;
  static constexpr std::string_view type_name = "NewCopy";
  static std::vector<schema::Field> fields();
};
// RFC 7396. The status moves as POST /copies/{id}/status moves it.
struct CopyChanges {
  schema::Patch<std::string> barcode;
  schema::Patch<BranchId> branch_id;
  schema::Patch<std::string> location, condition, item_type, status;
  bool only_status() const {
    return status.mentioned() && !barcode.mentioned() && !branch_id.mentioned() && !location.mentioned() &&
           !condition.mentioned() && !item_type.mentioned();
  }
  static constexpr std::string_view type_name = "CopyChanges";
  static std::vector<schema::Field> fields();
};
struct CopyStatusChange {
  std::string status;  // any but on_loan and on_hold, which are consequences
  std::optional<std::string> note;
  static constexpr std::string_view type_name = "CopyStatusChange";
  static std::vector<schema::Field> fields();
};
struct CopyFilter {
  std::optional<std::string> barcode;
  std::optional<BranchId> branch_id;
  std::optional<std::string> item_type;
  static constexpr std::string_view type_name = "CopyFilter";
  static std::vector<schema::Field> fields();
};

// What may become of a copy by the hand of staff.
enum class CopyMove : std::uint8_t {
  allowed,
  unchanged,      // it is so already
  while_on_loan,  // the loan must end first
  while_on_hold,  // somebody's pick-up must end first
  impossible      // no way leads there
};
// `stored` is what the copy is without regard to loans (never on_loan); `lent` whether a loan is open.
// available, asked for a copy whose loan is open, takes back that it was lost or claimed returned.
CopyMove copy_move(CopyStatus stored, bool lent, CopyStatus wanted);
// Whether the library counts it among what it owns.
constexpr bool counted_as_owned(CopyStatus status) {
  return status != CopyStatus::lost && status != CopyStatus::missing && status != CopyStatus::withdrawn;
}
// The status of that name; nothing when there is none.
std::optional<CopyStatus> copy_status_named(std::string_view name);

}  // namespace lumina::borrows
