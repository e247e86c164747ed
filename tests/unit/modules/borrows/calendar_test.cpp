#include "modules/borrows/calendar.hpp"

#include <catch2/catch.hpp>

namespace lumina::borrows {
namespace {

Timestamp at(std::string_view text) { return parse_rfc3339(text).value(); }

CalendarDocument weekdays(std::string zone) {
  CalendarDocument d;
  d.time_zone = std::move(zone);
  for (const auto day :
       {Weekday::monday, Weekday::tuesday, Weekday::wednesday, Weekday::thursday, Weekday::friday})
    d.weekly_hours.push_back({day, "09:00", "18:00"});
  return d;
}
Calendar made(const CalendarDocument& document) { return Calendar::make(document).value(); }

TEST_CASE("without a calendar a loan is due exactly when its days are over", "[D21]") {
  const Calendar none;
  const auto planned = at("2026-12-25T03:04:05Z");
  CHECK(none.due(planned) == planned);
  CHECK(none.days_late(planned, planned) == 0);
  CHECK(none.days_late(at("2026-12-25T10:00:00Z"), at("2026-12-25T23:59:00Z")) == 0);
  CHECK(none.days_late(at("2026-12-25T10:00:00Z"), at("2026-12-26T00:00:00Z")) == 1);
  CHECK(none.days_late(at("2026-12-25T10:00:00Z"), at("2027-01-04T09:00:00Z")) == 10);
}

TEST_CASE("what is due on a closed day is due when the next open day closes", "[D21]") {
  auto document = weekdays("Europe/Berlin");
  document.closed = {{"2026-12-24", "2027-01-01", "Between the years"}};
  const auto calendar = made(document);
  struct Row {
    std::string planned, due;
  };
  const std::vector<Row> rows{
      {"2026-12-04T10:00:00Z", "2026-12-04T10:00:00Z"},  // a Friday
      {"2026-12-05T10:00:00Z", "2026-12-07T17:00:00Z"},  // Saturday to Monday, 18:00 in winter
      {"2026-12-06T22:59:00Z", "2026-12-07T17:00:00Z"},  // still Sunday there
      {"2026-12-06T23:00:00Z", "2026-12-06T23:00:00Z"},  // Monday there already
      {"2026-12-24T10:00:00Z", "2027-01-04T17:00:00Z"},  // over the end of the year and a week-end
      {"2026-03-28T10:00:00Z", "2026-03-30T16:00:00Z"},  // over the change to summer time
      {"2026-10-24T10:00:00Z", "2026-10-26T17:00:00Z"},  // and back
  };
  for (const auto& row : rows) {
    CAPTURE(row.planned);
    CHECK(to_rfc3339(calendar.due(at(row.planned))) == row.due);
  }
}

TEST_CASE("without hours a closed day rolls to the last second of the next open day", "[D21]") {
  CalendarDocument document;
  document.time_zone = "America/New_York";
  document.closed = {{"2026-11-26", {}, "Thanksgiving"}, {"2026-10-31", "2026-10-31", {}}};
  const auto calendar = made(document);
  CHECK(to_rfc3339(calendar.due(at("2026-11-26T15:00:00Z"))) == "2026-11-28T04:59:59Z");
  // The day after is the one with 25 hours.
  CHECK(to_rfc3339(calendar.due(at("2026-10-31T15:00:00Z"))) == "2026-11-02T04:59:59Z");
}

TEST_CASE("closed days cost nothing", "[D21][D19]") {
  auto document = weekdays("Europe/Berlin");
  document.closed = {{"2026-12-24", "2027-01-01", {}}};
  const auto calendar = made(document);
  const auto due = at("2026-12-22T10:00:00Z");
  CHECK(calendar.days_late(due, at("2026-12-23T10:00:00Z")) == 1);
  CHECK(calendar.days_late(due, at("2026-12-28T10:00:00Z")) == 1);
  CHECK(calendar.days_late(due, at("2027-01-03T22:59:00Z")) == 1);
  CHECK(calendar.days_late(due, at("2027-01-04T08:00:00Z")) == 2);
  CHECK(calendar.days_late(due, at("2027-01-10T08:00:00Z")) == 6);
}

TEST_CASE("a library that is closed for ever keeps the planned date", "[D21]") {
  CalendarDocument document;
  document.closed = {{"2000-01-01", "2099-12-31", {}}};
  const auto planned = at("2026-12-25T10:00:00Z");
  CHECK(made(document).due(planned) == planned);
  CHECK(made(document).days_late(planned, planned + std::chrono::hours(2400)) == 0);
}

TEST_CASE("a calendar with faults is refused with all of them", "[D21]") {
  CalendarDocument document;
  document.time_zone = "Europe/Atlantis";
  document.weekly_hours = {{Weekday::monday, "18:00", "09:00"},
                           {Weekday::tuesday, "09:00", "13:00"},
                           {Weekday::tuesday, "12:59", "18:00"},
                           {Weekday::tuesday, "18:00", "24:00"}};
  document.closed = {
      {"2026-12-24", "2026-12-27", {}}, {"2026-12-27", {}, {}}, {"2026-05-02", "2026-05-01", {}}};
  const auto refused = Calendar::make(document);
  REQUIRE(!refused);
  std::vector<std::vector<std::string>> places;
  for (const auto& fault : refused.error().fields) places.push_back(fault.loc);
  CHECK(places == std::vector<std::vector<std::string>>{{"body", "time_zone"},
                                                        {"body", "weekly_hours", "0"},
                                                        {"body", "closed", "2"},
                                                        {"body", "weekly_hours", "2"},
                                                        {"body", "closed", "1"}});
  document.time_zone = "GMT+3";
  CHECK(!Calendar::make(document));
}

}  // namespace
}  // namespace lumina::borrows
