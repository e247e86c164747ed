#include "core/jobs/cadence.hpp"

#include <catch2/catch.hpp>

using namespace lumina;
using jobs::Cadence;
using namespace std::chrono_literals;

namespace {

std::string after(const Cadence& cadence, std::string_view moment) {
  return to_rfc3339(cadence.next(*parse_rfc3339(moment)));
}

}  // namespace

TEST_CASE("a period is counted from the same moment everywhere", "[I5]") {
  CHECK(after(Cadence::every(1h), "2026-11-22T10:00:00Z") == "2026-11-22T11:00:00Z");
  CHECK(after(Cadence::every(1h), "2026-11-22T10:59:59.999Z") == "2026-11-22T11:00:00Z");
  CHECK(Cadence::every(90s).text() == "every 90 s");
}

TEST_CASE("a time of day is one of the library's place", "[I5]") {
  const auto berlin = Cadence::daily(2, 30, "Europe/Berlin");
  CHECK(berlin.text() == "daily at 02:30 Europe/Berlin");
  CHECK(after(berlin, "2026-11-22T01:29:59Z") == "2026-11-22T01:30:00Z");
  CHECK(after(berlin, "2026-11-22T01:30:00Z") == "2026-11-23T01:30:00Z");
  CHECK(after(Cadence::daily(0, 5, "UTC"), "2026-11-22T10:00:00Z") == "2026-11-23T00:05:00Z");
  CHECK(after(Cadence::daily(9, 0, "Pacific/Auckland"), "2026-12-31T19:59:00Z") == "2026-12-31T20:00:00Z");
}

TEST_CASE("every day has one tick, also when clocks change", "[I5]") {
  for (const std::string_view zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"}) {
    const auto cadence = Cadence::daily(2, 30, std::string(zone));
    Timestamp at = *parse_rfc3339("2026-01-01T00:00:00Z");
    int ticks = 0;
    for (const auto end = *parse_rfc3339("2027-01-01T00:00:00Z"); at < end; ++ticks) {
      const auto next = cadence.next(at);
      if (ticks > 0) {
        CHECK(next.ms - at.ms >= 22 * 3'600'000);
        CHECK(next.ms - at.ms <= 26 * 3'600'000);
      }
      at = next;
    }
    CHECK(ticks >= 365);
    CHECK(ticks <= 366);
  }
}
