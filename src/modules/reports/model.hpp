// How a library is used, counted by day and without persons. Days are those of the library's time zone. Free
// of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reports {

constexpr int most_days = 3660, default_days = 30;

// Which days: `days` of them, the last one being `to`.
struct Period {
  std::optional<int> days;        // 1..3660, default 30
  std::optional<std::string> to;  // "2026-11-22", default today
  static constexpr std::string_view type_name = "ReportPeriod";
  static std::vector<schema::Field> fields();
};

struct Figures {
  std::int64_t events = 0;   // changes of any kind, and what was refused
  std::int64_t refused = 0;  // of them
  std::int64_t loans = 0, returns = 0, renewals = 0, holds = 0, reviews = 0, registrations = 0, logins = 0,
               failed_logins = 0;
  std::int64_t searches = 0, searches_without_result = 0;
  bool operator==(const Figures&) const = default;
  static constexpr std::string_view type_name = "UsageFigures";
  static std::vector<schema::Field> fields();
};
struct Day : Figures {
  std::string day;
  std::int64_t people = 0;  // different ones who did something
  static constexpr std::string_view type_name = "UsageDay";
  static std::vector<schema::Field> fields();
};
struct LentTitle {
  BookId id;
  std::string title, author;
  std::int64_t loans = 0;
  static constexpr std::string_view type_name = "LentTitle";
  static std::vector<schema::Field> fields();
};
struct SearchedWords {
  std::string query;
  std::int64_t searches = 0, misses = 0, clicks = 0;
  static constexpr std::string_view type_name = "SearchedWords";
  static std::vector<schema::Field> fields();
};
// An hour of the week.
struct Busy {
  int weekday = 0;  // 0 is Monday
  int hour = 0;
  std::int64_t events = 0;
  static constexpr std::string_view type_name = "BusyHour";
  static std::vector<schema::Field> fields();
};

struct Overview {
  std::string from, to;  // the first and the last day
  Figures totals;
  Figures before;  // of as many days before them
  std::vector<Day> days;
  std::vector<LentTitle> popular;       // the ten lent most
  std::vector<SearchedWords> searches;  // the ten searched for most
  std::vector<Busy> hours;              // by hour of the week, those in which something happened
  Timestamp generated_at;
  bool complete = true;  // false: counting is far behind, for example right after an upgrade
  static constexpr std::string_view type_name = "AnalyticsOverview";
  static std::vector<schema::Field> fields();
};

enum class Report : std::uint8_t { usage, searches, popularity, behaviour };
constexpr std::array<std::string_view, 4> report_names{"usage", "searches", "popularity", "behaviour"};
constexpr auto& enum_names(Report) { return report_names; }

// What an action of the audit log counts as; only that something happened, for most.
void count_action(Figures& figures, std::string_view action, std::int64_t done, std::int64_t refused);

}  // namespace lumina::reports
