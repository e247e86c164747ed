// Money between the library and its people: fines, the lines of an account, and what blocks a person.
//
// Amounts are integers in minor units of the library's currency (cents). In lines charges are positive and
// payments, waivers and credits negative, so that the balance is their sum: what is owed.
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

enum class FineKind : std::uint8_t { overdue, lost, damage, other };
constexpr std::array<std::string_view, 4> fine_kind_names{"overdue", "lost", "damage", "other"};
constexpr auto& enum_names(FineKind) { return fine_kind_names; }

enum class FineStatus : std::uint8_t { open, settled };
constexpr std::array<std::string_view, 2> fine_status_names{"open", "settled"};
constexpr auto& enum_names(FineStatus) { return fine_status_names; }

enum class LineKind : std::uint8_t { charge, payment, waiver, credit };
constexpr std::array<std::string_view, 4> line_kind_names{"charge", "payment", "waiver", "credit"};
constexpr auto& enum_names(LineKind) { return line_kind_names; }

using FineId = Id<struct FineTag>;
using BlockId = Id<struct BlockTag>;

struct Fine {
  FineId id;
  UserId user_id;
  FineKind kind = FineKind::other;
  std::optional<BorrowId> borrow_id;
  std::optional<BookId> book_id;
  std::optional<std::string> book_title;
  std::optional<std::string> note;
  std::int64_t amount_minor = 0;       // charged so far
  std::int64_t settled_minor = 0;      // paid, waived and credited
  std::int64_t outstanding_minor = 0;  // the rest
  std::string currency;
  FineStatus status = FineStatus::open;
  Timestamp created_at, updated_at;
  static constexpr std::string_view type_name = "Fine";
  static std::vector<schema::Field> fields();
};
struct FineFilter {
  std::optional<UserId> user_id;  // somebody else; staff only
  std::optional<FineStatus> status;
  static constexpr std::string_view type_name = "FineFilter";
  static std::vector<schema::Field> fields();
};
struct NewFine {
  UserId user_id;
  FineKind kind = FineKind::other;
  std::int64_t amount_minor = 0;
  std::optional<BorrowId> borrow_id;
  std::string note;
  static constexpr std::string_view type_name = "NewFine";
  static std::vector<schema::Field> fields();
};
struct Payment {
  std::optional<std::int64_t> amount_minor;  // default: all that is owed
  std::optional<std::string> note;
  static constexpr std::string_view type_name = "Payment";
  static std::vector<schema::Field> fields();
};
struct Waiver {
  std::string reason;
  std::optional<std::int64_t> amount_minor;
  static constexpr std::string_view type_name = "Waiver";
  static std::vector<schema::Field> fields();
};

struct LedgerLine {
  std::int64_t id = 0;
  FineId fine_id;
  LineKind kind = LineKind::charge;
  std::int64_t amount_minor = 0;
  std::optional<std::string> note;
  Timestamp created_at;
  std::optional<UserId> created_by;  // null: the server
  static constexpr std::string_view type_name = "LedgerLine";
  static std::vector<schema::Field> fields();
};

// What keeps a person from borrowing: `manual` ones by staff have an id, the others are computed.
struct Block {
  std::optional<BlockId> id;
  std::string kind;  // manual, fines, overdue
  std::string detail;
  std::optional<Timestamp> created_at;
  std::optional<UserId> created_by;
  static constexpr std::string_view type_name = "Block";
  static std::vector<schema::Field> fields();
};
struct NewBlock {
  std::string reason;
  static constexpr std::string_view type_name = "NewBlock";
  static std::vector<schema::Field> fields();
};

struct Account {
  UserId user_id;
  std::string currency;
  std::int64_t balance_minor = 0;
  std::vector<LedgerLine> lines;  // newest first
  std::vector<Block> blocks;
  static constexpr std::string_view type_name = "Account";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
