// Where modules meet: what one shows of another, given as functions.
#include "app_parts.hpp"

namespace lumina {

// What GET /books/{id}?expand= may name; each is one or two units of work, however much there is.
std::vector<http::Expansion> App::Parts::of_a_book() {
  constexpr std::int64_t reviews_shown = 10;
  std::vector<http::Expansion> all;
  all.push_back(
      {"availability", &schema::type_of<borrows::Availability>(), [this](const http::Context& context) {
         return http::encoded_later(borrows.availability({http::path_id(context)}));
       }});
  all.push_back({"analysis", &schema::type_of<reviews::Analysis>(), [this](const http::Context& context) {
                   return http::encoded_later(reviews.analyze({http::path_id(context)}));
                 }});
  all.push_back(
      {"reviews", &schema::type_of<std::vector<reviews::Review>>(), [this](const http::Context& context) {
         return newest_reviews({http::path_id(context)}, reviews_shown);
       }});
  all.push_back({"listed", &schema::type_of<lists::Listed>(),
                 [this](const http::Context& context) {
                   return http::encoded_later(lists.listed({http::path_id(context)}, context.caller));
                 },
                 true});
  all.push_back(recs::similar_expansion(recs.lists));
  return all;
}

// Of the branch's calendar, or the library's; without either, the configured one.
TimeZone App::Parts::zone_of(db::Transaction& tx, std::optional<std::int64_t> branch) {
  const auto snapshot = rule_book.current(tx);
  if (snapshot->calendars.empty()) return TimeZone::find(config.time_zone).value_or(TimeZone::utc());
  return snapshot->calendar(branch).zone();
}

// The library's decisions and its calendar, for those who tell people of them.
notices::NoticeRules App::Parts::notice_rules() {
  notices::NoticeRules rules;
  rules.due_soon_days = static_cast<int>(config.due_soon_days);
  rules.overdue_days.clear();
  for (const auto& day : config.overdue_notice_days) rules.overdue_days.push_back(std::stoi(day));
  std::ranges::sort(rules.overdue_days);
  rules.currency = config.currency;
  rules.public_url = config.public_url;
  rules.zone = [this](db::Transaction& tx, std::optional<std::int64_t> branch) {
    return zone_of(tx, branch);
  };
  rules.days_late = [this](db::Transaction& tx, std::optional<std::int64_t> branch, Timestamp due,
                           Timestamp now) {
    const auto snapshot = rule_book.current(tx);
    if (!snapshot->calendars.empty()) return snapshot->calendar(branch).days_late(due, now);
    const auto zone = zone_of(tx, branch);
    return static_cast<int>(std::max<std::int64_t>(0, zone.local(now).day - zone.local(due).day));
  };
  return rules;
}

// For the dashboard.
Task<Result<std::string>> App::Parts::open_holds(UserId user) {
  auto found = co_await holds.open(user);
  if (!found) co_return Failure(std::move(found.error()));
  co_return json::encode(*found);
}

Task<Result<std::string>> App::Parts::newest_reviews(BookId book, std::int64_t most) {
  PageRequest page;
  page.limit = most;
  auto found = co_await reviews.list(book, {}, page);
  if (!found) co_return Failure(std::move(found.error()));
  co_return json::encode(found->items);
}

// For searches of several kinds.
Task<Result<std::pair<std::int64_t, std::string>>> App::Parts::found_lists(std::string q, int limit,
                                                                           Caller by) {
  lists::CollectionFilter filter;
  filter.q = std::move(q);
  PageRequest page;
  page.limit = limit;
  auto found = co_await lists.list(std::move(filter), std::move(page), std::move(by));
  if (!found) co_return Failure(std::move(found.error()));
  co_return std::pair(found->total, json::encode(found->items));
}

}  // namespace lumina
