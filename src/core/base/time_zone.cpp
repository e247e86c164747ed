#include "core/base/time_zone.hpp"

#include <fmt/format.h>
#include <unicode/basictz.h>
#include <unicode/timezone.h>

#include <stdexcept>

namespace lumina {
namespace {

constexpr std::int64_t day_ms = 86'400'000, minute_ms = 60'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

void require(UErrorCode status) {
  if (U_FAILURE(status) != 0)
    throw std::runtime_error(std::string("ICU has no offset: ") + u_errorName(status));
}

}  // namespace

struct TimeZone::Rules {
  std::string name;
  std::unique_ptr<icu::BasicTimeZone> zone;
};

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  if (name.empty() || name.size() > 100) return {};
  const auto id =
      icu::UnicodeString::fromUTF8(icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size())));
  // ICU also reads "GMT+3" and gives a zone for anything else; only names of the database count here.
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString canonical;
  UBool known = 0;
  icu::TimeZone::getCanonicalID(id, canonical, known, status);
  if (U_FAILURE(status) != 0 || known == 0) return {};
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
  auto* basic = dynamic_cast<icu::BasicTimeZone*>(zone.get());
  if (basic == nullptr || *zone == icu::TimeZone::getUnknown()) return {};
  auto rules = std::make_shared<Rules>();
  rules->name = name;
  rules->zone.reset(basic);
  (void)zone.release();
  return TimeZone(std::move(rules));
}

const TimeZone& TimeZone::utc() {
  static const TimeZone zone = find("UTC").value();
  return zone;
}

const std::string& TimeZone::name() const { return rules_->name; }

LocalTime TimeZone::local(Timestamp t) const {
  std::int32_t raw = 0, saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  rules_->zone->getOffset(static_cast<double>(t.ms), 0, raw, saving, status);
  require(status);
  const std::int64_t shown = t.ms + raw + saving;
  const std::int64_t day = floor_div(shown, day_ms);
  return {day, static_cast<int>((shown - day * day_ms) / minute_ms)};
}

Timestamp TimeZone::moment(std::int64_t day, int minute) const {
  const std::int64_t shown = day * day_ms + minute * minute_ms;
  std::int32_t raw = 0, saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  rules_->zone->getOffsetFromLocal(static_cast<double>(shown), UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER,
                                   raw, saving, status);
  require(status);
  return {shown - raw - saving};
}

std::optional<std::int64_t> parse_day(std::string_view text) {
  if (text.size() != 10) return {};
  const auto moment = parse_rfc3339(text);
  if (!moment) return {};
  return floor_div(moment->ms, day_ms);
}

std::string format_day(std::int64_t day) { return to_rfc3339({day * day_ms}).substr(0, 10); }

std::optional<int> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return {};
  for (const std::size_t i : {0UZ, 1UZ, 3UZ, 4UZ})
    if (text[i] < '0' || text[i] > '9') return {};
  const int hours = (text[0] - '0') * 10 + (text[1] - '0'), minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (minutes > 59 || hours > 24 || (hours == 24 && minutes > 0)) return {};
  return hours * 60 + minutes;
}

int weekday_of(std::int64_t day) {
  constexpr std::int64_t thursday = 3;  // 1970-01-01
  const std::int64_t n = day + thursday;
  return static_cast<int>(n - floor_div(n, 7) * 7);
}

}  // namespace lumina
