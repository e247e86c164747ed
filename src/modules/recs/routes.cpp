#include "modules/recs/routes.hpp"

#include "core/http/handler.hpp"
#include "core/jobs/routes.hpp"

#include <algorithm>
#include <charconv>

namespace lumina::recs {
namespace {

using namespace http;
using enum ErrorKind;

constexpr int few_books = 5;
constexpr std::chrono::seconds longest_wait{60};

// "wait=60" of the field Prefer (RFC 7240); nothing when it is not asked for.
std::optional<std::chrono::seconds> wait_of(std::string_view prefer) {
  const auto at = prefer.find("wait=");
  if (at == std::string_view::npos) return {};
  int seconds = 0;
  const auto digits = prefer.substr(at + 5);
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (fault != std::errc{} || end == digits.data() || seconds < 0) return {};
  return std::min(longest_wait, std::chrono::seconds(seconds));
}

Task<Result<Response>> train(TrainingService& training, TrainRequest request,
                             std::optional<std::chrono::seconds> patience, Caller by) {
  auto taken = co_await training.start(request, by);
  if (!taken) co_return Failure(std::move(taken.error()));
  Response response;
  if (patience) {
    auto report = co_await training.wait(taken->task_id, *patience, by);
    if (!report) co_return Failure(std::move(report.error()));
    if (*report) {
      response.body = std::move(**report);
      response.set("Preference-Applied", "wait=" + std::to_string(patience->count()));
      co_return response;
    }
  }
  response.status = 202;
  response.body = json::encode(*taken);
  response.set("Location", "/api/v1/tasks/" + taken->task_id);
  co_return response;
}

}  // namespace

std::vector<Route> recommendation_routes(RecommendationService& lists, TrainingService& training) {
  std::vector<Route> routes;
  const auto anyone = http::Access::anyone(), person = http::Access::signed_in();
  const auto librarian = http::Access::needs(Permission::loans_manage);
  const auto administrator = http::Access::needs(Permission::system_inspect);
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Recommendations")); };
  const auto alone = [&](Route route) { add(std::move(route).by_itself()); };

  alone(get("/api/v1/recommendations/", "Books for you", person,
            {ErrorKind::not_found, forbidden, unavailable},
            [&](Query<ListQuery> query, Caller by) { return lists.list(*query, by); })
            .explained(
                "Never a book that you borrowed, reviewed or dismissed. What you borrow, review, ask for "
                "or put on a list counts at once; each book says why it is here."));
  alone(get("/api/v1/recommendations/similar/{book_id}", "Books like one", anyone,
            {ErrorKind::not_found, unavailable},
            [&](Path<BookId> book, Query<SimilarQuery> query) { return lists.similar(*book, *query); }));
  alone(post("/api/v1/recommendations/session", "Books for a visitor, by what was looked at", anyone,
             {unavailable}, [&](Body<SessionQuery> query) { return lists.session(*query); })
            .repeats(Repeat::served));
  alone(post("/api/v1/recommendations/batch", "Lists for up to 100 people", librarian,
             {ErrorKind::not_found, unavailable}, [&](Body<BatchQuery> query) { return lists.batch(*query); })
            .repeats(Repeat::served));
  alone(get("/api/v1/books/popular", "What many read", anyone, {unavailable},
            [&](Query<PopularQuery> query) { return lists.popular(*query); }));
  add(post("/api/v1/recommendations/feedback", "Say what you think of a recommended book", person,
           {ErrorKind::not_found},
           [&](Body<Feedback> feedback, Caller by) { return lists.feedback(*feedback, by); })
          .explained("dismiss and dislike keep the book out of your lists; like takes that back. shown and "
                     "not opened makes a book come less often."));
  add(get("/api/v1/users/me/recommendations", "How you want recommendations", person, {},
          [&](Caller by) { return lists.settings(by); }));
  add(put("/api/v1/users/me/recommendations", "Say whether lists are made for you", person, {},
          [&](Body<NewPersonalSettings> wanted, Caller by) { return lists.set_settings(*wanted, by); })
          .explained("Without, lists are of popular books, and what you do trains no model."));
  add(del("/api/v1/users/me/recommendations", "Forget what you did so far", person, {},
          [&](Caller by) { return lists.forget(by); })
          .explained("What you borrowed, rated or clicked until now does not shape lists or models any more. "
                     "Books that you had or refused still do not come again."));

  alone(post("/api/v1/recommendations/train", "Train the model", administrator, {refused},
             [&](OptionalBody<TrainRequest> request, RawRequest raw, Caller by) {
               return train(training, *request, wait_of(raw.header("prefer")), by);
             })
            .with_status(202)
            .documented_as<jobs::TaskAccepted>()
            .explained("Joins a training that is on its way. With Prefer: wait=60 the answer is 200 with the "
                       "report when it ends in time."));
  alone(get("/api/v1/recommendations/models", "Trained models, newest first", administrator, {},
            [&] { return training.models(); }));
  alone(post("/api/v1/recommendations/models/{version}/activate", "Use a trained model", administrator,
             {ErrorKind::not_found, refused},
             [&](Path<std::int64_t> version, Caller by) { return training.activate(*version, by); })
            .with_status(200));
  alone(get("/api/v1/recommendations/status", "How recommending stands", administrator, {},
            [&] { return training.status(); }));
  return routes;
}

Expansion similar_expansion(RecommendationService& lists) {
  // Not kept in memory with the book: it changes with other books.
  return {"similar", &schema::type_of<std::vector<SimilarBook>>(),
          [&lists](const Context& context) {
            SimilarQuery query;
            query.limit = few_books;
            return encoded_later(lists.similar({path_id(context)}, query));
          },
          true};
}

Task<Result<std::string>> for_the_dashboard(RecommendationService& lists, Caller by) {
  ListQuery query;
  query.limit = few_books;
  auto made = co_await lists.list(std::move(query), std::move(by));
  if (!made) co_return Failure(std::move(made.error()));
  co_return json::encode(*made);
}

}  // namespace lumina::recs
