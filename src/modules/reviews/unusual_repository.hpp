// SQL of bursts of reviews. Also reads users, for the age of accounts, and books, for titles and their age.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/reviews/unusual.hpp"

#include <optional>
#include <vector>

namespace lumina::reviews {

class UnusualRepository {
 public:
  explicit UnusualRepository(db::Transaction& tx) : tx_(tx) {}

  // What staff cleared is part of the past, whenever it was written. Fills recent and fresh only.
  Ratings recent(BookId book, Pole pole, Timestamp since, Timestamp new_since);
  // The rest. A book's past begins with the book.
  void add_past(Ratings& ratings, BookId book, Pole pole, Timestamp until, std::chrono::milliseconds window);
  void add_accounts(Ratings& ratings, Timestamp then, Timestamp new_then);
  // Of these `fresh`, the ones that are seen and not cleared.
  std::vector<ReviewId> to_hold_back(BookId book, Pole pole, Timestamp since, Timestamp new_since);

  // The burst that goes on: of the same book and pole, flagged within the window, with reviews that wait.
  std::optional<BurstId> open(BookId book, Pole pole, Timestamp since);
  BurstId begin(BookId book, Pole pole, const Ratings& ratings, const Judgement& found, Timestamp began_at,
                Timestamp now);
  void go_on(BurstId id, const Ratings& ratings, const Judgement& found, Timestamp now);
  void put_into(BurstId id, ReviewId review);

  Page<UnusualReviews> waiting(const PageRequest& page);  // without the reviews
  bool exists(BurstId id);
  std::vector<ReviewId> waiting_of(BurstId id, int most);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::reviews
