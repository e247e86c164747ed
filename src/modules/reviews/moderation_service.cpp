#include "modules/reviews/moderation_service.hpp"

#include "core/base/text.hpp"
#include "modules/reviews/moderation_repository.hpp"
#include "modules/reviews/repository.hpp"

#include <unordered_map>

namespace lumina::reviews {
namespace {

Failure no_review() { return not_found("Review not found"); }

events::Change about(std::string_view type, const Review& r) {
  return {
      .type = type, .resource = "review", .resource_id = r.id.value, .subject = r.user_id, .book = r.book_id};
}

std::string_view event_of(Decision decision) {
  switch (decision) {
    case Decision::hide:
      return "review.hidden";
    case Decision::restore:
      return "review.restored";
    case Decision::mark_spoiler:
      return "review.spoiler_marked";
    case Decision::unmark_spoiler:
      return "review.spoiler_unmarked";
  }
  return "review.decided";
}

}  // namespace

Task<Status> ModerationService::report(ReviewId id, NewReport report, Caller by) {
  auto work = [this, id, report = std::move(report), by = std::move(by)](db::Transaction& tx) -> Status {
    auto review = ReviewRepository(tx).find_locked(id);
    if (!review || !(review->seen() || review->standing == Standing::pending)) return no_review();
    if (review->user_id == by.id())
      return fail(ErrorKind::refused, "own_review", "You cannot report your own review");
    ModerationRepository moderation(tx);
    if (!moderation.report(id, by.id(), report, clock_.now())) return {};
    journal_.record(tx, by, about("review.reported", *review));
    if (review->standing == Standing::shown && moderation.reports(id) >= reports_that_hide) {
      ReviewRepository(tx).stand(*review, Standing::pending);
      journal_.record(tx, by, about("review.pending", *review));
    }
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Page<ReportedReview>>> ModerationService::reported(PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [page = std::move(page)](db::Transaction& tx) {
    ModerationRepository moderation(tx);
    ReviewRepository reviews(tx);
    const auto found = moderation.reported(page);
    Page<ReportedReview> out;
    out.total = found.total;
    std::unordered_map<ReviewId, ReportedReview> by_id;
    for (auto& review : reviews.find_all(found.items)) {
      const auto id = review.id;
      by_id[id].review = std::move(review);
    }
    for (auto& [id, report] : moderation.reports_of(found.items))
      if (const auto item = by_id.find(id); item != by_id.end())
        item->second.reports.push_back(std::move(report));
    for (const auto id : found.items)
      if (const auto item = by_id.find(id); item != by_id.end()) out.items.push_back(std::move(item->second));
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Review>> ModerationService::decide(ReviewId id, NewDecision decision, Caller by) {
  auto work = [this, id, decision = std::move(decision),
               by = std::move(by)](db::Transaction& tx) -> Result<Review> {
    auto review = ReviewRepository(tx).find_locked(id);
    if (!review) return no_review();
    ModerationRepository moderation(tx);
    switch (decision.decision) {
      case Decision::hide:
        ReviewRepository(tx).stand(*review, Standing::hidden);
        break;
      case Decision::restore:
        ReviewRepository(tx).stand(*review, Standing::cleared);
        break;
      case Decision::mark_spoiler:
        moderation.set_spoiler(id, true);
        break;
      case Decision::unmark_spoiler:
        moderation.set_spoiler(id, false);
        break;
    }
    auto change = about(event_of(decision.decision), *review);
    if (decision.note) change.payload = R"({"notes":)" + db::pack_list({*decision.note}) + "}";
    journal_.record(tx, by, change);
    return *ReviewRepository(tx).find(id);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Page<Reply>>> ModerationService::replies(ReviewId id, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [id, page = std::move(page)](db::Transaction& tx) -> Result<Page<Reply>> {
    const auto review = ReviewRepository(tx).find(id);
    if (!review || !review->seen()) return no_review();
    return ModerationRepository(tx).replies(id, page);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Reply>> ModerationService::reply(ReviewId id, NewReply reply, Caller by) {
  auto work = [this, id, reply = std::move(reply), by = std::move(by)](db::Transaction& tx) -> Result<Reply> {
    const auto review = ReviewRepository(tx).find_locked(id);
    if (!review || !review->seen()) return no_review();
    ModerationRepository moderation(tx);
    const auto made = moderation.insert_reply(id, by.id(), std::string(trim(reply.reply_text)), clock_.now());
    journal_.record(tx, by, about("review.replied", *review));
    return *moderation.find_reply(made);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> ModerationService::remove_reply(ReplyId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    ModerationRepository moderation(tx);
    const auto reply = moderation.find_reply(id);
    if (!reply) return not_found("Reply not found");
    if (reply->user.id != by.id() && !by.can(Permission::reviews_moderate))
      return fail(ErrorKind::forbidden, "not_owner", "You can only remove your own replies");
    const auto review = ReviewRepository(tx).find_locked(reply->review_id);
    if (!review || !moderation.erase_reply(*reply)) return not_found("Reply not found");
    journal_.record(tx, by, about("review.reply_removed", *review));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

}  // namespace lumina::reviews
