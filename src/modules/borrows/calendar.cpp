#include "modules/borrows/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {

using schema::Field;

namespace {

constexpr std::int64_t longest_closure_days = 366;
constexpr std::int64_t most_days_counted = 36'525;  // a century
constexpr int day_minutes = 1440;

bool is_day(std::string_view text) { return parse_day(text).has_value(); }
bool is_time(std::string_view text) { return parse_minute(text).has_value(); }

}  // namespace

std::vector<Field> OpeningHours::fields() {
  const auto time = schema::format("time", &is_time, "must be a time such as 09:30");
  return {{"day", &OpeningHours::day, "Day of the week"},
          {"opens", &OpeningHours::opens, "Local time", {time}},
          {"closes", &OpeningHours::closes, "Local time; 24:00 is midnight", {time}}};
}
std::vector<Field> ClosedDays::fields() {
  const auto date = schema::format("date", &is_day, "must be a date such as 2026-12-24");
  return {{"from", &ClosedDays::from, "First day", {date}},
          {"to", &ClosedDays::to, "Last day; absent: only the first", {date}},
          {"name", &ClosedDays::name, "Why", {schema::length(1, 100)}}};
}
std::vector<Field> CalendarDocument::fields() {
  return {
      {"branch_id", &CalendarDocument::branch_id, "The branch; null: the library", {schema::range(1, 9e15)}},
      {"time_zone", &CalendarDocument::time_zone, "IANA name: Europe/Berlin", {schema::length(1, 100)}},
      {"weekly_hours",
       &CalendarDocument::weekly_hours,
       "Empty: always open; else days that are not named are closed",
       {schema::items(0, 70)}},
      {"closed", &CalendarDocument::closed, "Days on which it is closed", {schema::items(0, 2000)}}};
}
std::vector<Field> CalendarQuestion::fields() {
  return {{"branch_id",
           &CalendarQuestion::branch_id,
           "The branch; without: the library",
           {schema::range(1, 9e15)}}};
}

Result<Calendar> Calendar::make(const CalendarDocument& document) {
  Calendar made;
  std::vector<FieldError> faults;
  const auto fault = [&](std::string_view list, std::size_t i, std::string message, std::string type) {
    faults.push_back({{"body", std::string(list), std::to_string(i)}, std::move(message), std::move(type)});
  };

  if (auto zone = TimeZone::find(document.time_zone))
    made.zone_ = std::move(*zone);
  else
    faults.push_back({{"body", "time_zone"}, "is not a name of the IANA time zone database", "unknown"});

  struct Span {
    std::int64_t first, last;
    std::size_t index;
  };
  std::vector<Span> open;
  for (std::size_t i = 0; i < document.weekly_hours.size(); ++i) {
    const auto& hours = document.weekly_hours[i];
    const auto from = parse_minute(hours.opens), to = parse_minute(hours.closes);
    if (!from || !to || *from >= *to) {
      fault("weekly_hours", i, "must close after it opens", "range");
      continue;
    }
    const auto weekday = static_cast<std::size_t>(hours.day);
    made.has_hours_ = true;
    made.closes_[weekday] = std::max(made.closes_[weekday], *to);
    const auto start = static_cast<std::int64_t>(weekday) * day_minutes;
    open.push_back({start + *from, start + *to - 1, i});
  }
  std::vector<Span> closed;
  for (std::size_t i = 0; i < document.closed.size(); ++i) {
    const auto& days = document.closed[i];
    const auto from = parse_day(days.from), to = parse_day(days.to.value_or(days.from));
    if (!from || !to || *to < *from) {
      fault("closed", i, "must not end before it starts", "range");
      continue;
    }
    closed.push_back({*from, *to, i});
  }
  const auto refuse_overlaps = [&](std::vector<Span>& spans, std::string_view list) {
    std::ranges::sort(spans, {}, &Span::first);
    for (std::size_t i = 1; i < spans.size(); ++i)
      if (spans[i].first <= spans[i - 1].last)
        fault(list, spans[i].index, fmt::format("overlaps with number {}", spans[i - 1].index), "overlap");
  };
  refuse_overlaps(open, "weekly_hours");
  refuse_overlaps(closed, "closed");
  if (!faults.empty()) return invalid(std::move(faults));
  for (const Span& span : closed) made.closed_.emplace_back(span.first, span.last);
  return made;
}

bool Calendar::open_on(std::int64_t day) const {
  if (has_hours_ && closes_[static_cast<std::size_t>(weekday_of(day))] == 0) return false;
  const auto after =
      std::ranges::upper_bound(closed_, day, {}, &std::pair<std::int64_t, std::int64_t>::first);
  return after == closed_.begin() || std::prev(after)->second < day;
}

Timestamp Calendar::due(Timestamp planned) const {
  if (!has_hours_ && closed_.empty()) return planned;
  const auto day = zone_.local(planned).day;
  if (open_on(day)) return planned;
  for (auto next = day + 1; next <= day + longest_closure_days; ++next) {
    if (!open_on(next)) continue;
    const int closes = has_hours_ ? closes_[static_cast<std::size_t>(weekday_of(next))] : day_minutes;
    const auto end = zone_.moment(next, closes);
    return closes == day_minutes ? end - std::chrono::seconds(1) : end;
  }
  return planned;
}

int Calendar::days_late(Timestamp due, Timestamp back) const {
  if (back <= due) return 0;
  const auto first = zone_.local(due).day;
  const auto last = std::min(zone_.local(back).day, first + most_days_counted);
  int days = 0;
  for (auto day = first + 1; day <= last; ++day) days += open_on(day) ? 1 : 0;
  return days;
}

}  // namespace lumina::borrows
