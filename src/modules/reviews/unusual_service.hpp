// Ratings that are held back when too many new accounts give the best or the worst at once, until staff
// decides.
//
// Those reviews are pending from then on: neither seen nor counted, like reviews that three people reported.
// Each stays so until staff restores or hides it, alone (ModerationService) or with the others of its burst.
// What staff restored is held back no more until its text changes, and counts as the book's past.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/reviews/unusual.hpp"

namespace lumina::reviews {

class UnusualService {
 public:
  UnusualService(db::Database& database, const Clock& clock, events::Journal& journal, UnusualRules rules)
      : database_(database), clock_(clock), journal_(journal), rules_(rules) {}

  // In the unit of work that wrote a review or changed its rating, after it was counted: whoever counts locks
  // the book, so that each of many that come at once sees those before it. True when this review is held
  // back.
  bool look_at(db::Transaction& tx, const Review& review);

  // Awaited on an io thread. The newest first.
  Task<Result<Page<UnusualReviews>>> list(PageRequest page);
  // About all that still wait; errors: not_found.
  Task<Result<Decided>> decide(BurstId id, NewVerdict verdict, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const UnusualRules rules_;
};

}  // namespace lumina::reviews
