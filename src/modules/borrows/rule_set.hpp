// One version of the library's rules, and the choice of the row for a loan. Pure; immutable; any thread.
//
// A row applies when its category, item type and branch are each null or equal to the loan's. Of the rows
// that apply the more specific goes first: one that names the category before one that does not, then item
// type, then branch. Each value comes from the first row that sets it, and from the server's configuration
// when none does.
#pragma once
#include "core/base/error.hpp"
#include "modules/borrows/rule_model.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace lumina::borrows {

// What kind of copy it is; unknown values match only rows that name none.
struct CopyKind {
  std::optional<std::string> item_type;
  std::optional<std::int64_t> branch_id;
  bool operator==(const CopyKind&) const = default;
};

struct RuleChoice {
  RuleValues values;
  std::vector<const Rule*> rows;  // that apply, the most specific first; owned by the set
  std::optional<std::int64_t> rule_id() const { return rows.empty() ? std::nullopt : rows.front()->id; }
  // The row that a value comes from; null: the configuration.
  template <class T>
  const Rule* source(std::optional<T> Rule::* member) const {
    for (const Rule* row : rows)
      if (row->*member) return row;
    return nullptr;
  }
};

class RuleSet {
 public:
  RuleSet(std::int64_t version, std::vector<Rule> rules, const RuleValues& configured);
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  std::int64_t version() const { return version_; }
  const std::vector<Rule>& rules() const { return rules_; }
  bool empty() const { return rules_.empty(); }
  // Whether any row can make a loan cost something: a fine, or a lost copy's price.
  bool charges() const;
  RuleChoice choose(const std::optional<std::string>& category, const CopyKind& kind) const;

  // Every fault of the rows: two with one scope; no row for everybody and everything, so that some loans
  // would have no rule at all; values that make no sense together. `at` is the place of the list in the
  // request.
  static std::vector<FieldError> faults(const std::vector<Rule>& rules, const std::vector<std::string>& at);

 private:
  using Scope =
      std::tuple<std::optional<std::string>, std::optional<std::string>, std::optional<std::int64_t>>;
  static Scope scope_of(const Rule& rule) { return {rule.category, rule.item_type, rule.branch_id}; }

  std::int64_t version_;
  std::vector<Rule> rules_;
  RuleValues configured_;
  std::map<Scope, const Rule*> by_scope_;
};

}  // namespace lumina::borrows
