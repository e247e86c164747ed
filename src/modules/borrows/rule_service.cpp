#include "modules/borrows/rule_service.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace lumina::borrows {
namespace {

constexpr auto no_such_person = "User not found";
constexpr auto no_such_category = "Patron category not found";

Failure changed_meanwhile(std::string_view what) {
  return fail(ErrorKind::stale, "stale", fmt::format("{} changed since you read; read again", what));
}
Failure at_the_same_time() {
  return fail(ErrorKind::conflict, "conflict", "Somebody else changed this just now; read it again");
}

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

RuleSource source_of(std::string_view name, const Rule* row) {
  RuleSource source;
  source.name = name;
  if (row == nullptr) return source;
  source.rule_id = row->id;
  source.category = row->category;
  source.item_type = row->item_type;
  source.branch_id = row->branch_id;
  return source;
}

bool is_plain_line(std::string_view text) {
  return text == trim(text) && std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; });
}

StoredCalendar stored_calendar(db::Transaction& tx, std::int64_t branch) {
  StoredCalendar stored;
  if (branch != 0) stored.calendar.branch_id = branch;
  const auto row = tx.one<std::string, std::int64_t>(
      "SELECT document, version FROM calendars WHERE branch_id = $1", branch);
  if (!row) return stored;
  auto document = json::decode<CalendarDocument>(std::get<0>(*row));
  if (!document) throw std::runtime_error("a stored calendar cannot be read");
  return {std::move(*document), std::get<1>(*row)};
}

}  // namespace

std::vector<FieldError> rule_faults(db::Transaction& tx, const std::vector<Rule>& rules) {
  auto faults = RuleSet::faults(rules, {"body", "rules"});
  std::set<std::string> known;
  for (const auto& category : RuleRepository(tx).categories()) known.insert(category.code);
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (rules[i].category && !known.contains(*rules[i].category))
      faults.push_back(
          {{"body", "rules", std::to_string(i), "category"}, "is not a patron category", "unknown"});
  return faults;
}

Task<Result<RuleSetAnswer>> RuleService::in_force() {
  auto work = [](db::Transaction& tx) {
    RuleRepository rules(tx);
    return rules.find_set(rules.newest_version()).value_or(RuleSetAnswer{});
  };
  return database_.read(std::move(work));
}

Task<Result<RuleSetAnswer>> RuleService::find(std::int64_t version) {
  auto work = [version](db::Transaction& tx) -> Result<RuleSetAnswer> {
    if (auto found = RuleRepository(tx).find_set(version)) return std::move(*found);
    return not_found("The rules have no such version");
  };
  return database_.read(std::move(work));
}

Task<Result<Page<RuleSetVersion>>> RuleService::versions(PageRequest page) {
  auto work = [page = std::move(page)](db::Transaction& tx) {
    RuleRepository rules(tx);
    return Page<RuleSetVersion>{rules.versions(page.skip, page.limit), rules.count_versions(), {}};
  };
  return database_.read(std::move(work));
}

Task<Result<RuleSetAnswer>> RuleService::replace(NewRuleSet set, Precondition seen, Caller by) {
  auto work = [this, set = std::move(set), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<RuleSetAnswer> {
    if (auto faults = rule_faults(tx, set.rules); !faults.empty()) return invalid(std::move(faults));
    // Known before the change, so that nobody in this transaction takes over what may still be undone.
    (void)rules_.current(tx);
    RuleRepository rules(tx);
    if (!seen.allows(rules.newest_version())) return changed_meanwhile("The rules");
    const auto version = rules.insert_set(set, by.user, clock_.now());
    if (!version) return at_the_same_time();
    journal_.record(tx, by,
                    {.type = "rules.replaced",
                     .resource = "rules",
                     .resource_id = *version,
                     .payload = fmt::format(R"({{"rules":{}}})", set.rules.size())});
    return *rules.find_set(*version);
  };
  return database_.write(std::move(work));
}

Task<Result<EffectiveRule>> RuleService::effective(RuleQuestion question) {
  auto work = [this, question = std::move(question)](db::Transaction& tx) -> Result<EffectiveRule> {
    const auto snapshot = rules_.current(tx);
    if (question.version && !snapshot->versions.contains(*question.version))
      return not_found("The rules have no such version");
    const RuleSet& set = question.version ? snapshot->of_version(*question.version) : *snapshot->in_force;
    const auto choice = set.choose(question.category, {question.item_type, question.branch_id});
    EffectiveRule answer;
    answer.version = set.version();
    answer.rule_id = choice.rule_id();
    answer.rule = choice.values;
    for_each_rule_value([&](std::string_view name, auto member, auto) {
      const Rule* row = choice.source(member);
      if (row == nullptr && name == "renewal_period_days") row = choice.source(&Rule::loan_period_days);
      answer.sources.push_back(source_of(name, row));
    });
    return answer;
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<PatronCategory>>> RuleService::categories() {
  auto work = [](db::Transaction& tx) { return RuleRepository(tx).categories(); };
  return database_.read(std::move(work));
}

Task<Result<PatronCategory>> RuleService::category(std::string code) {
  auto work = [code = std::move(code)](db::Transaction& tx) -> Result<PatronCategory> {
    if (auto found = RuleRepository(tx).find_category(code)) return std::move(*found);
    return not_found(no_such_category);
  };
  return database_.read(std::move(work));
}

Task<Result<PatronCategory>> RuleService::create_category(NewPatronCategory category, Caller by) {
  auto work = [this, category = std::move(category),
               by = std::move(by)](db::Transaction& tx) -> Result<PatronCategory> {
    RuleRepository rules(tx);
    if (!rules.insert_category(category, clock_.now()))
      return fail(ErrorKind::refused, "category_exists", "There is a patron category with this code already");
    journal_.record(tx, by,
                    {.type = "patron.category_created",
                     .resource = "patron_category",
                     .payload = fmt::format(R"({{"code":{}}})", json_text(category.code))});
    return *rules.find_category(category.code);
  };
  return database_.write(std::move(work));
}

Task<Result<PatronCategory>> RuleService::change_category(std::string code, PatronCategoryChanges changes,
                                                          Precondition seen, Caller by) {
  using State = schema::Patch<std::string>::State;
  auto work = [this, code = std::move(code), changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<PatronCategory> {
    if (changes.name.state == State::null) return invalid({{{"body", "name"}, "must not be null", "type"}});
    RuleRepository rules(tx);
    auto now = rules.find_category(code);
    if (!now) return not_found(no_such_category);
    if (!seen.allows(now->version)) return changed_meanwhile("The category");
    changes.name.apply(now->name);
    changes.description.apply(now->description);
    if (!rules.update_category(*now)) return at_the_same_time();
    journal_.record(tx, by,
                    {.type = "patron.category_updated",
                     .resource = "patron_category",
                     .payload = fmt::format(R"({{"code":{}}})", json_text(code))});
    return *rules.find_category(code);
  };
  return database_.write(std::move(work));
}

Task<Status> RuleService::remove_category(std::string code, Precondition seen, Caller by) {
  auto work = [this, code = std::move(code), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Status {
    RuleRepository rules(tx);
    // The row stays locked, so that nobody is given the category meanwhile.
    if (tx.postgresql())
      tx.one<std::string>("SELECT code FROM patron_categories WHERE code = $1 FOR UPDATE", code);
    const auto now = rules.find_category(code);
    if (!now) return not_found(no_such_category);
    if (!seen.allows(now->version)) return changed_meanwhile("The category");
    if (now->patrons > 0)
      return fail(ErrorKind::refused, "category_in_use",
                  fmt::format("{} people have this category", now->patrons));
    if (rules.names_category(rules.newest_version(), code))
      return fail(ErrorKind::refused, "category_in_use", "The rules in force name this category");
    rules.erase_category(code);
    journal_.record(tx, by,
                    {.type = "patron.category_deleted",
                     .resource = "patron_category",
                     .payload = fmt::format(R"({{"code":{}}})", json_text(code))});
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<Patron>> RuleService::patron(UserId user) {
  auto work = [user](db::Transaction& tx) -> Result<Patron> {
    if (auto found = RuleRepository(tx).find_patron(user)) return std::move(*found);
    return not_found(no_such_person);
  };
  return database_.read(std::move(work));
}

Task<Result<Patron>> RuleService::set_patron(UserId user, PatronRecord record, Caller by) {
  auto work = [this, user, record = std::move(record),
               by = std::move(by)](db::Transaction& tx) -> Result<Patron> {
    RuleRepository rules(tx);
    rules.hold_person(user);
    if (!rules.find_patron(user)) return not_found(no_such_person);
    if (record.card_number && !is_plain_line(*record.card_number))
      return invalid({{{"body", "card_number"}, "must not start or end with spaces", "format"}});
    if (!rules.set_category(user, record.category, clock_.now()))
      return invalid({{{"body", "category"}, "is not a patron category", "unknown"}});
    if (!rules.set_card(user, record.card_number))
      return fail(ErrorKind::refused, "card_taken", "Somebody else has this card number");
    journal_.record(
        tx, by,
        {.type = "patron.updated",
         .resource = "patron",
         .resource_id = user.value,
         .subject = user,
         .payload = record.category ? fmt::format(R"({{"category":{}}})", json_text(*record.category))
                                    : R"({"category":null})"});
    return *rules.find_patron(user);
  };
  return database_.write(std::move(work));
}

Task<Result<StoredCalendar>> RuleService::calendar(std::optional<std::int64_t> branch) {
  auto work = [branch](db::Transaction& tx) {
    auto own = stored_calendar(tx, branch.value_or(0));
    return own.version > 0 || !branch ? own : stored_calendar(tx, 0);
  };
  return database_.read(std::move(work));
}

Task<Result<StoredCalendar>> RuleService::set_calendar(CalendarDocument calendar, Precondition seen,
                                                       Caller by) {
  auto work = [this, calendar = std::move(calendar), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<StoredCalendar> {
    if (auto checked = Calendar::make(calendar); !checked) return Failure(std::move(checked.error()));
    (void)rules_.current(tx);  // before the change, as in replace()
    const auto branch = calendar.branch_id.value_or(0);
    const auto before = stored_calendar(tx, branch);
    if (!seen.allows(before.version)) return changed_meanwhile("The calendar");
    const auto stored = tx.one<std::int64_t>(
        "INSERT INTO calendars (branch_id, document, updated_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (branch_id) DO UPDATE SET document = excluded.document, updated_at = "
        "excluded.updated_at, "
        "version = calendars.version + 1 WHERE calendars.version = $4 RETURNING version",
        branch, json::encode(calendar), clock_.now(), before.version);
    if (!stored) return at_the_same_time();
    journal_.record(tx, by, {.type = "calendar.replaced", .resource = "calendar", .resource_id = branch});
    return StoredCalendar{calendar, std::get<0>(*stored)};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::borrows
