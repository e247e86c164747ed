#include "modules/reviews/service.hpp"

#include "core/runtime/run_on.hpp"
#include "modules/books/service.hpp"
#include "modules/reviews/moderation_repository.hpp"
#include "modules/reviews/repository.hpp"
#include "modules/reviews/themes.hpp"

#include <fmt/format.h>

#include <cmath>

namespace lumina::reviews {
namespace {

// Bytes. Reviews are never longer, so that they are scored where they are: a hop to another thread would keep
// the one writer of SQLite waiting when a review is part of a batch.
constexpr std::size_t long_text = 20'000;
constexpr int most_reviews_read = 1000;
constexpr int most_themes = 10;
constexpr int summary_sentences = 3;

Failure no_review() { return not_found("Review not found"); }
Failure no_book() { return not_found("Book not found"); }
Failure stale() {
  return fail(ErrorKind::stale, "stale", "The review has been changed since you read it; read it again");
}
Failure not_yours() {
  return fail(ErrorKind::forbidden, "not_owner", "You can only change your own reviews");
}

bool may_change(const Review& review, const Caller& by) {
  return review.user_id == by.id() || by.can(Permission::reviews_moderate);
}

void cover(Review& review) {
  if (review.spoiler) review.review_text = spoiler_notice;
}

std::vector<AspectLine> lines_of(const std::vector<AspectFinding>& found) {
  std::vector<AspectLine> out;
  for (const auto& f : found) {
    AspectLine line{f.aspect, f.reviews, f.sentiment, {}};
    for (const auto& q : f.quotes) line.evidence.push_back({q.review, std::string(q.text), q.sentiment});
    out.push_back(std::move(line));
  }
  return out;
}

events::Change about(std::string_view type, const Review& r) {
  return {
      .type = type, .resource = "review", .resource_id = r.id.value, .subject = r.user_id, .book = r.book_id};
}

}  // namespace

Task<Result<Sentiment>> ReviewService::score(std::string text, std::optional<double> rating) {
  if (text.size() <= long_text) co_return analyzer_.analyze(text, rating);
  auto work = [&] { return analyzer_.analyze(text, rating); };
  co_return co_await runtime::run_on(cpu_, std::move(work));
}

Task<Result<Review>> ReviewService::create(NewReview review, Caller by,
                                           std::optional<std::chrono::milliseconds> wait) {
  auto sentiment = co_await score(review.review_text, review.rating);
  if (!sentiment) co_return Failure(std::move(sentiment.error()));
  const bool waits = wait && model_.score_now;
  auto work = [this, review = std::move(review), sentiment = *sentiment, waits,
               by](db::Transaction& tx) -> Result<Review> {
    ReviewRepository reviews(tx);
    if (!books::book_title(tx, review.book_id)) return no_book();
    if (!has_borrowed_(tx, by.id(), review.book_id))
      return fail(ErrorKind::forbidden, "not_borrowed", "You can only review books you have borrowed");
    const auto id = reviews.insert(by.id(), review, sentiment, clock_.now());
    if (!id) {
      const auto own = reviews.find_own(by.id(), review.book_id);
      return fail(ErrorKind::refused, "review_exists",
                  fmt::format("You have reviewed this book already; change your review {} instead",
                              own.value_or(ReviewId{}).value));
    }
    auto made = *reviews.find(*id);
    reviews.count(made, 1);
    journal_.record(tx, by, about("review.created", made));
    if (unusual_.look_at(tx, made)) made = *reviews.find(*id);
    if (model_.written && !waits) model_.written(tx, made);
    return made;
  };
  auto made = co_await database_.write(std::move(work));
  if (!made || !waits) co_return made;
  if (!co_await model_.score_now(made->id, made->version, *wait, by.id())) co_return made;
  // What happened to it meanwhile is not this request's failure: it did write the review.
  auto now = co_await find(made->id, true, by);
  co_return now ? now : made;
}

Task<Result<Review>> ReviewService::find(ReviewId id, bool spoilers, Caller by) {
  auto work = [id, spoilers, by = std::move(by)](db::Transaction& tx) -> Result<Review> {
    auto review = ReviewRepository(tx).find(id);
    if (!review || !(review->seen() || (by.signed_in() && may_change(*review, by)))) return no_review();
    if (!spoilers) cover(*review);
    return std::move(*review);
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Review>>> ReviewService::list(BookId book, ReviewOrder order, PageRequest page) {
  auto work = [book, order = std::move(order),
               page = std::move(page)](db::Transaction& tx) -> Result<Page<Review>> {
    if (!books::book_title(tx, book)) return no_book();
    auto found = ReviewRepository(tx).list(book, order, page);
    if (!order.spoilers.value_or(false))
      for (auto& review : found.items) cover(review);
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Review>>> ReviewService::list_of_work(books::WorkId id, ReviewOrder order,
                                                       PageRequest page) {
  auto work = [id, order = std::move(order),
               page = std::move(page)](db::Transaction& tx) -> Result<Page<Review>> {
    if (!tx.one<books::WorkId>("SELECT id FROM works WHERE id = $1", id)) return not_found("Work not found");
    auto found = ReviewRepository(tx).list_of_work(id.value, order, page);
    if (!order.spoilers.value_or(false))
      for (auto& review : found.items) cover(review);
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<Review>> ReviewService::change(ReviewId id, ReviewChanges changes, Precondition seen, Caller by) {
  auto before = co_await find(id, true, by);
  if (!before) co_return before;
  if (!may_change(*before, by)) co_return not_yours();
  Sentiment sentiment;
  {
    auto scored = co_await score(changes.review_text.value_or(before->review_text),
                                 changes.rating.value_or(before->rating));
    if (!scored) co_return Failure(std::move(scored.error()));
    sentiment = *scored;
  }
  auto work = [this, id, changes = std::move(changes), seen = std::move(seen), sentiment, by = std::move(by),
               version = before->version](db::Transaction& tx) -> Result<Review> {
    ReviewRepository reviews(tx);
    auto now = reviews.find_locked(id);
    if (!now) return no_review();
    if (!seen.allows(now->version)) return stale();
    if (now->version != version)
      return fail(ErrorKind::conflict, "conflict", "The review was changed by somebody else just now");
    reviews.count(*now, -1);
    const bool says_other = (changes.review_text && *changes.review_text != now->review_text) ||
                            (changes.rating && *changes.rating != now->rating);
    if (changes.review_text && *changes.review_text != now->review_text) {
      now->review_text = *changes.review_text;
      // What staff cleared was another text: it may be reported again.
      if (now->standing == Standing::cleared) {
        now->standing = Standing::shown;
        ModerationRepository(tx).forget_reports(id);
      }
    }
    if (changes.spoiler) now->spoiler = *changes.spoiler;
    if (changes.rating) now->rating = *changes.rating;
    if (says_other) {
      now->sentiment_score = sentiment.score;
      now->sentiment_source = sentiment.source;
      now->sentiment_model.reset();
    }
    if (!reviews.update(*now, clock_.now()))
      return fail(ErrorKind::conflict, "conflict", "The review was changed by somebody else just now");
    reviews.count(*now, 1);
    journal_.record(tx, by, about("review.updated", *now));
    if (says_other) unusual_.look_at(tx, *now);
    auto changed = *reviews.find(id);
    if (model_.written && says_other) model_.written(tx, changed);
    return changed;
  };
  co_return co_await database_.write(std::move(work));
}

std::optional<Review> ReviewService::take_model_score(db::Transaction& tx, ReviewId id, std::int64_t version,
                                                      double score, std::string model, const Caller& by) {
  ReviewRepository reviews(tx);
  const auto before = reviews.find_locked(id);
  if (!before || before->version != version) return {};
  auto now = *before;
  now.sentiment_score = rounded_score(score);
  now.sentiment_source = SentimentSource::llm;
  now.sentiment_model = std::move(model);
  // Its author changed nothing, so the time of the last change stays.
  if (!reviews.update(now, now.updated_at)) return {};
  reviews.count(*before, -1);
  reviews.count(now, 1);
  journal_.record(tx, by, about("review.scored", now));
  return reviews.find(id);
}

Task<Status> ReviewService::remove(ReviewId id, Precondition seen, Caller by) {
  auto work = [this, id, seen = std::move(seen), by = std::move(by)](db::Transaction& tx) -> Status {
    ReviewRepository reviews(tx);
    const auto now = reviews.find_locked(id);
    if (!now) return no_review();
    if (!may_change(*now, by)) return not_yours();
    if (!now->seen() && !by.can(Permission::reviews_moderate))
      return fail(ErrorKind::refused, "under_moderation",
                  "The review was reported or hidden; it can be changed, but not deleted and written again");
    if (!seen.allows(now->version)) return stale();
    if (!reviews.erase(id)) return no_review();
    reviews.count(*now, -1);
    journal_.record(tx, by, about("review.deleted", *now));
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<Review>> ReviewService::vote(ReviewId id, bool helpful, Caller by) {
  auto work = [this, id, helpful, by = std::move(by)](db::Transaction& tx) -> Result<Review> {
    ReviewRepository reviews(tx);
    const auto review = reviews.find(id);
    if (!review || !review->seen()) return no_review();
    if (review->user_id == by.id())
      return fail(ErrorKind::refused, "own_review", "You cannot vote for your own review");
    const bool changed =
        helpful ? reviews.add_vote(id, by.id(), clock_.now()) : reviews.remove_vote(id, by.id());
    if (changed) journal_.record(tx, by, about(helpful ? "review.voted" : "review.vote_withdrawn", *review));
    auto now = *reviews.find(id);
    cover(now);
    return now;
  };
  return database_.write(std::move(work));
}

Task<Result<Analysis>> ReviewService::analyze(BookId book) {
  struct Material {
    std::string title;
    Totals totals;
    std::vector<Review> reviews;
  };
  auto read = [book](db::Transaction& tx) -> Result<Material> {
    const auto title = books::book_title(tx, book);
    if (!title) return no_book();
    ReviewRepository reviews(tx);
    return Material{*title, reviews.totals(book), reviews.sample(book, most_reviews_read)};
  };
  auto material = co_await database_.read(std::move(read));
  if (!material) co_return Failure(std::move(material.error()));

  Analysis a;
  a.book_id = book;
  a.book_title = material->title;
  const Totals& t = material->totals;
  a.total_reviews = t.reviews;
  a.average_rating = t.average_rating.value_or(0);
  a.rating_histogram = t.histogram;
  a.sentiment_distribution = {t.positive, t.neutral, t.negative};
  if (t.reviews > 0)
    a.average_sentiment = rounded_score(static_cast<double>(t.sentiment_cents) / 100.0 / t.reviews);
  const auto& style = sentiment_band_style(sentiment_band(a.average_sentiment));
  a.category = style.category;
  a.label = style.label;
  a.color = style.color;
  a.generated_at = clock_.now();
  if (material->reviews.empty()) {
    a.aspects = lines_of(reviews::aspects({}));
    a.summary = t.reviews == 0 ? "No reviews available for this book yet."
                               : "Every review of this book gives something away; none is summed up here.";
    a.summary_source = "none";
    co_return a;
  }
  std::optional<std::string> consensus;
  if (model_.consensus) consensus = co_await model_.consensus(book);
  auto think = [&] {
    std::vector<ReviewText> texts;
    for (const Review& r : material->reviews) texts.push_back({r.review_text, r.sentiment_score});
    for (auto& theme : themes(texts, most_themes))
      a.themes.push_back({std::move(theme.term), static_cast<int>(theme.count), theme.sentiment});
    std::vector<SpokenReview> spoken;
    for (const Review& r : material->reviews)
      spoken.push_back({r.id, r.review_text, remarks_.of(r.id, r.version, r.review_text)});
    a.aspects = lines_of(reviews::aspects(spoken));
    if (!consensus) a.summary = summarize(texts, summary_sentences);
  };
  if (auto done = co_await runtime::run_on(cpu_, std::move(think)); !done)
    co_return Failure(std::move(done.error()));
  a.summary_source = consensus ? "llm" : "extractive";
  if (consensus) a.summary = std::move(*consensus);
  if (a.summary.empty()) {
    a.summary = "Unable to generate consensus summary at this time.";
    a.summary_source = "none";
  }
  co_return a;
}

Task<Result<SentimentAnswer>> ReviewService::sentiment(SentimentRequest request) {
  const auto found = co_await score(std::move(request.text), request.rating);
  if (!found) co_return Failure(found.error());
  const auto& style = sentiment_band_style(sentiment_band(found->score));
  co_return SentimentAnswer{found->score, std::string(style.category), std::string(style.label),
                            std::string(style.color), found->source};
}

}  // namespace lumina::reviews
