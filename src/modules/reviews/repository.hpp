// SQL of reviews, and of the counters they add to book_stats and rating_counts. Also reads users, for names,
// and borrows, for who may review.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/reviews/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::reviews {

// What a book's reviews add up to, from the counters.
struct Totals {
  int reviews = 0;
  std::int64_t sentiment_cents = 0;
  int positive = 0, neutral = 0, negative = 0;
  std::optional<double> average_rating;
  std::vector<RatingCount> histogram;
};

// As a parameter.
std::vector<std::string> texts_of(const std::vector<ReviewId>& ids);

class ReviewRepository {
 public:
  explicit ReviewRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Review> find(ReviewId id);
  // The same, and nobody else changes it before this unit of work ends.
  std::optional<Review> find_locked(ReviewId id);
  // Those of these that exist, in the order of their numbers.
  std::vector<Review> find_all(const std::vector<ReviewId>& ids);
  Page<Review> list(BookId book, const ReviewOrder& order, const PageRequest& page);
  // Of all editions of a work; a person who reviewed several has several.
  Page<Review> list_of_work(std::int64_t work, const ReviewOrder& order, const PageRequest& page);
  // The newest and most helpful that give nothing away, for themes and summary.
  std::vector<Review> sample(BookId book, int most);
  std::optional<ReviewId> find_own(UserId user, BookId book);

  // Nothing when this person has reviewed the book already.
  std::optional<ReviewId> insert(UserId user, const NewReview& review, const Sentiment& sentiment,
                                 Timestamp now);
  // False when it no longer stands at this version.
  bool update(const Review& review, Timestamp now);
  bool erase(ReviewId id);
  // Adds a review to its book's counters (sign 1) or takes it out (sign -1); one that is not seen is not
  // counted.
  void count(const Review& review, int sign);
  // A review whose standing changes leaves the counters of its book, or comes back to them.
  void stand(Review& review, Standing standing);

  // False when the vote was there (add) or was not (remove) already.
  bool add_vote(ReviewId id, UserId user, Timestamp now);
  bool remove_vote(ReviewId id, UserId user);

  Totals totals(BookId book);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::reviews
