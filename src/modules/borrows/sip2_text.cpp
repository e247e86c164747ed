#include "modules/borrows/sip2_text.hpp"

#include <fmt/format.h>
#include <unicode/ucurr.h>

#include <algorithm>
#include <charconv>

namespace lumina::borrows {
namespace {

constexpr std::int64_t most_minor = 1'000'000'000;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
// Of digits alone, few enough to fit.
std::int64_t number(std::string_view digits) {
  std::int64_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

int digits_of(std::string_view currency) {
  const std::u16string wide(currency.begin(), currency.end());
  UErrorCode status = U_ZERO_ERROR;
  const int digits = ucurr_getDefaultFractionDigits(wide.c_str(), &status);
  return U_SUCCESS(status) ? std::clamp(digits, 0, 4) : 2;
}

std::int64_t power_of_ten(int digits) {
  std::int64_t unit = 1;
  while (digits-- > 0) unit *= 10;
  return unit;
}

}  // namespace

std::string sip2_time(Timestamp at, const TimeZone& zone) {
  const auto local = zone.local(at);
  auto day = format_day(local.day);
  std::erase(day, '-');
  const auto seconds = ((at.ms / 1000) % 60 + 60) % 60;
  return fmt::format("{}    {:02}{:02}{:02}", day, local.minute / 60, local.minute % 60, seconds);
}

std::optional<Timestamp> parse_sip2_time(std::string_view text, const TimeZone& zone) {
  if (text.size() != 18) return {};
  const auto date = text.substr(0, 8), kind = text.substr(8, 4), time = text.substr(12);
  if (!all_digits(date) || !all_digits(time)) return {};
  const auto day = parse_day(fmt::format("{}-{}-{}", date.substr(0, 4), date.substr(4, 2), date.substr(6)));
  const auto hour = number(time.substr(0, 2)), minute = number(time.substr(2, 2)),
             second = number(time.substr(4));
  if (!day || hour > 23 || minute > 59 || second > 59) return {};
  const auto& clocks = kind == "   Z" ? TimeZone::utc() : zone;
  return clocks.moment(*day, static_cast<int>(hour * 60 + minute)) + std::chrono::seconds(second);
}

std::string sip2_amount(std::int64_t minor, std::string_view currency) {
  const int digits = digits_of(currency);
  if (digits == 0) return std::to_string(minor);
  const auto unit = power_of_ten(digits);
  return fmt::format("{}{}.{:0{}}", minor < 0 ? "-" : "", std::abs(minor) / unit, std::abs(minor) % unit,
                     digits);
}

std::optional<std::int64_t> parse_sip2_amount(std::string_view text, std::string_view currency) {
  const auto digits = static_cast<std::size_t>(digits_of(currency));
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto part = point == text.size() ? std::string_view() : text.substr(point + 1);
  if (!all_digits(whole) || whole.size() > 10) return {};
  if (point != text.size() && (!all_digits(part) || part.size() > digits)) return {};
  auto minor = number(whole) * power_of_ten(static_cast<int>(digits));
  if (!part.empty()) minor += number(part) * power_of_ten(static_cast<int>(digits - part.size()));
  if (minor > most_minor) return {};
  return minor;
}

std::string sip2_patron_status(const PatronSummary& patron, const std::vector<Block>& blocks) {
  // The flags that this library can know, by their places.
  constexpr std::size_t charging = 0, renewing = 1, recalling = 2, holding = 3, many_loans = 5,
                        many_overdue = 6, owes = 10;
  std::string flags(14, ' ');
  const auto deny_all = [&] { flags[charging] = flags[renewing] = flags[recalling] = flags[holding] = 'Y'; };
  if (!patron.is_active) deny_all();
  for (const auto& block : blocks) {
    deny_all();
    if (block.kind == "fines") flags[owes] = 'Y';
    if (block.kind == "overdue") flags[many_overdue] = 'Y';
  }
  // A limit of loans stops the next loan, and nothing else.
  if (std::ranges::find(patron.blocks, "loan_limit", &PatronBlock::code) != patron.blocks.end())
    flags[charging] = flags[many_loans] = 'Y';
  return flags;
}

std::string_view sip2_circulation_status(CopyStatus stored, bool lent) {
  switch (stored) {
    case CopyStatus::lost:
      return "12";
    case CopyStatus::missing:
      return "13";
    case CopyStatus::claimed_returned:
      return "11";
    case CopyStatus::on_hold:
      return "08";
    case CopyStatus::available:
    case CopyStatus::on_loan:
      return lent ? "04" : "03";
    case CopyStatus::damaged:
    case CopyStatus::in_repair:
    case CopyStatus::withdrawn:
      return "01";
  }
  return "01";
}

std::string sip2_count(std::int64_t count) {
  return fmt::format("{:04}", std::clamp<std::int64_t>(count, 0, 9999));
}

}  // namespace lumina::borrows
