#include "modules/reports/service.hpp"

#include "modules/books/csv_writer.hpp"
#include "modules/reports/repository.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace lumina::reports {
namespace {

using namespace std::chrono_literals;

constexpr auto settling_time = 10min;
constexpr std::int64_t rows_of_a_piece = 10'000, most_added = 200'000;
constexpr int shown = 10, most_rows = 10'000;

// Days from their names: "2026-11-22" sorts as the days do.
struct Days {
  std::int64_t first = 0, last = 0;
  std::string from() const { return format_day(first); }
  std::string to() const { return format_day(last); }
  Days before() const { return {first - (last - first + 1), first - 1}; }
  bool contain(std::int64_t day) const { return day >= first && day <= last; }
};

Result<Days> days_of(const Period& period, std::int64_t today) {
  const auto last = period.to ? parse_day(*period.to) : today;
  if (!last) return invalid({{{"query", "to"}, "must be a day such as 2026-11-22", "pattern"}});
  return Days{*last - period.days.value_or(default_days) + 1, *last};
}

// Which day and hour a quarter of an hour is in; few different ones are asked for again and again.
class Hours {
 public:
  explicit Hours(TimeZone zone) : zone_(std::move(zone)) {}
  LocalTime at(std::int64_t quarter) {
    const auto [found, added] = known_.try_emplace(quarter);
    if (added) found->second = zone_.local({quarter * quarter_ms});
    return found->second;
  }

 private:
  TimeZone zone_;
  std::map<std::int64_t, LocalTime> known_;
};

// Everything that an answer is made of; filled from the counts, then from the rows not counted yet.
struct Count {
  explicit Count(Days asked) : days(asked) {
    for (auto day = days.first; day <= days.last; ++day) by_day[day].day = format_day(day);
  }
  void action(std::int64_t day, std::string_view name, std::int64_t done, std::int64_t refused) {
    if (days.contain(day)) count_action(by_day[day], name, done, refused);
    if (days.before().contain(day)) count_action(before, name, done, refused);
  }
  void searched(std::int64_t day, std::int64_t searches, std::int64_t misses) {
    Figures* const figures = days.contain(day)            ? static_cast<Figures*>(&by_day[day])
                             : days.before().contain(day) ? &before
                                                          : nullptr;
    if (figures == nullptr) return;
    figures->searches += searches;
    figures->searches_without_result += misses;
  }
  void hour(std::int64_t day, int hour, std::int64_t events) {
    if (days.contain(day)) week[static_cast<std::size_t>(weekday_of(day) * 24 + hour)] += events;
  }
  std::vector<Busy> busy() const {
    std::vector<Busy> out;
    for (std::size_t i = 0; i < week.size(); ++i)
      if (week[i] > 0) out.push_back({static_cast<int>(i / 24), static_cast<int>(i % 24), week[i]});
    return out;
  }

  Days days;
  std::map<std::int64_t, Day> by_day;
  Figures before;
  std::map<std::int64_t, std::set<std::int64_t>> people;
  std::array<std::int64_t, 7 * 24> week{};
  bool complete = true;
};

std::int64_t day_number(const std::string& day) { return parse_day(day).value_or(0); }

Count counted(db::Transaction& tx, const TimeZone& zone, Days days) {
  Count out(days);
  ReportRepository reports(tx);
  const auto since = days.before().from(), from = days.from(), to = days.to();
  reports.days(since, to,
               [&](const std::string& day, const std::string& action, std::int64_t done,
                   std::int64_t refused) { out.action(day_number(day), action, done, refused); });
  reports.searched_days(since, to, [&](const std::string& day, std::int64_t searches, std::int64_t misses) {
    out.searched(day_number(day), searches, misses);
  });
  reports.people_days(from, to, [&](const std::string& day, std::int64_t people) {
    out.by_day[day_number(day)].people += people;
  });
  reports.people_by_day(
      from, to, [&](const std::string& day, std::int64_t user) { out.people[day_number(day)].insert(user); });
  reports.hours(from, to, [&](const std::string& day, int hour, std::int64_t events) {
    out.hour(day_number(day), hour, events);
  });
  // What is not counted yet.
  Hours hours(zone);
  const auto mark = reports.mark(), last = std::min(reports.last_audit_row(), mark + most_added);
  out.complete = last < mark + most_added;
  reports.actions(mark, last,
                  [&](std::int64_t quarter, const std::string& action, bool refused, std::int64_t n) {
                    const auto at = hours.at(quarter);
                    out.action(at.day, action, refused ? 0 : n, refused ? n : 0);
                    out.hour(at.day, at.minute / 60, n);
                  });
  reports.people(mark, last, [&](std::int64_t quarter, std::int64_t user, std::int64_t) {
    const auto day = hours.at(quarter).day;
    if (days.contain(day)) out.people[day].insert(user);
  });
  for (const auto& [day, users] : out.people)
    out.by_day[day].people += static_cast<std::int64_t>(users.size());
  return out;
}

void add(Figures& sum, const Figures& part) {
  for (auto figure :
       {&Figures::events, &Figures::refused, &Figures::loans, &Figures::returns, &Figures::renewals,
        &Figures::holds, &Figures::reviews, &Figures::registrations, &Figures::logins,
        &Figures::failed_logins, &Figures::searches, &Figures::searches_without_result})
    sum.*figure += part.*figure;
}

void write_usage(const Count& count, books::CsvWriter& csv) {
  for (const auto* head :
       {"day", "events", "refused", "people", "loans", "returns", "renewals", "holds", "reviews",
        "registrations", "logins", "failed_logins", "searches", "searches_without_result"})
    csv.raw(head);
  csv.end_row();
  for (const auto& [number, day] : count.by_day) {
    csv.raw(day.day);
    for (const auto n :
         {day.events, day.refused, day.people, day.loans, day.returns, day.renewals, day.holds, day.reviews,
          day.registrations, day.logins, day.failed_logins, day.searches, day.searches_without_result})
      csv.number(n);
    csv.end_row();
  }
}

void write_behaviour(const std::vector<Busy>& hours, books::CsvWriter& csv) {
  csv.raw("weekday").raw("hour").raw("events").end_row();
  for (const auto& hour : hours) csv.number(hour.weekday).number(hour.hour).number(hour.events).end_row();
}

void write_popularity(const std::vector<LentTitle>& titles, books::CsvWriter& csv) {
  csv.raw("book_id").raw("title").raw("author").raw("loans").end_row();
  for (const auto& title : titles)
    csv.number(title.id.value).text(title.title).text(title.author).number(title.loans).end_row();
}

void write_searches(const std::vector<SearchedWords>& searches, books::CsvWriter& csv) {
  csv.raw("query").raw("searches").raw("misses").raw("clicks").end_row();
  for (const auto& words : searches)
    csv.text(words.query).number(words.searches).number(words.misses).number(words.clicks).end_row();
}

// Counts one piece; how many rows, nothing when there is nothing to count (yet).
std::int64_t count_piece(db::Transaction& tx, const TimeZone& zone, Timestamp now) {
  ReportRepository reports(tx);
  const auto mark = reports.hold_mark();
  auto end = std::min(reports.last_audit_row(), mark + rows_of_a_piece);
  if (const auto younger = reports.first_younger(mark, end, now - settling_time)) end = *younger - 1;
  if (end <= mark) return 0;
  struct Both {
    std::int64_t done = 0, refused = 0;
  };
  Hours hours(zone);
  std::map<std::pair<std::int64_t, std::string>, Both> actions;
  std::map<std::pair<std::int64_t, int>, std::int64_t> by_hour;
  reports.actions(mark, end,
                  [&](std::int64_t quarter, const std::string& action, bool refused, std::int64_t n) {
                    const auto at = hours.at(quarter);
                    auto& both = actions[{at.day, action}];
                    (refused ? both.refused : both.done) += n;
                    by_hour[{at.day, at.minute / 60}] += n;
                  });
  std::set<std::pair<std::int64_t, std::int64_t>> people;
  reports.people(mark, end, [&](std::int64_t quarter, std::int64_t user, std::int64_t) {
    people.emplace(hours.at(quarter).day, user);
  });
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> loans;
  reports.lent_books(mark, end, [&](std::int64_t quarter, std::int64_t book, std::int64_t n) {
    loans[{hours.at(quarter).day, book}] += n;
  });
  for (const auto& [key, both] : actions)
    reports.add_actions(format_day(key.first), key.second, both.done, both.refused);
  for (const auto& [key, events] : by_hour) reports.add_hour(format_day(key.first), key.second, events);
  for (const auto& [day, user] : people) reports.add_person(format_day(day), user);
  for (const auto& [key, n] : loans) reports.add_loans(format_day(key.first), key.second, n);
  reports.move_mark(end);
  // The log is in the order of time but for minutes: what lies before yesterday's day can grow no more.
  if (const auto at = reports.time_of(end)) reports.forget_people(format_day(zone.local(*at).day - 1));
  return end - mark;
}

}  // namespace

Task<Result<Overview>> ReportService::overview(Period period) {
  auto work = [this, period = std::move(period)](db::Transaction& tx) -> Result<Overview> {
    const auto zone = zone_(tx);
    const auto now = clock_.now();
    const auto days = days_of(period, zone.local(now).day);
    if (!days) return Failure(days.error());
    auto count = counted(tx, zone, *days);
    ReportRepository reports(tx);
    Overview out;
    out.from = days->from();
    out.to = days->to();
    out.before = count.before;
    for (auto& [number, day] : count.by_day) {
      add(out.totals, day);
      out.days.push_back(std::move(day));
    }
    out.popular = reports.lent_most(out.from, out.to, shown);
    out.searches = reports.searched_most(out.from, out.to, shown);
    out.hours = count.busy();
    out.generated_at = now;
    out.complete = count.complete;
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Busy>>> ReportService::activity(Period period) {
  auto work = [this, period = std::move(period)](db::Transaction& tx) -> Result<std::vector<Busy>> {
    const auto zone = zone_(tx);
    const auto days = days_of(period, zone.local(clock_.now()).day);
    if (!days) return Failure(days.error());
    return counted(tx, zone, *days).busy();
  };
  return database_.read(std::move(work));
}

Task<Result<std::string>> ReportService::csv(Report report, Period period) {
  auto work = [this, report, period = std::move(period)](db::Transaction& tx) -> Result<std::string> {
    const auto zone = zone_(tx);
    const auto days = days_of(period, zone.local(clock_.now()).day);
    if (!days) return Failure(days.error());
    std::string out;
    books::CsvWriter csv(out);
    ReportRepository reports(tx);
    switch (report) {
      case Report::usage:
        write_usage(counted(tx, zone, *days), csv);
        break;
      case Report::searches:
        write_searches(reports.searched_most(days->from(), days->to(), most_rows), csv);
        break;
      case Report::popularity:
        write_popularity(reports.lent_most(days->from(), days->to(), most_rows), csv);
        break;
      case Report::behaviour:
        write_behaviour(counted(tx, zone, *days).busy(), csv);
        break;
    }
    return out;
  };
  return database_.read(std::move(work));
}

Result<std::int64_t> ReportService::catch_up(const std::function<bool()>& go_on) {
  std::int64_t all = 0;
  while (go_on()) {
    auto piece = [this](db::Transaction& tx) { return count_piece(tx, zone_(tx), clock_.now()); };
    const auto rows = database_.write_now(std::move(piece));
    if (!rows) return Failure(rows.error());
    if (*rows == 0) break;
    all += *rows;
  }
  return all;
}

}  // namespace lumina::reports
