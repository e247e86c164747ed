#include "core/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lumina {
namespace {

using Days = std::chrono::sys_days;

// Reads exactly `width` digits at the front of `text` and drops them.
std::optional<int> digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return {};
  int value = 0;
  for (char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Timestamp SystemClock::now() const {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::string to_rfc3339(Timestamp t) {
  using namespace std::chrono;
  constexpr std::int64_t lowest = -62167219200000, highest = 253402300799000;  // years 0000 and 9999
  const sys_time<milliseconds> moment{milliseconds{std::clamp(t.ms, lowest, highest)}};
  const Days day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(moment - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits(text, 4);
  if (!y || !take(text, '-')) return {};
  const auto mo = digits(text, 2);
  if (!mo || !take(text, '-')) return {};
  const auto d = digits(text, 2);
  if (!d) return {};
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return {};
  std::int64_t ms = duration_cast<milliseconds>(Days{date}.time_since_epoch()).count();
  if (text.empty()) return Timestamp{ms};

  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return {};
  const auto h = digits(text, 2);
  if (!h || *h > 23 || !take(text, ':')) return {};
  const auto mi = digits(text, 2);
  if (!mi || *mi > 59 || !take(text, ':')) return {};
  const auto s = digits(text, 2);
  if (!s || *s > 60) return {};
  ms += ((*h * 60 + *mi) * 60 + *s) * 1000LL;
  if (take(text, '.')) {
    int scale = 100;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      ms += (text.front() - '0') * scale;
      scale /= 10;
      any = true;
      text.remove_prefix(1);
    }
    if (!any) return {};
  }
  if (text == "Z" || text == "z") return Timestamp{ms};
  const bool minus = !text.empty() && text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return {};
  const auto oh = digits(text, 2);
  if (!oh || *oh > 23 || !take(text, ':')) return {};
  const auto om = digits(text, 2);
  if (!om || *om > 59 || !text.empty()) return {};
  const std::int64_t offset = (*oh * 60 + *om) * 60000LL;
  return Timestamp{minus ? ms + offset : ms - offset};
}

int year_of(Timestamp t) {
  using namespace std::chrono;
  return static_cast<int>(year_month_day{floor<days>(sys_time<milliseconds>{milliseconds{t.ms}})}.year());
}

}  // namespace lumina
