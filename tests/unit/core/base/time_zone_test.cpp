#include "core/base/time_zone.hpp"

#include <catch2/catch.hpp>

namespace lumina {
namespace {

TEST_CASE("only names of the time zone database are zones", "[D21]") {
  for (const auto* name : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}) {
    CAPTURE(name);
    REQUIRE(TimeZone::find(name));
    CHECK(TimeZone::find(name)->name() == name);
  }
  for (const auto* name : {"", "Europe/Atlantis", "GMT+3", "Etc/Unknown", "berlin", "Europe/Berlin "}) {
    CAPTURE(name);
    CHECK(!TimeZone::find(name));
  }
}

TEST_CASE("local days and times follow the clocks of the place", "[D21]") {
  const auto berlin = TimeZone::find("Europe/Berlin").value();
  const auto shown = [&](std::string_view moment) { return berlin.local(parse_rfc3339(moment).value()); };
  const auto day = [](std::string_view text) { return parse_day(text).value(); };
  CHECK(shown("2026-12-31T22:59:00Z") == LocalTime{day("2026-12-31"), 1439});
  CHECK(shown("2026-12-31T23:00:00Z") == LocalTime{day("2027-01-01"), 0});
  CHECK(shown("2026-07-01T21:59:00Z") == LocalTime{day("2026-07-01"), 1439});
  CHECK(shown("2026-07-01T22:00:00Z") == LocalTime{day("2026-07-02"), 0});
  CHECK(shown("1969-12-31T23:30:00Z") == LocalTime{0, 30});
}

TEST_CASE("a local time is one moment, also when clocks change", "[D21]") {
  const auto berlin = TimeZone::find("Europe/Berlin").value();
  const auto moment = [&](std::string_view day, int minute) {
    return to_rfc3339(berlin.moment(parse_day(day).value(), minute));
  };
  CHECK(moment("2026-11-22", 600) == "2026-11-22T09:00:00Z");
  CHECK(moment("2026-07-22", 600) == "2026-07-22T08:00:00Z");
  CHECK(moment("2026-03-29", 150) == "2026-03-29T01:30:00Z");  // 02:30 does not exist that night
  CHECK(moment("2026-10-25", 150) == "2026-10-25T00:30:00Z");  // 02:30 comes twice: the first
  CHECK(moment("2026-10-25", 1440) == "2026-10-25T23:00:00Z");
}

TEST_CASE("days and times of day are read strictly", "[D21]") {
  CHECK(format_day(*parse_day("2028-02-29")) == "2028-02-29");
  CHECK(!parse_day("2027-02-29"));
  CHECK(!parse_day("2027-2-9"));
  CHECK(!parse_day("2027-02-09T00:00:00Z"));
  CHECK(parse_minute("09:30") == 570);
  CHECK(parse_minute("24:00") == 1440);
  for (const auto* text : {"24:01", "9:30", "09:60", "0930", "09:3a", "-1:00"}) CHECK(!parse_minute(text));
  CHECK(weekday_of(*parse_day("2026-11-22")) == 6);
  CHECK(weekday_of(*parse_day("1969-12-29")) == 0);
}

}  // namespace
}  // namespace lumina
