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
#include "modules/reviews/unusual_service.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace lumina::reviews {

// Whether a person ever borrowed a book, asked inside a unit of work: lending knows, also after it forgot who
// had it.
using HasBorrowed = std::function<bool(db::Transaction&, UserId, BookId)>;

// What models make of reviews: from a module that stands behind this one. Each may be empty.
struct ModelFront {
  // In the unit of work that wrote a review or changed what it says.
  std::function<void(db::Transaction&, const Review&)> written;
  // Asks for the score of a review, as it stands at a version, and waits for it at most so long. False: the
  // score that it has stays.
  std::function<Task<bool>(ReviewId, std::int64_t, std::chrono::milliseconds, UserId)> score_now;
  // What the reviews of a book agree on, when that was written from what they say now.
  std::function<Task<std::optional<std::string>>(BookId)> consensus;
};

class ReviewService {
 public:
  ReviewService(db::Database& database, const Clock& clock, events::Journal& journal,
                const SentimentAnalyzer& analyzer, runtime::Pool& cpu, UnusualService& unusual,
                HasBorrowed has_borrowed)
      : database_(database),
        clock_(clock),
        journal_(journal),
        analyzer_(analyzer),
        cpu_(cpu),
        unusual_(unusual),
        has_borrowed_(std::move(has_borrowed)) {}

  // Before the first request.
  void use_model(ModelFront front) { model_ = std::move(front); }

  // Scored at once by the built-in analysis. With a wait, a model's score is waited for at most so long.
  Task<Result<Review>> create(NewReview review, Caller by,
                              std::optional<std::chrono::milliseconds> wait = std::nullopt);
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

  // A model's score for a review that still stands at this version, in the unit of work of whoever keeps its
  // history. The review with it; nothing when the review has changed or is gone.
  std::optional<Review> take_model_score(db::Transaction& tx, ReviewId id, std::int64_t version, double score,
                                         std::string model, const Caller& by);

  Task<Result<Analysis>> analyze(BookId book);
  Task<Result<SentimentAnswer>> sentiment(SentimentRequest request);

 private:
  Task<Result<Sentiment>> score(std::string text, std::optional<double> rating);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const SentimentAnalyzer& analyzer_;
  runtime::Pool& cpu_;
  UnusualService& unusual_;
  const HasBorrowed has_borrowed_;
  ModelFront model_;
  AspectMemory remarks_;
};

}  // namespace lumina::reviews
