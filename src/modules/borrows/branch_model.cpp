#include "modules/borrows/branch_model.hpp"

#include "core/base/text.hpp"

namespace lumina::borrows {
namespace {

using schema::Field;
using schema::Rule;

bool is_code(std::string_view text) {
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
         std::string_view::npos;
}
bool has_text(std::string_view text) { return !trim(text).empty(); }

std::vector<Rule> code_rules() {
  return {schema::length(1, 40), schema::format("code", &is_code, "must be letters, digits, - and _")};
}
std::vector<Rule> name_rules() {
  return {schema::length(1, 200), schema::format("not-blank", &has_text, "must not be blank")};
}

}  // namespace

std::vector<Field> Branch::fields() {
  return {{"id", &Branch::id, "Identifier"},
          {"code", &Branch::code, "Short name, unique"},
          {"name", &Branch::name, "Name"},
          {"address", &Branch::address, "Where it is"},
          {"is_default", &Branch::is_default, "Taken when no branch is named"},
          {"created_at", &Branch::created_at, "When it was added"},
          {"updated_at", &Branch::updated_at, "When it was last changed"}};
}
std::vector<Field> NewBranch::fields() {
  return {{"code", &NewBranch::code, "Short name, unique: letters, digits, - and _", code_rules()},
          {"name", &NewBranch::name, "Name", name_rules()},
          {"address", &NewBranch::address, "Where it is", {schema::length(0, 500)}}};
}
std::vector<Field> BranchChanges::fields() {
  return {{"code", &BranchChanges::code, "Short name, unique", code_rules()},
          {"name", &BranchChanges::name, "Name", name_rules()},
          {"address", &BranchChanges::address, "Where it is", {schema::length(0, 500)}},
          {"is_default", &BranchChanges::is_default, "true makes it the default instead of the present one"}};
}

}  // namespace lumina::borrows
