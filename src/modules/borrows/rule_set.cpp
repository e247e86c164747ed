#include "modules/borrows/rule_set.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {

RuleSet::RuleSet(std::int64_t version, std::vector<Rule> rules, const RuleValues& configured)
    : version_(version), rules_(std::move(rules)), configured_(configured) {
  for (const Rule& rule : rules_) by_scope_.emplace(scope_of(rule), &rule);
}

bool RuleSet::charges() const {
  return std::ranges::any_of(rules_, [](const Rule& r) {
    return r.fine_per_day_minor.value_or(0) > 0 || r.replacement_cost_minor.value_or(0) > 0;
  });
}

RuleChoice RuleSet::choose(const std::optional<std::string>& category, const CopyKind& kind) const {
  RuleChoice choice;
  choice.values = configured_;
  if (rules_.empty()) return choice;
  for (int wanted = 7; wanted >= 0; --wanted) {
    const bool by_category = (wanted & 4) != 0, by_type = (wanted & 2) != 0, by_branch = (wanted & 1) != 0;
    if ((by_category && !category) || (by_type && !kind.item_type) || (by_branch && !kind.branch_id))
      continue;
    const auto found =
        by_scope_.find({by_category ? category : std::nullopt, by_type ? kind.item_type : std::nullopt,
                        by_branch ? kind.branch_id : std::nullopt});
    if (found != by_scope_.end()) choice.rows.push_back(found->second);
  }
  for_each_rule_value([&](std::string_view, auto member, auto value) {
    if (const Rule* row = choice.source(member)) choice.values.*value = *(row->*member);
  });
  if (choice.source(&Rule::renewal_period_days) == nullptr)
    choice.values.renewal_period_days = choice.values.loan_period_days;
  return choice;
}

std::vector<FieldError> RuleSet::faults(const std::vector<Rule>& rules, const std::vector<std::string>& at) {
  std::vector<FieldError> found;
  const auto fault = [&](std::optional<std::size_t> row, std::string_view member, std::string message,
                         std::string type) {
    auto loc = at;
    if (row) loc.push_back(std::to_string(*row));
    if (!member.empty()) loc.emplace_back(member);
    found.push_back({std::move(loc), std::move(message), std::move(type)});
  };
  std::map<Scope, std::size_t> seen;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (const auto [first, fresh] = seen.emplace(scope_of(rule), i); !fresh)
      fault(i, "", fmt::format("has the same category, item type and branch as row {}", first->second),
            "duplicate");
    if (rule.overdue_block == 0) fault(i, "overdue_block", "must be at least 1, or -1 for never", "range");
    if (rule.fine_cap_minor.value_or(no_limit) >= 0 &&
        rule.fine_per_day_minor.value_or(0) > *rule.fine_cap_minor)
      fault(i, "fine_cap_minor", "is less than the fine of a single day", "range");
  }
  if (!rules.empty() && !seen.contains(Scope{}))
    fault({}, "",
          "leave loans without a rule: a row whose category, item_type and branch_id are all null is missing",
          "missing");
  return found;
}

}  // namespace lumina::borrows
