// Reports, decisions, spoilers and replies.
#include "api/accounts.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

struct Reviewed {
  std::int64_t book = 0, review = 0;
  std::string path;
};

Reviewed reviewed(TestApp& app, Client& who, std::string_view words = "A wonderful book with a happy end",
                  std::string_view more = "") {
  Reviewed out;
  out.book = app.book();
  REQUIRE(who.post(fmt::format("/api/v1/borrows/{}/borrow", out.book)).status == 201);
  const auto made =
      who.post("/api/v1/reviews",
               fmt::format(R"({{"book_id":{},"review_text":"{}","rating":4{}}})", out.book, words, more));
  REQUIRE(made.status == 201);
  out.review = made.id();
  out.path = fmt::format("/api/v1/reviews/{}", out.review);
  return out;
}

}  // namespace

TEST_CASE("three reports hide a review until staff decides", "[E20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto author = app->patron(1);
  const auto it = reviewed(*app, author);
  const auto book = fmt::format("/api/v1/books/{}", it.book);
  const auto listing = fmt::format("/api/v1/reviews/book/{}", it.book);
  CHECK(app->anybody().post(it.path + "/report", R"({"reason":"spam"})").status == 401);
  CHECK(author.post(it.path + "/report", R"({"reason":"spam"})").code() == "own_review");
  CHECK(app->patron(2).post(it.path + "/report", R"({"reason":"dull"})").status == 422);
  for (int i = 2; i <= 3; ++i) {
    auto who = app->patron(i);
    CHECK(who.post(it.path + "/report", R"({"reason":"offensive","note":"not nice"})").status == 204);
    CHECK(who.post(it.path + "/report", R"({"reason":"spam"})").status == 204);
  }
  CHECK(app->anybody().get(it.path).status == 200);
  CHECK(app->anybody().get(book)["review_count"] == 1);
  CHECK(app->patron(4).post(it.path + "/report", R"({"reason":"other"})").status == 204);

  CHECK(app->anybody().get(it.path).status == 404);
  CHECK(app->patron(2).get(it.path).status == 404);
  CHECK(author.get(it.path)["standing"] == "pending");
  CHECK(app->anybody().get(listing).size() == 0);
  CHECK(app->anybody().get(book)["review_count"] == 0);
  CHECK(app->anybody().get(book)["average_rating"].is_null());
  CHECK(app->anybody().get(book + "/analysis")["total_reviews"] == 0);
  CHECK(app->patron(5).post(it.path + "/helpful").status == 404);
  CHECK(app->patron(5).post(it.path + "/replies", R"({"reply_text":"Hello"})").status == 404);

  auto librarian = app->librarian();
  CHECK(author.get("/api/v1/reviews/reported").status == 403);
  const auto queue = librarian.get("/api/v1/reviews/reported");
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].at("review").at("id") == it.review);
  CHECK(queue[0].at("reports").as_array().size() == 3);
  CHECK(author.post(it.path + "/moderation", R"({"decision":"restore"})").status == 403);
  CHECK(librarian.post(it.path + "/moderation", R"({"decision":"burn"})").status == 422);
  CHECK(librarian.post("/api/v1/reviews/4242/moderation", R"({"decision":"hide"})").status == 404);
  const auto restored =
      librarian.post(it.path + "/moderation", R"({"decision":"restore","note":"a \"fair\" review"})");
  CHECK(restored["standing"] == "cleared");
  CHECK(librarian.get("/api/v1/reviews/reported").size() == 0);
  CHECK(app->anybody().get(book)["review_count"] == 1);
  CHECK(app->anybody().get(listing).size() == 1);
  CHECK(app->patron(6).post(it.path + "/report", R"({"reason":"other"})").status == 204);
  CHECK(app->anybody().get(it.path).status == 200);

  CHECK(author.patch(it.path, R"({"review_text":"Another text, much worse than the first"})").status == 200);
  for (int i = 2; i <= 4; ++i) app->patron(i).post(it.path + "/report", R"({"reason":"offensive"})");
  CHECK(app->anybody().get(it.path).status == 404);
  CHECK(librarian.post(it.path + "/moderation", R"({"decision":"hide"})")["standing"] == "hidden");
  CHECK(app->anybody().get(book)["review_count"] == 0);
  CHECK(author.patch(it.path, R"({"rating":1})").status == 200);
  CHECK(app->anybody().get(book)["review_count"] == 0);
  CHECK(librarian.del(it.path).status == 204);
  CHECK(app->anybody().get(book)["review_count"] == 0);
  CHECK(app->number("SELECT coalesce(sum(count), 0) FROM rating_counts") == 0);
  CHECK(app->number("SELECT count(*) FROM review_reports") == 0);
}

TEST_CASE("what is under moderation is not deleted and written again", "[E20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto author = app->patron(1);
  const auto it = reviewed(*app, author);
  auto librarian = app->librarian();
  const auto refused = [&] {
    const auto answer = author.del(it.path);
    CHECK(answer.status == 400);
    CHECK(answer.code() == "under_moderation");
    CHECK(author.get(it.path).status == 200);
  };
  for (int i = 2; i <= 4; ++i) app->patron(i).post(it.path + "/report", R"({"reason":"spam"})");
  refused();
  REQUIRE(librarian.post(it.path + "/moderation", R"({"decision":"hide"})").status == 200);
  refused();
  REQUIRE(librarian.post(it.path + "/moderation", R"({"decision":"restore"})").status == 200);
  CHECK(author.del(it.path).status == 204);
}

TEST_CASE("the queue of reports is a fixed number of queries and keeps reports with their reviews", "[E20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> reviews;
  std::vector<Client> people;
  for (int i = 1; i <= 4; ++i) people.push_back(app->patron(i));
  for (int i = 0; i < 3; ++i) {
    const auto book = app->book(fmt::format("Book {}", i));
    REQUIRE(people[0].post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
    reviews.push_back(
        people[0]
            .post("/api/v1/reviews",
                  fmt::format(R"({{"book_id":{},"review_text":"Words of number {}","rating":4}})", book, i))
            .id());
  }
  // The first by one, the second by two, the third by three, which hides it.
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t n = 1; n <= i + 1; ++n)
      REQUIRE(
          people[n]
              .post(fmt::format("/api/v1/reviews/{}/report", reviews[i]), R"({"reason":"spam","note":"n"})")
              .status == 204);
  auto librarian = app->librarian();
  const auto queue = librarian.get("/api/v1/reviews/reported");
  REQUIRE(queue.size() == 3);
  const std::size_t order[] = {2, 0, 1};
  for (std::size_t place = 0; place < 3; ++place) {
    CHECK(queue[place].at("review").at("id") == reviews[order[place]]);
    CHECK(queue[place].at("reports").as_array().size() == order[place] + 1);
  }
  CHECK(queue[0].at("reports").as_array()[2].at("user_id") == people[3].user_id());
  const auto second = librarian.get("/api/v1/reviews/reported?skip=1&limit=1");
  REQUIRE(second.size() == 1);
  CHECK(second[0].at("review").at("id") == reviews[0]);
  CHECK(second[0].at("reports").as_array().size() == 1);
  CHECK(second.header("X-Total-Count") == "3");
}

TEST_CASE("reports that come at once hide a review once, and its counters stay right", "[E20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto author = app->patron(1);
  const auto it = reviewed(*app, author);
  std::vector<Client> people;
  for (int i = 2; i <= 7; ++i) people.push_back(app->patron(i));
  auto librarian = app->librarian();
  std::vector<std::thread> threads;
  for (auto& who : people)
    threads.emplace_back([&] { CHECK(who.post(it.path + "/report", R"({"reason":"spam"})").status < 500); });
  threads.emplace_back([&] {
    CHECK(librarian.post(it.path + "/moderation", R"({"decision":"mark_spoiler"})").status == 200);
  });
  for (auto& t : threads) t.join();
  CHECK(app->number("SELECT count(*) FROM reviews WHERE standing = 'pending'") == 1);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'review.pending'") == 1);
  CHECK(app->number(fmt::format("SELECT review_count FROM book_stats WHERE book_id = {}", it.book)) == 0);
  CHECK(app->number(fmt::format("SELECT rating_halves FROM book_stats WHERE book_id = {}", it.book)) == 0);
}

TEST_CASE("a spoiler keeps its text back until it is asked for", "[E20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto author = app->patron();
  const auto it = reviewed(*app, author, "The gardener did it, all along", R"(,"spoiler":true)");
  const auto listing = fmt::format("/api/v1/reviews/book/{}", it.book);
  for (const auto& target : {it.path, listing}) {
    CHECK(app->anybody().get(target).body.find("gardener") == std::string::npos);
    CHECK(app->anybody().get(target + "?spoilers=1").body.find("gardener") != std::string::npos);
  }
  CHECK(app->anybody().get(it.path)["spoiler"] == true);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/analysis", it.book)).body.find("gardener") ==
        std::string::npos);
  CHECK(app->patron(2).post(it.path + "/helpful").body.find("gardener") == std::string::npos);
  CHECK(author.patch(it.path, R"({"spoiler":false})")["spoiler"] == false);
  CHECK(app->anybody().get(it.path).body.find("gardener") != std::string::npos);
  CHECK(app->librarian().post(it.path + "/moderation", R"({"decision":"mark_spoiler"})")["spoiler"] == true);
  CHECK(app->anybody().get(it.path).body.find("gardener") == std::string::npos);
  CHECK(app->librarian().post(it.path + "/moderation", R"({"decision":"unmark_spoiler"})")["spoiler"] ==
        false);
}

TEST_CASE("people reply to reviews, and the most helpful come first", "[E21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto author = app->patron(1), other = app->patron(2);
  const auto it = reviewed(*app, author);
  REQUIRE(other.post(fmt::format("/api/v1/borrows/{}/return", it.book)).status == 404);
  REQUIRE(author.post(fmt::format("/api/v1/borrows/{}/return", it.book)).status == 200);
  REQUIRE(other.post(fmt::format("/api/v1/borrows/{}/borrow", it.book)).status == 201);
  app->clock().advance(std::chrono::minutes(1));
  const auto second =
      other.post("/api/v1/reviews",
                 fmt::format(R"({{"book_id":{},"review_text":"Not so good, I think","rating":2}})", it.book));
  REQUIRE(app->patron(3).post(it.path + "/helpful").status == 200);
  CHECK(app->patron(3).post(it.path + "/helpful")["helpful_count"] == 1);
  const auto listing = fmt::format("/api/v1/reviews/book/{}", it.book);
  CHECK(app->anybody().get(listing + "?order=helpful")[0].at("id") == it.review);
  CHECK(app->anybody().get(listing + "?order=newest")[0].at("id") == second.id());

  const auto reply = other.post(it.path + "/replies", R"({"reply_text":"  I agree with you  "})");
  REQUIRE(reply.status == 201);
  CHECK(reply.header("Location") == fmt::format("/api/v1/replies/{}", reply.id()));
  CHECK(reply["reply_text"] == "I agree with you");
  CHECK(reply["user"].at("full_name") == "Patron 2");
  CHECK(app->anybody().get(it.path)["reply_count"] == 1);
  CHECK(app->anybody().get(it.path + "/replies").size() == 1);
  CHECK(other.post(it.path + "/replies", R"({"reply_text":"   "})").status == 422);
  CHECK(other.post("/api/v1/reviews/4242/replies", R"({"reply_text":"Hello"})").status == 404);
  CHECK(app->anybody().post(it.path + "/replies", R"({"reply_text":"Hello"})").status == 401);
  CHECK(author.del(reply.header("Location")).status == 403);
  CHECK(other.del(reply.header("Location")).status == 204);
  CHECK(other.del(reply.header("Location")).status == 404);
  CHECK(app->anybody().get(it.path)["reply_count"] == 0);
  const auto again = author.post(it.path + "/replies", R"({"reply_text":"Thank you"})");
  CHECK(app->librarian().del(again.header("Location")).status == 204);
}
