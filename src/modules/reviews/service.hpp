// The rules of reviews: borrowers only, one a person and book, scored at once, counted as they change.
//
// Public functions are awaited on an io thread. Sentiment, themes and summaries run on the cpu pool.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/runtime/pool.hpp"
#include "modules/books/model.hpp"
#include "modules/reviews/model.hpp"

#include <functional>
#include <utility>

namespace lumina::reviews {

// Whether a person ever borrowed a book, asked inside a unit of work: lending knows, also after it forgot who
// had it.
using HasBorrowed = std::function<bool(db::Transaction&, UserId, BookId)>;

class ReviewService {
 public:
  ReviewService(db::Database& database, const Clock& clock, events::Journal& journal,
                const SentimentAnalyzer& analyzer, runtime::Pool& cpu, HasBorrowed has_borrowed)
      : database_(database),
        clock_(clock),
        journal_(journal),
        analyzer_(analyzer),
        cpu_(cpu),
        has_borrowed_(std::move(has_borrowed)) {}

  Task<Result<Review>> create(NewReview review, Caller by);
  // With the text of a spoiler only when asked for. What is not seen is there for its author and for staff.
  Task<Result<Review>> find(ReviewId id, bool spoilers, Caller by);
  Task<Result<Page<Review>>> list(BookId book, ReviewOrder order, PageRequest page);
  // Of all editions of a work.
  Task<Result<Page<Review>>> list_of_work(books::WorkId work, ReviewOrder order, PageRequest page);
  Task<Result<Review>> change(ReviewId id, ReviewChanges changes, Precondition seen, Caller by);
  // Refused under_moderation to its author while it waits for a decision or is hidden.
  Task<Status> remove(ReviewId id, Precondition seen, Caller by);
  // One vote a person; voting again, or taking back what is not there, changes nothing.
  Task<Result<Review>> vote(ReviewId id, bool helpful, Caller by);

  Task<Result<Analysis>> analyze(BookId book);
  Task<Result<SentimentAnswer>> sentiment(SentimentRequest request);

 private:
  Task<Result<Sentiment>> score(std::string text, std::optional<double> rating);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const SentimentAnalyzer& analyzer_;
  runtime::Pool& cpu_;
  const HasBorrowed has_borrowed_;
};

}  // namespace lumina::reviews
