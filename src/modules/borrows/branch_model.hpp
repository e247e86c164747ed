// The branches of a library: where copies stand and where holds are picked up. Free of HTTP, JSON and SQL.
//
// There is always a default branch. Whatever needs a branch takes it when nobody names one, so that a library
// of one house never hears of branches.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

using BranchId = Id<struct BranchTag>;

struct Branch {
  BranchId id;
  std::string code;  // unique: short, for labels
  std::string name;
  std::optional<std::string> address;
  bool is_default = false;
  Timestamp created_at;
  Timestamp updated_at;
  static constexpr std::string_view type_name = "Branch";
  static std::vector<schema::Field> fields();
};
struct NewBranch {
  std::string code;  // 1..40 letters, digits, - and _
  std::string name;  // 1..200 code points
  std::optional<std::string> address;
  static constexpr std::string_view type_name = "NewBranch";
  static std::vector<schema::Field> fields();
};
// RFC 7396: what is not mentioned stays, null empties. `is_default` can be given to another branch, not taken
// away.
struct BranchChanges {
  schema::Patch<std::string> code, name, address;
  schema::Patch<bool> is_default;
  static constexpr std::string_view type_name = "BranchChanges";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
