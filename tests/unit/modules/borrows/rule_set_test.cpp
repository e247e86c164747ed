#include "modules/borrows/rule_set.hpp"

#include <catch2/catch.hpp>

namespace lumina::borrows {
namespace {

Rule row(std::int64_t id, std::optional<std::string> category, std::optional<std::string> type,
         std::optional<std::int64_t> branch, std::optional<int> days) {
  Rule r;
  r.id = id;
  r.category = std::move(category);
  r.item_type = std::move(type);
  r.branch_id = branch;
  r.loan_period_days = days;
  return r;
}

constexpr auto any = std::nullopt;

TEST_CASE("the most specific row wins: category before item type before branch", "[D16]") {
  const RuleSet rules(1,
                      {row(1, any, any, any, 10), row(2, any, any, 7, 11), row(3, any, "dvd", any, 12),
                       row(4, any, "dvd", 7, 13), row(5, "child", any, any, 14), row(6, "child", any, 7, 15),
                       row(7, "child", "dvd", any, 16), row(8, "child", "dvd", 7, 17)},
                      {});
  struct Case {
    std::optional<std::string> category, type;
    std::optional<std::int64_t> branch;
    std::int64_t rule;
    std::size_t applying;
  };
  const std::vector<Case> cases{
      {any, any, any, 1, 1},        {any, any, 7, 2, 2},         {any, any, 8, 1, 1},
      {any, "dvd", any, 3, 2},      {any, "dvd", 7, 4, 4},       {any, "dvd", 8, 3, 2},
      {"child", any, any, 5, 2},    {"child", any, 7, 6, 4},     {"child", "book", 8, 5, 2},
      {"child", "dvd", any, 7, 4},  {"child", "dvd", 7, 8, 8},   {"child", "dvd", 8, 7, 4},
      {"student", "book", 9, 1, 1}, {"student", "dvd", 7, 4, 4}, {"student", any, 7, 2, 2},
  };
  for (const Case& c : cases) {
    CAPTURE(c.category.value_or("any"), c.type.value_or("any"), c.branch.value_or(0));
    const auto choice = rules.choose(c.category, {c.type, c.branch});
    CHECK(choice.rule_id() == c.rule);
    CHECK(choice.rows.size() == c.applying);
    CHECK(choice.values.loan_period_days == 9 + c.rule);
  }
}

TEST_CASE("a category that is named beats an item type and a branch together", "[D16]") {
  const RuleSet rules(1, {row(1, any, any, any, 10), row(2, any, "dvd", 7, 3), row(3, "staff", any, any, 60)},
                      {});
  CHECK(rules.choose("staff", {"dvd", 7}).values.loan_period_days == 60);
  CHECK(rules.choose("child", {"dvd", 7}).values.loan_period_days == 3);
}

TEST_CASE("each value comes from the first row that sets it, and says which", "[D16]") {
  std::vector<Rule> rows{row(1, any, any, any, 21), row(2, any, "dvd", any, 7),
                         row(3, "child", any, any, any)};
  rows[0].max_loans = 10;
  rows[0].fine_per_day_minor = 25;
  rows[1].fine_per_day_minor = 100;
  rows[2].fine_per_day_minor = 0;
  rows[2].max_loans = no_limit;
  RuleValues configured;
  configured.max_renewals = 5;
  const RuleSet rules(4, rows, configured);
  const auto choice = rules.choose("child", {"dvd", any});
  CHECK(choice.values.loan_period_days == 7);
  CHECK(choice.values.renewal_period_days == 7);
  CHECK(choice.values.fine_per_day_minor == 0);
  CHECK(choice.values.max_loans == no_limit);
  CHECK(choice.values.max_renewals == 5);
  CHECK(choice.source(&Rule::loan_period_days)->id == 2);
  CHECK(choice.source(&Rule::fine_per_day_minor)->id == 3);
  CHECK(choice.source(&Rule::max_loans)->id == 3);
  CHECK(choice.source(&Rule::max_renewals) == nullptr);
  CHECK(choice.rule_id() == 3);
  CHECK(rules.charges());
}

TEST_CASE("a library without rules lends by the configuration", "[D16]") {
  RuleValues configured;
  configured.loan_period_days = 30;
  const RuleSet none(0, {}, configured);
  const auto choice = none.choose("child", {"dvd", 7});
  CHECK(choice.values.loan_period_days == 30);
  CHECK(choice.rows.empty());
  CHECK(!choice.rule_id());
  CHECK(!none.charges());
}

TEST_CASE("a set with a duplicate, a hole or values that make no sense is refused with the rows named",
          "[D16]") {
  using Places = std::vector<std::vector<std::string>>;
  const auto places = [](std::vector<Rule> rows) {
    Places all;
    for (auto& fault : RuleSet::faults(rows, {"body", "rules"})) all.push_back(fault.loc);
    return all;
  };
  CHECK(places({}) == Places{});
  CHECK(places({row(0, any, any, any, 7)}) == Places{});
  CHECK(places({row(0, "child", any, any, 7)}) == Places{{"body", "rules"}});
  CHECK(places({row(0, any, any, any, 7), row(0, any, "dvd", 1, 7), row(0, any, "dvd", 1, 9)}) ==
        Places{{"body", "rules", "2"}});
  CHECK(places({row(0, "a", any, any, 7), row(0, "a", any, any, 7)}) ==
        Places{{"body", "rules", "1"}, {"body", "rules"}});
  auto odd = row(0, any, any, any, 7);
  odd.overdue_block = 0;
  odd.fine_per_day_minor = 50;
  odd.fine_cap_minor = 20;
  CHECK(places({odd}) ==
        Places{{"body", "rules", "0", "overdue_block"}, {"body", "rules", "0", "fine_cap_minor"}});
}

}  // namespace
}  // namespace lumina::borrows
