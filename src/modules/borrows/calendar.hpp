// When a library is open, pure: due dates that fall on closed days, and the days for which fines are counted.
//
// Days are local days of the library's time zone. Without hours the library is always open. Immutable; any
// thread.
#pragma once
#include "core/base/error.hpp"
#include "core/base/time_zone.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::borrows {

enum class Weekday : std::uint8_t { monday, tuesday, wednesday, thursday, friday, saturday, sunday };
constexpr std::array<std::string_view, 7> weekday_names{"monday", "tuesday",  "wednesday", "thursday",
                                                        "friday", "saturday", "sunday"};
constexpr auto& enum_names(Weekday) { return weekday_names; }

struct OpeningHours {
  Weekday day = Weekday::monday;
  std::string opens, closes;  // "09:00"; closes may be "24:00"
  static constexpr std::string_view type_name = "OpeningHours";
  static std::vector<schema::Field> fields();
};
struct ClosedDays {
  std::string from;               // "2026-12-24"
  std::optional<std::string> to;  // the last day; absent: only `from`
  std::optional<std::string> name;
  static constexpr std::string_view type_name = "ClosedDays";
  static std::vector<schema::Field> fields();
};
// A calendar as it is put and shown.
struct CalendarDocument {
  std::optional<std::int64_t> branch_id;  // null: the library
  std::string time_zone = "UTC";
  std::vector<OpeningHours> weekly_hours;  // empty: open at all hours; else days without hours are closed
  std::vector<ClosedDays> closed;
  static constexpr std::string_view type_name = "LibraryCalendar";
  static std::vector<schema::Field> fields();
};
struct CalendarQuestion {
  std::optional<std::int64_t> branch_id;
  static constexpr std::string_view type_name = "CalendarQuestion";
  static std::vector<schema::Field> fields();
};

class Calendar {
 public:
  // Always open, in UTC.
  Calendar() = default;
  // Refuses, with all faults and their places, an unknown zone, times that are none or do not rise, hours
  // that overlap and closed ranges that overlap or end before they start.
  static Result<Calendar> make(const CalendarDocument& document);

  const TimeZone& zone() const { return zone_; }
  bool open_on(std::int64_t day) const;
  // The due date of what would be due then: the same on an open day; else the closing time of the next open
  // day (the last second of it when it has no hours). Never earlier.
  Timestamp due(Timestamp planned) const;
  // Open days after the day on which it was due, up to and with the day on which it came back.
  int days_late(Timestamp due, Timestamp back) const;

 private:
  TimeZone zone_ = TimeZone::utc();
  bool has_hours_ = false;
  std::array<int, 7> closes_{};  // minute at which the day ends; 0: closed all day
  std::vector<std::pair<std::int64_t, std::int64_t>> closed_;  // first and last day, rising
};

}  // namespace lumina::borrows
