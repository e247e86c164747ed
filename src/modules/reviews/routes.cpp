#include "modules/reviews/routes.hpp"

#include "core/http/cached.hpp"
#include "core/http/handler.hpp"
#include "core/http/prefer.hpp"
#include "core/http/resource.hpp"

namespace lumina::reviews {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto analysis_age = std::chrono::hours(1);

// What staff decides about reviews that are held back together.
void add_unusual(std::vector<Route>& routes, UnusualService& unusual) {
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Reviews")); };
  const auto staff = Access::needs(Permission::reviews_moderate);
  add(get("/api/v1/reviews/unusual", "List reviews that are held back as unusual", staff, {},
          [&](Paging page) { return unusual.list(*page); })
          .explained("Many of the best or the worst ratings at once by new accounts, with what was to be "
                     "expected. They are neither seen nor counted until staff decides."));
  add(post("/api/v1/reviews/unusual/{id}/moderation", "Decide about unusual reviews together", staff,
           {ErrorKind::not_found},
           [&](Path<BurstId> id, Body<NewVerdict> verdict, Caller by) {
             return unusual.decide(*id, *verdict, by);
           })
          .with_status(200)
          .explained("About those that still wait; each can also be decided by itself."));
}

// Reports, decisions and replies.
void add_moderation(std::vector<Route>& routes, ModerationService& moderation) {
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Reviews")); };
  const auto reader = Access::signed_in(), staff = Access::needs(Permission::reviews_moderate);
  add(post("/api/v1/reviews/{id}/report", "Report a review", reader, {ErrorKind::not_found, refused},
           [&](Path<ReviewId> id, Body<NewReport> report, Caller by) {
             return moderation.report(*id, *report, by);
           })
          .explained("Three reports of different people hide a review until staff decides."));
  add(get("/api/v1/reviews/reported", "List the reviews that were reported", staff, {},
          [&](Paging page) { return moderation.reported(*page); }));
  add(post("/api/v1/reviews/{id}/moderation", "Decide about a review", staff, {ErrorKind::not_found},
           [&](Path<ReviewId> id, Body<NewDecision> decision, Caller by) {
             return versioned(moderation.decide(*id, *decision, by));
           }));
  add(get("/api/v1/reviews/{id}/replies", "List the replies to a review", Access::anyone(),
          {ErrorKind::not_found},
          [&](Path<ReviewId> id, Paging page) { return moderation.replies(*id, *page); }));
  add(post("/api/v1/reviews/{id}/replies", "Reply to a review", reader, {ErrorKind::not_found},
           [&](Path<ReviewId> id, Body<NewReply> reply, Caller by) {
             return created(moderation.reply(*id, *reply, by), "/api/v1/replies/");
           }));
  add(del("/api/v1/replies/{id}", "Remove one's reply", reader, {ErrorKind::not_found},
          [&](Path<ReplyId> id, Caller by) { return moderation.remove_reply(*id, by); }));
}

}  // namespace

std::vector<Route> review_routes(ReviewService& reviews, ModerationService& moderation,
                                 UnusualService& unusual, cache::BodyCache& cache, const Clock& clock) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Reviews")); };
  const auto reader = Access::signed_in();

  add(post("/api/v1/reviews", "Review a book you have borrowed", reader, {ErrorKind::not_found, refused},
           [&](Body<NewReview> review, RawRequest request, Caller by) {
             return created(reviews.create(*review, by, preferred_wait(request)), "/api/v1/reviews/");
           })
          .explained(
              "The score comes at once from the built-in analysis; where a language model is set up, its "
              "score follows. With `Prefer: wait=30` the answer waits for it, at most so many seconds."));
  add(cached(
      get("/api/v1/reviews/book/{book_id}", "List a book's reviews", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BookId> book, Query<ReviewOrder> order, Paging page) {
            return reviews.list(*book, *order, *page);
          }),
      cache, by_path_id("book")));
  add(get("/api/v1/works/{id}/reviews", "List the reviews of all editions of a work", Access::anyone(),
          {ErrorKind::not_found}, [&](Path<books::WorkId> work, Query<ReviewOrder> order, Paging page) {
            return reviews.list_of_work(*work, *order, *page);
          }));
  add(get("/api/v1/reviews/{id}", "Read a review", Access::anyone(), {ErrorKind::not_found},
          [&](Path<ReviewId> id, Query<SpoilerChoice> choice, Caller by) {
            return versioned(reviews.find(*id, choice->spoilers.value_or(false), by));
          }));
  const std::vector<ErrorKind> change_errors{ErrorKind::not_found, ErrorKind::stale, conflict};
  add(put("/api/v1/reviews/{id}", "Change one's review", reader, change_errors,
          [&](Path<ReviewId> id, Body<ReviewChanges> changes, IfMatch seen, Caller by) {
            return versioned(reviews.change(*id, *changes, *seen, by));
          }));
  add(patch("/api/v1/reviews/{id}", "Change part of one's review", reader, change_errors,
            [&](Path<ReviewId> id, Body<ReviewChanges> changes, IfMatch seen, Caller by) {
              return versioned(reviews.change(*id, *changes, *seen, by));
            }));
  add(del("/api/v1/reviews/{id}", "Delete one's review", reader,
          {ErrorKind::not_found, ErrorKind::stale, refused},
          [&](Path<ReviewId> id, IfMatch seen, Caller by) { return reviews.remove(*id, *seen, by); }));
  add(post("/api/v1/reviews/{id}/helpful", "Say that a review helped", reader,
           {ErrorKind::not_found, refused},
           [&](Path<ReviewId> id, Caller by) { return reviews.vote(*id, true, by); })
          .with_status(200));
  add(del("/api/v1/reviews/{id}/helpful", "Take that back", reader, {ErrorKind::not_found, refused},
          [&](Path<ReviewId> id, Caller by) { return reviews.vote(*id, false, by); })
          .with_status(200));
  add(cached(get("/api/v1/books/{id}/analysis", "What a book's reviews add up to", Access::anyone(),
                 {ErrorKind::not_found}, [&](Path<BookId> book) { return reviews.analyze(*book); })
                 .by_itself()
                 .explained("Kept for an hour, or until a review of the book changes. The evidence of an "
                            "aspect stands word for word in the review that it names."),
             cache, by_path_id("book"), Age{analysis_age, clock}));
  add(post("/api/v1/sentiment", "How does this text feel", reader, {},
           [&](Body<SentimentRequest> request) { return reviews.sentiment(*request); })
          .with_status(200)
          .by_itself());

  add_moderation(routes, moderation);
  add_unusual(routes, unusual);
  for (auto& alias :
       also_at(routes, Method::get, "/api/v1/reviews/book/{book_id}", {"/api/v1/books/{book_id}/reviews"}))
    routes.push_back(std::move(alias));
  return routes;
}

}  // namespace lumina::reviews
