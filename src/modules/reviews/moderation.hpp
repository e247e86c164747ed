// Reports, decisions and replies, free of HTTP, JSON and SQL.
#pragma once
#include "modules/reviews/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reviews {

constexpr std::int64_t reports_that_hide = 3;  // of different people

using ReplyId = Id<struct ReplyTag>;

enum class Reason : std::uint8_t { spam, offensive, spoiler, off_topic, other };
constexpr std::array<std::string_view, 5> reason_names{"spam", "offensive", "spoiler", "off_topic", "other"};
constexpr auto& enum_names(Reason) { return reason_names; }

struct NewReport {
  Reason reason = Reason::other;
  std::optional<std::string> note;  // up to 1,000 code points
  static constexpr std::string_view type_name = "NewReport";
  static std::vector<schema::Field> fields();
};
struct Report {
  UserId user_id;
  Reason reason = Reason::other;
  std::optional<std::string> note;
  Timestamp created_at;
  static constexpr std::string_view type_name = "Report";
  static std::vector<schema::Field> fields();
};
// For staff: a review that waits for a decision, or was reported by some.
struct ReportedReview {
  Review review;
  std::vector<Report> reports;
  static constexpr std::string_view type_name = "ReportedReview";
  static std::vector<schema::Field> fields();
};

enum class Decision : std::uint8_t { hide, restore, mark_spoiler, unmark_spoiler };
constexpr std::array<std::string_view, 4> decision_names{"hide", "restore", "mark_spoiler", "unmark_spoiler"};
constexpr auto& enum_names(Decision) { return decision_names; }
struct NewDecision {
  Decision decision = Decision::hide;
  std::optional<std::string> note;  // for the audit log
  static constexpr std::string_view type_name = "ReviewDecision";
  static std::vector<schema::Field> fields();
};

struct Reply {
  ReplyId id;
  ReviewId review_id;
  std::string reply_text;
  Timestamp created_at;
  Reviewer user;
  static constexpr std::string_view type_name = "Reply";
  static std::vector<schema::Field> fields();
};
struct NewReply {
  std::string reply_text;  // 1..2000 code points
  static constexpr std::string_view type_name = "NewReply";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::reviews
