// The library's rules, patron categories, cards and calendars: setting them and showing them.
//
// Public functions are awaited on an io thread; each is one unit of work, journalled ("rules.", "patron.",
// "calendar."), and lending follows from its commit on, here and on other instances.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/calendar.hpp"
#include "modules/borrows/rule_book.hpp"
#include "modules/borrows/rule_model.hpp"

#include <string>
#include <vector>

namespace lumina::borrows {

struct StoredCalendar {
  CalendarDocument calendar;
  std::int64_t version = 0;  // 0: never set
};

class RuleService {
 public:
  RuleService(db::Database& database, const Clock& clock, events::Journal& journal, RuleBook& rules)
      : database_(database), clock_(clock), journal_(journal), rules_(rules) {}

  Task<Result<RuleSetAnswer>> in_force();
  Task<Result<RuleSetAnswer>> find(std::int64_t version);
  Task<Result<Page<RuleSetVersion>>> versions(PageRequest page);
  // The whole set, as a new version. Invalid when rows repeat each other, leave a hole or name unknown
  // categories.
  Task<Result<RuleSetAnswer>> replace(NewRuleSet set, Precondition seen, Caller by);
  Task<Result<EffectiveRule>> effective(RuleQuestion question);

  Task<Result<std::vector<PatronCategory>>> categories();
  Task<Result<PatronCategory>> category(std::string code);
  Task<Result<PatronCategory>> create_category(NewPatronCategory category, Caller by);
  Task<Result<PatronCategory>> change_category(std::string code, PatronCategoryChanges changes,
                                               Precondition seen, Caller by);
  // Refused while people have it or the rules in force name it.
  Task<Status> remove_category(std::string code, Precondition seen, Caller by);

  Task<Result<Patron>> patron(UserId user);
  Task<Result<Patron>> set_patron(UserId user, PatronRecord record, Caller by);

  // A branch without calendar shows the library's; a library without one is always open, in UTC.
  Task<Result<StoredCalendar>> calendar(std::optional<std::int64_t> branch);
  Task<Result<StoredCalendar>> set_calendar(CalendarDocument calendar, Precondition seen, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  RuleBook& rules_;
};

// Faults of the rows of a set, and of the categories that they name.
std::vector<FieldError> rule_faults(db::Transaction& tx, const std::vector<Rule>& rules);

}  // namespace lumina::borrows
