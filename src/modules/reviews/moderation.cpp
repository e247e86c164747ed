#include "modules/reviews/moderation.hpp"

#include "core/base/text.hpp"

namespace lumina::reviews {
namespace {

using schema::Field;

bool has_text(std::string_view text) { return !trim(text).empty(); }

}  // namespace

std::vector<Field> NewReport::fields() {
  return {{"reason", &NewReport::reason, "What is wrong with it"},
          {"note", &NewReport::note, "More", {schema::length(0, 1000)}}};
}
std::vector<Field> Report::fields() {
  return {{"user_id", &Report::user_id, "Who reported it"},
          {"reason", &Report::reason, "What is wrong with it"},
          {"note", &Report::note, "More"},
          {"created_at", &Report::created_at, "When"}};
}
std::vector<Field> ReportedReview::fields() {
  return {{"review", &ReportedReview::review, "The review, with its text"},
          {"reports", &ReportedReview::reports, "What people say of it"}};
}
std::vector<Field> NewDecision::fields() {
  return {{"decision", &NewDecision::decision,
           "hide; restore, after which reports no longer hide it; or about its spoiler mark"},
          {"note", &NewDecision::note, "Why, for the audit log", {schema::length(0, 1000)}}};
}
std::vector<Field> Reply::fields() {
  return {{"id", &Reply::id, "Identifier"},
          {"review_id", &Reply::review_id, "To which review"},
          {"reply_text", &Reply::reply_text, "The reply"},
          {"created_at", &Reply::created_at, "When it was written"},
          {"user", &Reply::user, "Who wrote it"}};
}
std::vector<Field> NewReply::fields() {
  return {{"reply_text",
           &NewReply::reply_text,
           "1 to 2000 characters",
           {schema::length(1, 2000), schema::format("not-blank", &has_text, "must not be blank")}}};
}

}  // namespace lumina::reviews
