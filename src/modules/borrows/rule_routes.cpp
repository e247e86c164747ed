#include "modules/borrows/rule_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto staff = Access::needs(Permission::loans_manage);

Task<Result<Versioned<CalendarDocument>>> document_of(Task<Result<StoredCalendar>> task) {
  auto stored = co_await std::move(task);
  if (!stored) co_return Failure(std::move(stored.error()));
  co_return Versioned<CalendarDocument>{std::move(stored->calendar), stored->version};
}
Task<Result<Created<PatronCategory>>> made(Task<Result<PatronCategory>> task) {
  auto category = co_await std::move(task);
  if (!category) co_return Failure(std::move(category.error()));
  Created<PatronCategory> out{std::move(*category), "", 0};
  out.location = "/api/v1/patron-categories/" + out.value.code;
  out.version = out.value.version;
  co_return out;
}

}  // namespace

std::vector<Route> rule_routes(RuleService& rules, SimulationService& simulation) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Circulation rules")); };
  // Lending decides by what is committed (rule_book.hpp), so no call of a batch may see these half done.
  const auto add_change = [&](Route route) { add(std::move(route).by_itself()); };

  add(get("/api/v1/circulation/rules", "Read the rules in force", staff, {},
          [&] { return versioned(rules.in_force()); }));
  add_change(
      put("/api/v1/circulation/rules", "Replace the rules", staff, {conflict, stale},
          [&](Body<NewRuleSet> set, IfMatch seen, Caller by) {
            return versioned(rules.replace(*set, *seen, std::move(by)));
          })
          .explained("The whole set becomes a new version. A row applies where its category, item type and "
                     "branch are "
                     "null or those of the loan; rows that name the category go first, then those that name "
                     "the item "
                     "type, then the branch; each value comes from the first row that sets it. A set that is "
                     "not empty "
                     "needs a row for everybody and everything."));
  add(get("/api/v1/circulation/rules/versions", "List the versions of the rules, newest first", staff, {},
          [&](Paging page) { return rules.versions(*page); }));
  add(get("/api/v1/circulation/rules/versions/{version}", "Read a version of the rules", staff,
          {ErrorKind::not_found},
          [&](Path<std::int64_t> version) { return versioned(rules.find(*version)); }));
  add(get("/api/v1/circulation/rules/effective", "See which rule applies, and where each value comes from",
          staff, {ErrorKind::not_found},
          [&](Query<RuleQuestion> question) { return rules.effective(*question); }));

  add_change(
      post("/api/v1/circulation/rules/simulate", "See what other rules would have done to past loans", staff,
           {}, [&](Body<SimulationRequest> request) { return simulation.simulate(*request); })
          .explained("Lends the loans of the last days again under the proposed rules and under those in "
                     "force; changes "
                     "nothing."));

  add(get(
      "/api/v1/circulation/calendar", "Read when the library or a branch is open", staff, {},
      [&](Query<CalendarQuestion> question) { return document_of(rules.calendar(question->branch_id)); }));
  add_change(
      put("/api/v1/circulation/calendar", "Say when the library or a branch is open", staff,
          {conflict, stale},
          [&](Body<CalendarDocument> calendar, IfMatch seen, Caller by) {
            return document_of(rules.set_calendar(*calendar, *seen, std::move(by)));
          })
          .explained("What would be due on a closed day is due when the next open day ends; closed days cost "
                     "no fine."));

  add(get("/api/v1/patron-categories", "List the patron categories", staff, {},
          [&] { return rules.categories(); }));
  add_change(post("/api/v1/patron-categories", "Add a patron category", staff, {refused},
                  [&](Body<NewPatronCategory> category, Caller by) {
                    return made(rules.create_category(*category, std::move(by)));
                  }));
  add(get("/api/v1/patron-categories/{code}", "Read a patron category", staff, {ErrorKind::not_found},
          [&](Path<std::string> code) { return versioned(rules.category(*code)); }));
  add_change(patch("/api/v1/patron-categories/{code}", "Change a patron category", staff,
                   {ErrorKind::not_found, conflict, stale},
                   [&](Path<std::string> code, Body<PatronCategoryChanges> changes, IfMatch seen, Caller by) {
                     return versioned(rules.change_category(*code, *changes, *seen, std::move(by)));
                   }));
  add_change(del("/api/v1/patron-categories/{code}", "Delete a patron category that nobody has", staff,
                 {ErrorKind::not_found, refused, stale},
                 [&](Path<std::string> code, IfMatch seen, Caller by) {
                   return rules.remove_category(*code, *seen, std::move(by));
                 }));

  add(get("/api/v1/circulation/patrons/{user_id}", "Read a person's category and card", staff,
          {ErrorKind::not_found}, [&](Path<UserId> user) { return rules.patron(*user); }));
  add_change(put("/api/v1/circulation/patrons/{user_id}", "Set a person's category and card", staff,
                 {ErrorKind::not_found, refused},
                 [&](Path<UserId> user, Body<PatronRecord> record, Caller by) {
                   return rules.set_patron(*user, *record, std::move(by));
                 }));
  return routes;
}

}  // namespace lumina::borrows
