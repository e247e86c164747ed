// Time zones of the IANA database: which day and time it is somewhere, and when that is in UTC.
//
// A local day is a number, days since 1970-01-01 in the proleptic Gregorian calendar; a time of day is
// minutes after local midnight. Values are cheap to copy, immutable, and safe in any thread. Source of the
// rules: ICU.
#pragma once
#include "core/base/clock.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lumina {

struct LocalTime {
  std::int64_t day = 0;
  int minute = 0;  // 0..1439
  bool operator==(const LocalTime&) const = default;
};

class TimeZone {
 public:
  // "Europe/Berlin", "UTC"; nothing for a name that the database does not have.
  static std::optional<TimeZone> find(std::string_view name);
  static const TimeZone& utc();

  const std::string& name() const;
  LocalTime local(Timestamp) const;
  // The moment at which clocks there show this. `minute` may be 1440, the next midnight. A time that the
  // change to summer time leaves out is taken as if the clocks had not changed; of two moments the first.
  Timestamp moment(std::int64_t day, int minute) const;

 private:
  struct Rules;
  explicit TimeZone(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  std::shared_ptr<const Rules> rules_;
};

// "2026-12-24" to a day and back; nothing for what is no date.
std::optional<std::int64_t> parse_day(std::string_view);
std::string format_day(std::int64_t day);
// "09:30" to minutes after midnight; "24:00" is 1440.
std::optional<int> parse_minute(std::string_view);
// Monday is 0.
int weekday_of(std::int64_t day);

}  // namespace lumina
