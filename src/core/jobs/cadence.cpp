#include "core/jobs/cadence.hpp"

#include <fmt/format.h>
#include <unicode/gregocal.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <stdexcept>

namespace lumina::jobs {

Cadence Cadence::every(std::chrono::seconds period) {
  Cadence c;
  c.period_ = std::max(period, std::chrono::seconds(1));
  return c;
}

Cadence Cadence::daily(int hour, int minute, std::string zone) {
  Cadence c;
  c.hour_ = hour;
  c.minute_ = minute;
  c.zone_ = std::move(zone);
  return c;
}

Timestamp Cadence::next(Timestamp last) const {
  if (period_.count() > 0) {
    const auto period = std::chrono::duration_cast<std::chrono::milliseconds>(period_).count();
    return {(last.ms / period + 1) * period};
  }
  UErrorCode status = U_ZERO_ERROR;
  icu::GregorianCalendar calendar(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone_)), status);
  calendar.setTime(static_cast<UDate>(last.ms), status);
  for (int day = 0; day < 3; ++day) {
    icu::GregorianCalendar at(calendar);
    at.add(UCAL_DATE, day, status);
    at.set(UCAL_HOUR_OF_DAY, hour_);
    at.set(UCAL_MINUTE, minute_);
    at.set(UCAL_SECOND, 0);
    at.set(UCAL_MILLISECOND, 0);
    const Timestamp moment{static_cast<std::int64_t>(at.getTime(status))};
    if (U_FAILURE(status))
      throw std::runtime_error(fmt::format("no calendar for {}: {}", zone_, u_errorName(status)));
    if (moment > last) return moment;
  }
  throw std::logic_error("a day without an end");
}

std::string Cadence::text() const {
  if (period_.count() > 0) return fmt::format("every {} s", period_.count());
  return fmt::format("daily at {:02}:{:02} {}", hour_, minute_, zone_);
}

}  // namespace lumina::jobs
