// What people are told, and how they want to be told. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time_zone.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::notices {

using NoticeId = Id<struct NoticeTag>;

enum class NoticeKind : std::uint8_t {
  borrowed,
  due_soon,
  overdue,
  hold_ready,
  hold_expired,
  returned,
  fine,
  new_match,  // a new book that a saved search finds
};
constexpr std::array<std::string_view, 8> notice_kind_names{
    "borrowed", "due_soon", "overdue", "hold_ready", "hold_expired", "returned", "fine", "new_match"};
constexpr auto& enum_names(NoticeKind) { return notice_kind_names; }

struct Notification {
  NoticeId id;
  NoticeKind kind = NoticeKind::borrowed;
  std::string title, body;
  std::int64_t resource_id = 0;  // of the loan, the hold, the fine or the saved search
  std::optional<BookId> book_id;
  bool is_read = false;
  Timestamp created_at;
  std::optional<Timestamp> read_at;
  static constexpr std::string_view type_name = "Notification";
  static std::vector<schema::Field> fields();
};
struct NotificationFilter {
  std::optional<bool> unread;
  std::optional<NoticeKind> kind;
  static constexpr std::string_view type_name = "NotificationFilter";
  static std::vector<schema::Field> fields();
};
struct UnreadCount {
  std::int64_t unread = 0;
  static constexpr std::string_view type_name = "UnreadCount";
  static std::vector<schema::Field> fields();
};
struct MarkedRead {
  std::int64_t marked = 0;
  static constexpr std::string_view type_name = "MarkedRead";
  static std::vector<schema::Field> fields();
};

struct Channel {
  NoticeKind kind = NoticeKind::borrowed;
  bool in_app = true, email = true;
  bool operator==(const Channel&) const = default;
  static constexpr std::string_view type_name = "NotificationChannel";
  static std::vector<schema::Field> fields();
};
// Times of day, "22:00"; from may be later than to.
struct QuietHours {
  std::string from, to;
  static constexpr std::string_view type_name = "QuietHours";
  static std::vector<schema::Field> fields();
};
struct NotificationSettings {
  std::vector<Channel> channels;  // in answers one for every kind, in order
  std::optional<QuietHours> quiet_hours;
  std::optional<std::string> time_zone;  // of the quiet hours; the library's when absent
  std::int64_t version = 1;              // part of the ETag, not of the body; 1: never set
  static constexpr std::string_view type_name = "NotificationSettings";
  static std::vector<schema::Field> fields();
};

// Where nobody chose: everything by mail, and in the app what asks for something; that one has just borrowed
// or returned a book is known.
Channel usual_channel(NoticeKind kind);
Channel channel_of(const NotificationSettings& settings, NoticeKind kind);
// Faults: a kind named twice, hours that are none or are equal, an unknown time zone. Fills in the channels
// that were not named.
Result<NotificationSettings> completed(NotificationSettings settings);
// When a mail that is due now may go: now, or the end of the quiet hours. `library` counts where the person
// named no zone.
Timestamp after_quiet(const NotificationSettings& settings, const TimeZone& library, Timestamp now);

// "12.50 EUR"; with as many digits behind the point as the currency has (ISO 4217).
std::string money(std::int64_t minor, std::string_view currency);

}  // namespace lumina::notices
