// What people and staff do about reviews: reports, decisions, replies.
//
// Three reports of different people hide a review until staff decides; what staff restored is not hidden by
// reports again until its text changes. Counters and analysis of the book follow what is seen. Awaited on an
// io thread; each is one unit of work.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/reviews/moderation.hpp"

#include <vector>

namespace lumina::reviews {

class ModerationService {
 public:
  ModerationService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  // Reporting again changes nothing. Refused: own_review.
  Task<Status> report(ReviewId id, NewReport report, Caller by);
  Task<Result<Page<ReportedReview>>> reported(PageRequest page);
  Task<Result<Review>> decide(ReviewId id, NewDecision decision, Caller by);

  Task<Result<Page<Reply>>> replies(ReviewId id, PageRequest page);
  Task<Result<Reply>> reply(ReviewId id, NewReply reply, Caller by);
  // One's own; staff may remove anybody's.
  Task<Status> remove_reply(ReplyId id, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

}  // namespace lumina::reviews
