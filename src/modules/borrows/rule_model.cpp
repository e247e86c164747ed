#include "modules/borrows/rule_model.hpp"

#include "modules/borrows/model.hpp"

#include <algorithm>

namespace lumina::borrows {

using schema::Field;

namespace {

constexpr double most_money = 1'000'000'000;
constexpr double most_count = 100'000;

bool is_code(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}
schema::Rule code_rule() {
  return schema::format("code", &is_code, "must be lower-case letters, digits, - or _");
}

}  // namespace

std::vector<Field> Rule::fields() {
  return {
      {"id", &Rule::id, "Identifier; given by the server"},
      {"category", &Rule::category, "Patron category; null: any", {schema::length(1, 40)}},
      {"item_type", &Rule::item_type, "Item type of the copy; null: any", {schema::length(1, 40)}},
      {"branch_id", &Rule::branch_id, "Branch of the copy; null: any", {schema::range(1, 9e15)}},
      {"loan_period_days",
       &Rule::loan_period_days,
       "Days until a loan is due",
       {schema::range(shortest_loan_days, longest_loan_days)}},
      {"max_loans",
       &Rule::max_loans,
       "Open loans a person may have; -1: no limit, 0: may not borrow",
       {schema::range(no_limit, most_count)}},
      {"max_holds",
       &Rule::max_holds,
       "Unfinished holds a person may have; -1: no limit",
       {schema::range(no_limit, most_count)}},
      {"max_renewals",
       &Rule::max_renewals,
       "How often a loan can be renewed",
       {schema::range(0, most_count)}},
      {"renewal_period_days",
       &Rule::renewal_period_days,
       "Days that a renewal gives; without any row: as a new loan",
       {schema::range(shortest_loan_days, longest_loan_days)}},
      {"fine_per_day_minor",
       &Rule::fine_per_day_minor,
       "Fine for a day that the library is open, in minor units",
       {schema::range(0, most_money)}},
      {"fine_grace_days",
       &Rule::fine_grace_days,
       "Late days that are forgiven when the book is back within them",
       {schema::range(0, 365)}},
      {"fine_cap_minor",
       &Rule::fine_cap_minor,
       "The most that one loan's fine can be; -1: no cap",
       {schema::range(no_limit, most_money)}},
      {"max_fine_balance_minor",
       &Rule::max_fine_balance_minor,
       "Who owes more cannot borrow; -1: debts do not block",
       {schema::range(no_limit, most_money)}},
      {"overdue_block",
       &Rule::overdue_block,
       "So many overdue loans and more block; -1: never",
       {schema::range(no_limit, most_count)}},
      {"pickup_days", &Rule::pickup_days, "Days a held copy waits to be fetched", {schema::range(1, 365)}},
      {"holds_allowed", &Rule::holds_allowed, "Whether holds can be placed"},
      {"replacement_cost_minor",
       &Rule::replacement_cost_minor,
       "What a lost copy costs, in minor units",
       {schema::range(0, most_money)}},
      {"lost_credit_days",
       &Rule::lost_credit_days,
       "Days after that in which a copy that comes back is credited what is still owed; -1: always, 0: never",
       {schema::range(no_limit, 3650)}}};
}

std::vector<Field> RuleValues::fields() {
  std::vector<Field> all;
  const auto shown = Rule::fields();
  for_each_rule_value([&](std::string_view name, auto, auto value) {
    const auto same = std::ranges::find(shown, name, &Field::name);
    all.emplace_back(name, value, same->description);
  });
  return all;
}

std::vector<Field> NewRuleSet::fields() {
  return {{"rules",
           &NewRuleSet::rules,
           "All rows; an empty list goes back to having no rules",
           {schema::items(0, 1000)}},
          {"note", &NewRuleSet::note, "Why", {schema::length(1, 500)}}};
}
std::vector<Field> RuleSetAnswer::fields() {
  return {{"version", &RuleSetAnswer::version, "Version; 0: the library has set no rules"},
          {"rules", &RuleSetAnswer::rules, "All rows"},
          {"note", &RuleSetAnswer::note, "Why"},
          {"created_at", &RuleSetAnswer::created_at, "In force since"},
          {"created_by", &RuleSetAnswer::created_by, "Who set it"}};
}
std::vector<Field> RuleSetVersion::fields() {
  return {{"version", &RuleSetVersion::version, "Version"},
          {"rules", &RuleSetVersion::rules, "Number of rows"},
          {"note", &RuleSetVersion::note, "Why"},
          {"created_at", &RuleSetVersion::created_at, "In force since"},
          {"created_by", &RuleSetVersion::created_by, "Who set it"}};
}
std::vector<Field> RuleQuestion::fields() {
  return {
      {"category", &RuleQuestion::category, "Patron category", {schema::length(1, 40)}},
      {"item_type", &RuleQuestion::item_type, "Item type of the copy", {schema::length(1, 40)}},
      {"branch_id", &RuleQuestion::branch_id, "Branch of the copy", {schema::range(1, 9e15)}},
      {"version", &RuleQuestion::version, "Of this version (default: in force)", {schema::range(0, 9e15)}}};
}
std::vector<Field> RuleSource::fields() {
  return {{"name", &RuleSource::name, "The value"},
          {"rule_id", &RuleSource::rule_id, "The row it came from; null: the server's configuration"},
          {"category", &RuleSource::category, "That row's category"},
          {"item_type", &RuleSource::item_type, "That row's item type"},
          {"branch_id", &RuleSource::branch_id, "That row's branch"}};
}
std::vector<Field> EffectiveRule::fields() {
  return {{"version", &EffectiveRule::version, "Version of the rule set"},
          {"rule_id", &EffectiveRule::rule_id, "The most specific row that applies"},
          {"rule", &EffectiveRule::rule, "Every value"},
          {"sources", &EffectiveRule::sources, "Where each value came from"}};
}

std::vector<Field> PatronCategory::fields() {
  return {{"code", &PatronCategory::code, "Short name, used in rules"},
          {"name", &PatronCategory::name, "Name"},
          {"description", &PatronCategory::description, "Who belongs to it"},
          {"patrons", &PatronCategory::patrons, "How many people have it"},
          {"created_at", &PatronCategory::created_at, "Since"}};
}
std::vector<Field> NewPatronCategory::fields() {
  return {
      {"code", &NewPatronCategory::code, "Short name, used in rules", {schema::length(1, 40), code_rule()}},
      {"name", &NewPatronCategory::name, "Name", {schema::length(1, 100)}},
      {"description", &NewPatronCategory::description, "Who belongs to it", {schema::length(0, 500)}}};
}
std::vector<Field> PatronCategoryChanges::fields() {
  return {
      {"name", &PatronCategoryChanges::name, "Name", {schema::length(1, 100)}},
      {"description", &PatronCategoryChanges::description, "Who belongs to it", {schema::length(0, 500)}}};
}

std::vector<Field> Patron::fields() {
  return {{"user_id", &Patron::user_id, "The person"},
          {"full_name", &Patron::full_name, "Name"},
          {"email", &Patron::email, "E-mail address"},
          {"category", &Patron::category, "Patron category"},
          {"card_number", &Patron::card_number, "Number of the library card"}};
}
std::vector<Field> PatronRecord::fields() {
  return {{"category", &PatronRecord::category, "Patron category; null: none", {schema::length(1, 40)}},
          {"card_number",
           &PatronRecord::card_number,
           "Number of the library card; null: none",
           {schema::length(1, 40)}}};
}

std::vector<Field> PreviewRequest::fields() {
  return {{"book_id", &PreviewRequest::book_id, "The book"},
          {"barcode", &PreviewRequest::barcode, "Or this very copy", {schema::length(1, 100)}},
          {"user_id", &PreviewRequest::user_id, "For this person instead (staff)"},
          {"loan_period_days",
           &PreviewRequest::loan_period_days,
           "Days until it is due (default: the library's loan period)",
           {schema::range(shortest_loan_days, longest_loan_days)}}};
}
std::vector<Field> RefusalReason::fields() {
  return {{"code", &RefusalReason::code, "As borrowing would answer"},
          {"detail", &RefusalReason::detail, "For people"}};
}
std::vector<Field> Preview::fields() {
  return {{"allowed", &Preview::allowed, "Whether borrowing would succeed now"},
          {"reasons", &Preview::reasons, "All that stands against it; borrowing answers the first"},
          {"rule_id", &Preview::rule_id, "The most specific row of the rules that applies"},
          {"rule_version", &Preview::rule_version, "Version of the rules"},
          {"rule", &Preview::rule, "The rule"},
          {"due_date", &Preview::due_date, "When it would be due"}};
}

std::vector<Field> RenewalPreview::fields() {
  return {{"allowed", &RenewalPreview::allowed, "Whether renewing would succeed now"},
          {"reasons", &RenewalPreview::reasons, "All that stands against it; renewing answers the first"},
          {"renewals", &RenewalPreview::renewals, "How often it was renewed"},
          {"max_renewals", &RenewalPreview::max_renewals, "How often it can be"},
          {"due_date", &RenewalPreview::due_date, "When it would be due then; as it is now when refused"}};
}

}  // namespace lumina::borrows
