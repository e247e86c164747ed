#include "modules/notices/model.hpp"

#include <catch2/catch.hpp>

using namespace lumina;
using namespace lumina::notices;

namespace {

NotificationSettings quiet(std::string from, std::string to, std::optional<std::string> zone = {}) {
  NotificationSettings s;
  s.quiet_hours = QuietHours{std::move(from), std::move(to)};
  s.time_zone = std::move(zone);
  return s;
}
std::string goes(const NotificationSettings& settings, std::string_view now,
                 std::string_view library = "UTC") {
  return to_rfc3339(after_quiet(settings, *TimeZone::find(library), *parse_rfc3339(now)));
}

}  // namespace

TEST_CASE("mails wait for the end of quiet hours, over midnight and over changes of the clock", "[I10]") {
  const auto night = quiet("22:00", "07:00");
  CHECK(goes(night, "2026-11-22T21:59:59Z") == "2026-11-22T21:59:59Z");
  CHECK(goes(night, "2026-11-22T22:00:00Z") == "2026-11-23T07:00:00Z");
  CHECK(goes(night, "2026-11-23T06:59:59Z") == "2026-11-23T07:00:00Z");
  CHECK(goes(night, "2026-11-23T07:00:00Z") == "2026-11-23T07:00:00Z");
  const auto noon = quiet("12:00", "14:00");
  CHECK(goes(noon, "2026-11-22T11:59:00Z") == "2026-11-22T11:59:00Z");
  CHECK(goes(noon, "2026-11-22T12:00:00Z") == "2026-11-22T14:00:00Z");
  CHECK(goes(noon, "2026-11-22T14:00:00Z") == "2026-11-22T14:00:00Z");
  CHECK(goes({}, "2026-11-22T03:00:00Z") == "2026-11-22T03:00:00Z");
  // The library's zone counts where the person named none.
  CHECK(goes(night, "2026-11-22T20:30:00Z", "Europe/Helsinki") == "2026-11-23T05:00:00Z");
  CHECK(goes(quiet("22:00", "07:00", "America/New_York"), "2026-11-22T20:30:00Z", "Europe/Helsinki") ==
        "2026-11-22T20:30:00Z");
  // Clocks go forward at 01:00 UTC on 2026-03-29 in Berlin: 07:00 is an hour earlier.
  CHECK(goes(night, "2026-03-28T22:00:00Z", "Europe/Berlin") == "2026-03-29T05:00:00Z");
}

TEST_CASE("a mail never goes in quiet hours and never waits longer than a day", "[I10]") {
  const TimeZone zone = *TimeZone::find("Europe/Berlin");
  for (int from = 0; from < 24; from += 3)
    for (int to = 1; to < 24; to += 3) {
      const auto two = [](int hour) { return (hour < 10 ? "0" : "") + std::to_string(hour) + ":00"; };
      const auto settings = quiet(two(from), two(to));
      for (std::int64_t hour = 0; hour < 24 * 10; ++hour) {
        const Timestamp now = *parse_rfc3339("2026-10-20T00:17:00Z") + std::chrono::hours(hour);
        const auto then = after_quiet(settings, zone, now);
        REQUIRE(then >= now);
        REQUIRE(then.ms - now.ms <= 25 * 3'600'000);
        REQUIRE(after_quiet(settings, zone, then) == then);
      }
    }
}

TEST_CASE("settings are completed, and faults are told together", "[I10]") {
  NotificationSettings some;
  some.channels = {{NoticeKind::fine, false, false}};
  const auto whole = completed(some);
  REQUIRE(whole);
  REQUIRE(whole->channels.size() == notice_kind_names.size());
  CHECK(channel_of(*whole, NoticeKind::fine) == Channel{NoticeKind::fine, false, false});
  CHECK(channel_of(*whole, NoticeKind::overdue) == Channel{NoticeKind::overdue, true, true});
  CHECK(channel_of(*whole, NoticeKind::borrowed) == Channel{NoticeKind::borrowed, false, true});
  auto wrong = quiet("07:00", "07:00", "Nowhere/Here");
  wrong.channels = {{NoticeKind::fine, true, true}, {NoticeKind::fine, true, true}};
  const auto refused = completed(wrong);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fields.size() == 3);
}

TEST_CASE("money is written with the digits of its currency", "[I10]") {
  CHECK(money(1250, "EUR") == "12.50 EUR");
  CHECK(money(5, "USD") == "0.05 USD");
  CHECK(money(1250, "JPY") == "1250 JPY");
  CHECK(money(1005, "KWD") == "1.005 KWD");
}
