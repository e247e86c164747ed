#include "modules/reviews/unusual_service.hpp"

#include "modules/reviews/repository.hpp"
#include "modules/reviews/unusual_repository.hpp"

#include <algorithm>

namespace lumina::reviews {
namespace {

constexpr int shown_reviews = 100;
constexpr int decided_at_once = 100'000;  // more than a book has

events::Change about(std::string_view type, const Review& r) {
  return {
      .type = type, .resource = "review", .resource_id = r.id.value, .subject = r.user_id, .book = r.book_id};
}

}  // namespace

bool UnusualService::look_at(db::Transaction& tx, const Review& review) {
  const auto pole = pole_of(review.rating);
  if (rules_.least <= 0 || !pole || !review.seen()) return false;
  const auto now = clock_.now();
  const auto since = now - rules_.window, new_since = now - rules_.new_account;
  UnusualRepository unusual(tx);
  auto ratings = unusual.recent(review.book_id, *pole, since, new_since);
  if (ratings.fresh < rules_.least) return false;
  unusual.add_past(ratings, review.book_id, *pole, since, rules_.window);
  unusual.add_accounts(ratings, new_since, new_since - rules_.new_account);
  const auto found = judge(ratings, rules_);
  if (!found.unusual) return false;
  const auto held = unusual.to_hold_back(review.book_id, *pole, since, new_since);
  if (held.empty()) return false;
  ReviewRepository reviews(tx);
  std::vector<Review> rows;
  for (const auto id : held)
    if (auto row = reviews.find_locked(id); row && row->standing == Standing::shown)
      rows.push_back(std::move(*row));
  if (rows.empty()) return false;
  auto burst = unusual.open(review.book_id, *pole, since);
  if (burst) {
    unusual.go_on(*burst, ratings, found, now);
  } else {
    const auto began = std::ranges::min(rows, {}, &Review::updated_at).updated_at;
    burst = unusual.begin(review.book_id, *pole, ratings, found, began, now);
  }
  bool own = false;
  for (auto& row : rows) {
    reviews.stand(row, Standing::pending);
    unusual.put_into(*burst, row.id);
    journal_.record(tx, Caller::system("unusual reviews"), about("review.unusual", row));
    own = own || row.id == review.id;
  }
  return own;
}

Task<Result<Page<UnusualReviews>>> UnusualService::list(PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [page = std::move(page)](db::Transaction& tx) {
    UnusualRepository unusual(tx);
    ReviewRepository reviews(tx);
    auto found = unusual.waiting(page);
    for (auto& burst : found.items)
      burst.reviews = reviews.find_all(unusual.waiting_of(burst.id, shown_reviews));
    return found;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Decided>> UnusualService::decide(BurstId id, NewVerdict verdict, Caller by) {
  auto work = [this, id, verdict = std::move(verdict),
               by = std::move(by)](db::Transaction& tx) -> Result<Decided> {
    UnusualRepository unusual(tx);
    if (!unusual.exists(id)) return not_found("There are no such unusual reviews");
    ReviewRepository reviews(tx);
    const bool hides = verdict.decision == Verdict::hide;
    Decided out;
    for (const auto review : unusual.waiting_of(id, decided_at_once)) {
      auto row = reviews.find_locked(review);
      if (!row || row->standing != Standing::pending) continue;
      reviews.stand(*row, hides ? Standing::hidden : Standing::cleared);
      auto change = about(hides ? "review.hidden" : "review.restored", *row);
      if (verdict.note) change.payload = R"({"notes":)" + db::pack_list({*verdict.note}) + "}";
      journal_.record(tx, by, change);
      ++out.reviews;
    }
    return out;
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::reviews
