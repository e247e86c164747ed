#include "modules/reports/model.hpp"

#include "core/schema/rules.hpp"

#include <utility>

namespace lumina::reports {

using schema::Field;

namespace {

template <class T>
std::vector<Field> figures_of() {
  return {{"events", &T::events, "Changes of any kind, and what was refused"},
          {"refused", &T::refused, "What was tried and refused"},
          {"loans", &T::loans, "Loans made"},
          {"returns", &T::returns, "Loans that came back"},
          {"renewals", &T::renewals, "Loans renewed"},
          {"holds", &T::holds, "Holds placed"},
          {"reviews", &T::reviews, "Reviews written"},
          {"registrations", &T::registrations, "People who registered"},
          {"logins", &T::logins, "Logins"},
          {"failed_logins", &T::failed_logins, "Logins refused"},
          {"searches", &T::searches, "Searches"},
          {"searches_without_result", &T::searches_without_result, "Searches that found nothing"}};
}

}  // namespace

std::vector<Field> Period::fields() {
  return {
      {"days", &Period::days, "How many days (default 30)", {schema::range(1, most_days)}},
      {"to", &Period::to, "The last of them, such as 2026-11-22 (default: today)", {schema::length(10, 10)}}};
}
std::vector<Field> Figures::fields() { return figures_of<Figures>(); }
std::vector<Field> Day::fields() {
  std::vector<Field> all{{"day", &Day::day, "In the library's time zone"},
                         {"people", &Day::people, "Different people who did something"}};
  for (auto& field : figures_of<Day>()) all.push_back(std::move(field));
  return all;
}
std::vector<Field> LentTitle::fields() {
  return {{"id", &LentTitle::id, "The book"},
          {"title", &LentTitle::title, "Title proper"},
          {"author", &LentTitle::author, "Author"},
          {"loans", &LentTitle::loans, "Loans in those days"}};
}
std::vector<Field> SearchedWords::fields() {
  return {{"query", &SearchedWords::query, "What was searched for"},
          {"searches", &SearchedWords::searches, "How often"},
          {"misses", &SearchedWords::misses, "How often nothing was found"},
          {"clicks", &SearchedWords::clicks, "How often a book was opened from it"}};
}
std::vector<Field> Busy::fields() {
  return {{"weekday", &Busy::weekday, "0 is Monday"},
          {"hour", &Busy::hour, "0 to 23"},
          {"events", &Busy::events, "What happened in it, over all days"}};
}
std::vector<Field> Overview::fields() {
  return {{"from", &Overview::from, "The first day"},
          {"to", &Overview::to, "The last day"},
          {"totals", &Overview::totals, "Of these days"},
          {"before", &Overview::before, "Of as many days before them"},
          {"days", &Overview::days, "Day by day; none is left out"},
          {"popular", &Overview::popular, "Lent most"},
          {"searches", &Overview::searches, "Searched for most"},
          {"hours", &Overview::hours, "When something happens, by hour of the week"},
          {"generated_at", &Overview::generated_at, "When this was counted"},
          {"complete", &Overview::complete, "False while counting is far behind"}};
}

void count_action(Figures& figures, std::string_view action, std::int64_t done, std::int64_t refused) {
  figures.events += done + refused;
  figures.refused += refused;
  static constexpr std::pair<std::string_view, std::int64_t Figures::*> meanings[] = {
      {"borrow.created", &Figures::loans},    {"borrow.returned", &Figures::returns},
      {"borrow.renewed", &Figures::renewals}, {"hold.placed", &Figures::holds},
      {"review.created", &Figures::reviews},  {"user.registered", &Figures::registrations},
      {"session.created", &Figures::logins}};
  for (const auto& [name, figure] : meanings)
    if (action == name) figures.*figure += done;
  if (action == "auth.login_failed") figures.failed_logins += refused;
}

}  // namespace lumina::reports
