#include "modules/reviews/merged_books.hpp"

#include "modules/reviews/repository.hpp"

namespace lumina::reviews {
namespace {

// False when its author has a review there already.
bool move_one(db::Transaction& tx, ReviewId id, BookId from, BookId into) {
  ReviewRepository reviews(tx);
  auto review = reviews.find_locked(id);
  if (!review || review->book_id != from) return false;
  if (tx.execute(
          "UPDATE reviews SET book_id = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM reviews o WHERE "
          "o.user_id = reviews.user_id AND o.book_id = $2)",
          id, into) == 0)
    return false;
  reviews.count(*review, -1);
  review->book_id = into;
  reviews.count(*review, 1);
  return true;
}

}  // namespace

std::string move_reviews(db::Transaction& tx, BookId from, BookId into) {
  std::vector<ReviewId> all;
  tx.each<ReviewId>([&](ReviewId id) { all.push_back(id); },
                    "SELECT id FROM reviews WHERE book_id = $1 ORDER BY id", from);
  std::vector<ReviewId> moved;
  for (const auto id : all)
    if (move_one(tx, id, from, into)) moved.push_back(id);
  return db::pack_list(texts_of(moved));
}

void move_reviews_back(db::Transaction& tx, BookId from, BookId into, const std::string& note) {
  for (const auto& id : db::unpack_list(note)) move_one(tx, ReviewId{std::stoll(id)}, into, from);
}

}  // namespace lumina::reviews
