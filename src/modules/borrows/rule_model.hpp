// What a library decides about lending: rules by patron category, item type and branch, and the categories.
//
// Amounts are integers in minor units of the library's currency (cents); days are whole days. In a rule null
// inherits from the next less specific row; where a limit may be lifted, -1 says "no limit".
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

constexpr int no_limit = -1;

// One row of a rule set.
struct Rule {
  std::optional<std::int64_t> id;  // in answers
  std::optional<std::string> category, item_type;
  std::optional<std::int64_t> branch_id;
  std::optional<int> loan_period_days, max_loans, max_holds, max_renewals, renewal_period_days;
  std::optional<std::int64_t> fine_per_day_minor;
  std::optional<int> fine_grace_days;
  std::optional<std::int64_t> fine_cap_minor, max_fine_balance_minor;
  std::optional<int> overdue_block, pickup_days;
  std::optional<bool> holds_allowed;
  std::optional<std::int64_t> replacement_cost_minor;
  std::optional<int> lost_credit_days;
  bool operator==(const Rule&) const = default;

  static constexpr std::string_view type_name = "CirculationRule";
  static std::vector<schema::Field> fields();
};

// What comes of the rows that apply to one loan: nothing is left open.
struct RuleValues {
  int loan_period_days = 14, max_loans = no_limit, max_holds = no_limit, max_renewals = 3,
      renewal_period_days = 14;
  std::int64_t fine_per_day_minor = 0;
  int fine_grace_days = 0;
  std::int64_t fine_cap_minor = no_limit, max_fine_balance_minor = no_limit;
  int overdue_block = no_limit, pickup_days = 7;
  bool holds_allowed = true;
  std::int64_t replacement_cost_minor = 0;
  int lost_credit_days = no_limit;  // 0: what is charged stays charged
  bool operator==(const RuleValues&) const = default;

  static constexpr std::string_view type_name = "RuleValues";
  static std::vector<schema::Field> fields();
};

// Calls f(name, member of Rule, member of RuleValues) for every value that a rule may set.
template <class F>
void for_each_rule_value(F f) {
  f("loan_period_days", &Rule::loan_period_days, &RuleValues::loan_period_days);
  f("max_loans", &Rule::max_loans, &RuleValues::max_loans);
  f("max_holds", &Rule::max_holds, &RuleValues::max_holds);
  f("max_renewals", &Rule::max_renewals, &RuleValues::max_renewals);
  f("renewal_period_days", &Rule::renewal_period_days, &RuleValues::renewal_period_days);
  f("fine_per_day_minor", &Rule::fine_per_day_minor, &RuleValues::fine_per_day_minor);
  f("fine_grace_days", &Rule::fine_grace_days, &RuleValues::fine_grace_days);
  f("fine_cap_minor", &Rule::fine_cap_minor, &RuleValues::fine_cap_minor);
  f("max_fine_balance_minor", &Rule::max_fine_balance_minor, &RuleValues::max_fine_balance_minor);
  f("overdue_block", &Rule::overdue_block, &RuleValues::overdue_block);
  f("pickup_days", &Rule::pickup_days, &RuleValues::pickup_days);
  f("holds_allowed", &Rule::holds_allowed, &RuleValues::holds_allowed);
  f("replacement_cost_minor", &Rule::replacement_cost_minor, &RuleValues::replacement_cost_minor);
  f("lost_credit_days", &Rule::lost_credit_days, &RuleValues::lost_credit_days);
}

// A whole set, as it is put.
struct NewRuleSet {
  std::vector<Rule> rules;  // empty: the library goes back to having none
  std::optional<std::string> note;
  static constexpr std::string_view type_name = "NewRuleSet";
  static std::vector<schema::Field> fields();
};
struct RuleSetAnswer {
  std::int64_t version = 0;  // 0: the library has set no rules
  std::vector<Rule> rules;
  std::optional<std::string> note;
  std::optional<Timestamp> created_at;
  std::optional<UserId> created_by;
  static constexpr std::string_view type_name = "RuleSet";
  static std::vector<schema::Field> fields();
};
struct RuleSetVersion {
  std::int64_t version = 0;
  std::int64_t rules = 0;
  std::optional<std::string> note;
  Timestamp created_at;
  std::optional<UserId> created_by;
  static constexpr std::string_view type_name = "RuleSetVersion";
  static std::vector<schema::Field> fields();
};

struct RuleQuestion {
  std::optional<std::string> category, item_type;
  std::optional<std::int64_t> branch_id;
  std::optional<std::int64_t> version;  // default: the one in force
  static constexpr std::string_view type_name = "RuleQuestion";
  static std::vector<schema::Field> fields();
};
// Where one value came from; without row: the configuration of the server.
struct RuleSource {
  std::string name;
  std::optional<std::int64_t> rule_id;
  std::optional<std::string> category, item_type;
  std::optional<std::int64_t> branch_id;
  static constexpr std::string_view type_name = "RuleSource";
  static std::vector<schema::Field> fields();
};
struct EffectiveRule {
  std::int64_t version = 0;
  std::optional<std::int64_t> rule_id;  // the most specific row that applies
  RuleValues rule;
  std::vector<RuleSource> sources;
  static constexpr std::string_view type_name = "EffectiveRule";
  static std::vector<schema::Field> fields();
};

struct PatronCategory {
  std::string code, name;
  std::optional<std::string> description;
  std::int64_t patrons = 0;
  Timestamp created_at;
  std::int64_t version = 1;  // not shown
  static constexpr std::string_view type_name = "PatronCategory";
  static std::vector<schema::Field> fields();
};
struct NewPatronCategory {
  std::string code, name;
  std::optional<std::string> description;
  static constexpr std::string_view type_name = "NewPatronCategory";
  static std::vector<schema::Field> fields();
};
struct PatronCategoryChanges {
  schema::Patch<std::string> name, description;
  static constexpr std::string_view type_name = "PatronCategoryChanges";
  static std::vector<schema::Field> fields();
};

// What circulation knows of a person beyond the account.
struct Patron {
  UserId user_id;
  std::string full_name, email;
  std::optional<std::string> category, card_number;
  static constexpr std::string_view type_name = "Patron";
  static std::vector<schema::Field> fields();
};
struct PatronRecord {
  std::optional<std::string> category, card_number;
  static constexpr std::string_view type_name = "PatronRecord";
  static std::vector<schema::Field> fields();
};

// May this person borrow this book (or this copy) now?
struct PreviewRequest {
  std::optional<BookId> book_id;
  std::optional<std::string> barcode;
  std::optional<UserId> user_id;  // somebody else; staff only
  std::optional<int> loan_period_days;
  static constexpr std::string_view type_name = "PreviewRequest";
  static std::vector<schema::Field> fields();
};
struct RefusalReason {
  std::string code, detail;
  static constexpr std::string_view type_name = "RefusalReason";
  static std::vector<schema::Field> fields();
};
struct Preview {
  bool allowed = false;
  std::vector<RefusalReason> reasons;
  std::optional<std::int64_t> rule_id;
  std::int64_t rule_version = 0;
  RuleValues rule;
  Timestamp due_date;
  static constexpr std::string_view type_name = "LoanPreview";
  static std::vector<schema::Field> fields();
};

// May this loan be renewed now?
struct RenewalPreview {
  bool allowed = false;
  std::vector<RefusalReason> reasons;
  int renewals = 0, max_renewals = 0;
  Timestamp due_date;  // after it; the present one when refused
  static constexpr std::string_view type_name = "RenewalPreview";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::borrows
