#include "modules/notices/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::notices {
namespace {

using schema::Field;

bool is_minute(std::string_view text) { return text != "24:00" && parse_minute(text).has_value(); }

}  // namespace

std::vector<Field> Notification::fields() {
  return {{"id", &Notification::id, "Identifier"},
          {"kind", &Notification::kind, "What it is about"},
          {"title", &Notification::title, "One line"},
          {"body", &Notification::body, "What there is to know or to do"},
          {"resource_id", &Notification::resource_id, "The loan, the hold, the fine or the saved search"},
          {"book_id", &Notification::book_id, "The book, if it is about one"},
          {"is_read", &Notification::is_read, "Whether it was read"},
          {"created_at", &Notification::created_at, "When it was made"},
          {"read_at", &Notification::read_at, "When it was read"}};
}
std::vector<Field> NotificationFilter::fields() {
  return {{"unread", &NotificationFilter::unread, "Only those that were not read, or only those that were"},
          {"kind", &NotificationFilter::kind, "Only of this kind"}};
}
std::vector<Field> UnreadCount::fields() {
  return {{"unread", &UnreadCount::unread, "How many were not read"}};
}
std::vector<Field> MarkedRead::fields() {
  return {{"marked", &MarkedRead::marked, "How many had not been read"}};
}
std::vector<Field> Channel::fields() {
  return {{"kind", &Channel::kind, "What it is about"},
          {"in_app", &Channel::in_app, "Shown under /notifications"},
          {"email", &Channel::email, "Sent by mail, when the library can"}};
}
std::vector<Field> QuietHours::fields() {
  const auto time = schema::format("time", &is_minute, "must be a time of day such as 22:00");
  return {{"from", &QuietHours::from, "When they begin: 22:00", {time}},
          {"to", &QuietHours::to, "When they end: 07:00", {time}}};
}
std::vector<Field> NotificationSettings::fields() {
  return {{"channels",
           &NotificationSettings::channels,
           "How to be told of each kind; those not named are as usual",
           {schema::items(0, notice_kind_names.size())}},
          {"quiet_hours", &NotificationSettings::quiet_hours, "Mails wait until they are over"},
          {"time_zone", &NotificationSettings::time_zone, "Of the quiet hours; the library's when null"}};
}

Channel usual_channel(NoticeKind kind) {
  const bool known = kind == NoticeKind::borrowed || kind == NoticeKind::returned;
  return {kind, !known, true};
}

Channel channel_of(const NotificationSettings& settings, NoticeKind kind) {
  const auto found = std::ranges::find(settings.channels, kind, &Channel::kind);
  return found == settings.channels.end() ? usual_channel(kind) : *found;
}

Result<NotificationSettings> completed(NotificationSettings settings) {
  std::vector<FieldError> faults;
  std::vector<Channel> all;
  for (std::size_t i = 0; i < settings.channels.size(); ++i)
    for (std::size_t before = 0; before < i; ++before)
      if (settings.channels[before].kind == settings.channels[i].kind)
        faults.push_back(
            {{"body", "channels", std::to_string(i), "kind"}, "this kind is named already", "duplicate"});
  for (std::size_t i = 0; i < notice_kind_names.size(); ++i)
    all.push_back(channel_of(settings, static_cast<NoticeKind>(i)));
  if (const auto& quiet = settings.quiet_hours; quiet && quiet->from == quiet->to)
    faults.push_back({{"body", "quiet_hours", "to"}, "must differ from `from`", "range"});
  if (settings.time_zone && !TimeZone::find(*settings.time_zone))
    faults.push_back(
        {{"body", "time_zone"}, "must be the name of a time zone such as Europe/Berlin", "unknown"});
  if (!faults.empty()) return invalid(std::move(faults));
  settings.channels = std::move(all);
  return settings;
}

Timestamp after_quiet(const NotificationSettings& settings, const TimeZone& library, Timestamp now) {
  if (!settings.quiet_hours) return now;
  const auto from = parse_minute(settings.quiet_hours->from), to = parse_minute(settings.quiet_hours->to);
  if (!from || !to) return now;
  const auto own = settings.time_zone ? TimeZone::find(*settings.time_zone) : std::nullopt;
  const TimeZone& zone = own ? *own : library;
  const auto [day, minute] = zone.local(now);
  const bool over_midnight = *from > *to;
  const bool quiet = over_midnight ? minute >= *from || minute < *to : minute >= *from && minute < *to;
  if (!quiet) return now;
  return zone.moment(over_midnight && minute >= *from ? day + 1 : day, *to);
}

std::string money(std::int64_t minor, std::string_view currency) {
  static constexpr std::array<std::string_view, 8> whole{"JPY", "KRW", "ISK", "CLP",
                                                         "VND", "XAF", "XOF", "PYG"};
  static constexpr std::array<std::string_view, 6> thousandths{"BHD", "IQD", "JOD", "KWD", "OMR", "TND"};
  if (std::ranges::find(whole, currency) != whole.end()) return fmt::format("{} {}", minor, currency);
  const bool three = std::ranges::find(thousandths, currency) != thousandths.end();
  const std::int64_t unit = three ? 1000 : 100;
  return fmt::format("{}.{:0{}} {}", minor / unit, minor % unit, three ? 3 : 2, currency);
}

}  // namespace lumina::notices
