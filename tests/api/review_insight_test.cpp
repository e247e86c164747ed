// What the reviews of a book say of its aspects, and reviews that are held back as unusual.
#include "support/http_peer.hpp"
#include "support/test_app.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <random>
#include <thread>

namespace lumina::test {
namespace {

std::string analysis_path(std::int64_t book) { return fmt::format("/api/v1/books/{}/analysis", book); }
std::string review_path(std::int64_t id) { return fmt::format("/api/v1/reviews/{}", id); }

Answer write_review(Client& who, std::int64_t book, std::string_view text, double rating,
                    std::string_view more = "") {
  const auto borrow = fmt::format("/api/v1/borrows/{}/borrow", book);
  if (who.post(borrow).status == 201)
    REQUIRE(who.post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
  return who.post("/api/v1/reviews",
                  fmt::format(R"({{"book_id":{},"review_text":{},"rating":{}{}}})", book,
                              boost::json::serialize(boost::json::value(text)), rating, more));
}

const boost::json::value& aspect(const Answer& analysis, std::string_view name) {
  for (const auto& each : analysis["aspects"].as_array())
    if (std::string_view(each.at("aspect").as_string()) == name) return each;
  throw std::runtime_error("no such aspect");
}

// Counters that are not a recount of what is seen.
std::int64_t wrong_counters(TestApp& app) {
  return app.number(
             "SELECT count(*) FROM book_stats s WHERE s.review_count <> (SELECT count(*) FROM reviews r "
             "WHERE "
             "r.book_id = s.book_id AND r.standing IN ('shown', 'cleared')) OR s.rating_halves <> "
             "coalesce((SELECT sum(CAST(r.rating * 2 AS INTEGER)) FROM reviews r WHERE r.book_id = s.book_id "
             "AND r.standing IN ('shown', 'cleared')), 0) OR s.sentiment_cents <> coalesce((SELECT "
             "sum(CAST(round(r.sentiment_score * 100) AS INTEGER)) FROM reviews r WHERE r.book_id = "
             "s.book_id "
             "AND r.standing IN ('shown', 'cleared')), 0)") +
         app.number(
             "SELECT count(*) FROM rating_counts c WHERE c.count <> (SELECT count(*) FROM reviews r WHERE "
             "r.book_id = c.book_id AND CAST(r.rating * 2 AS INTEGER) = c.half_stars AND r.standing IN "
             "('shown', 'cleared'))");
}

// A library with forty patrons of old and a book that three of them reviewed long ago.
struct OldLibrary {
  std::unique_ptr<TestApp> app;
  std::int64_t book = 0;
  explicit OldLibrary(Database kind, const TestApp::Configure& configure = {})
      : app(TestApp::on(kind, configure)), book(app->book()) {
    for (int i = 1; i <= 40; ++i) app->patron(i);
    for (int i = 1; i <= 3; ++i) {
      auto reader = app->patron(i);
      REQUIRE(write_review(reader, book, "A wonderful book, I loved every page of it.", 4).status == 201);
    }
    app->clock().advance(std::chrono::days(100));
  }
  Client newcomer(int number) { return app->patron(100 + number); }
};

constexpr auto blame = "Terrible and boring, a waste of time from the first page.";

}  // namespace

TEST_CASE("an analysis says what reviews think of plot, style, pace and characters", "[E22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  const auto none = app->anybody().get(analysis_path(book));
  REQUIRE(none["aspects"].as_array().size() == 4);
  CHECK(aspect(none, "plot").at("reviews") == 0);
  CHECK(aspect(none, "plot").at("sentiment").is_null());

  std::map<std::int64_t, std::string> texts;
  const std::vector<std::pair<std::string, double>> said{
      {"The plot was gripping but the characters were flat and boring.", 3},
      {"Wonderful prose. The plot is excellent, I loved it.", 5},
      {"The pacing is terrible. A wonderful plot though.", 3},
      {"It arrived on Tuesday, and the plot concerns two sisters.", 4}};
  int number = 0;
  for (const auto& [text, rating] : said) {
    auto reader = app->patron(++number);
    const auto made = write_review(reader, book, text, rating);
    REQUIRE(made.status == 201);
    texts[made.id()] = text;
  }
  auto spoiler = app->patron(9);
  REQUIRE(
      write_review(spoiler, book, "The best plot ever: the butler did it.", 5, R"(,"spoiler":true)").status ==
      201);
  const auto analysis = app->anybody().get(analysis_path(book));
  CHECK(aspect(analysis, "plot").at("reviews") == 4);
  CHECK(aspect(analysis, "plot").at("sentiment").to_number<double>() > 0.3);
  CHECK(aspect(analysis, "characters").at("sentiment").to_number<double>() < -0.2);
  CHECK(aspect(analysis, "pace").at("sentiment").to_number<double>() < -0.2);
  CHECK(aspect(analysis, "style").at("sentiment").to_number<double>() > 0.2);
  for (const auto& each : analysis["aspects"].as_array()) {
    CHECK(each.at("evidence").as_array().size() <= 3);
    CHECK(!each.at("evidence").as_array().empty());
    for (const auto& proof : each.at("evidence").as_array()) {
      const std::string quote(proof.at("quote").as_string());
      INFO(quote);
      CHECK(texts.at(proof.at("review_id").as_int64()).contains(quote));
    }
  }
  // What is hidden or changed is quoted no more.
  const auto first = texts.begin()->first;
  auto author = app->patron(1);
  REQUIRE(author.patch(review_path(first), R"({"review_text":"Nothing to say of it any more."})").status ==
          200);
  const auto after = app->anybody().get(analysis_path(book));
  CHECK(aspect(after, "plot").at("reviews") == 3);
  CHECK(aspect(after, "characters").at("reviews") == 0);
}

TEST_CASE("an analysis is kept for an hour and dropped by a review", "[E18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto first = app->patron(1);
  REQUIRE(write_review(first, book, "A wonderful book, I loved it.", 5).status == 201);
  const auto made = app->anybody().get(analysis_path(book));
  app->clock().advance(std::chrono::minutes(59));
  CHECK(app->anybody().get(analysis_path(book))["generated_at"] == made["generated_at"]);
  app->clock().advance(std::chrono::minutes(2));
  const auto later = app->anybody().get(analysis_path(book));
  CHECK(later["generated_at"] != made["generated_at"]);
  app->clock().advance(std::chrono::minutes(1));
  CHECK(app->anybody().get(analysis_path(book))["generated_at"] == later["generated_at"]);
  auto second = app->patron(2);
  REQUIRE(write_review(second, book, blame, 1).status == 201);
  const auto with_it = app->anybody().get(analysis_path(book));
  CHECK(with_it["generated_at"] != later["generated_at"]);
  CHECK(with_it["total_reviews"] == 2);
}

TEST_CASE("a burst of one-star reviews by new accounts is not counted until staff decides", "[E23]") {
  OldLibrary library(GENERATE(from_databases()));
  auto& app = *library.app;
  const auto book = fmt::format("/api/v1/books/{}", library.book);
  std::vector<std::int64_t> made;
  for (int i = 1; i <= 9; ++i) {
    auto who = library.newcomer(i);
    const auto review = write_review(who, library.book, blame, i % 2 == 0 ? 1 : 1.5);
    REQUIRE(review.status == 201);
    CHECK(review["unusual"] == (i >= 5));
    CHECK(review["standing"] == (i >= 5 ? "pending" : "shown"));
    made.push_back(review.id());
    app.clock().advance(std::chrono::minutes(20));
  }
  // The four that came before anything could be seen are held back with the others.
  CHECK(app.number("SELECT count(*) FROM reviews WHERE standing = 'pending'") == 9);
  CHECK(wrong_counters(app) == 0);
  CHECK(app.anybody().get(book)["review_count"] == 3);
  CHECK(app.anybody().get(book)["average_rating"].to_number<double>() == 4);
  const auto analysis = app.anybody().get(analysis_path(library.book));
  CHECK(analysis["total_reviews"] == 3);
  CHECK(analysis["sentiment_distribution"].at("negative") == 0);
  CHECK(app.anybody().get(review_path(made[0])).status == 404);
  CHECK(library.newcomer(1).get(review_path(made[0]))["unusual"] == true);
  CHECK(app.number("SELECT count(*) FROM audit_log WHERE action = 'review.unusual'") == 9);

  CHECK(app.patron(1).get("/api/v1/reviews/unusual").status == 403);
  auto librarian = app.librarian();
  const auto queue = librarian.get("/api/v1/reviews/unusual");
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].at("book_id") == library.book);
  CHECK(queue[0].at("book_title") == "Emma");
  CHECK(queue[0].at("pole") == "low");
  CHECK(queue[0].at("new_accounts") == 9);
  CHECK(queue[0].at("reviews").as_array().size() == 9);
  CHECK(queue[0].at("chance_number").to_number<double>() < 0.001);
  CHECK(queue[0].at("chance_accounts").to_number<double>() < 0.001);
  const auto decide = fmt::format("/api/v1/reviews/unusual/{}/moderation", queue[0].at("id").as_int64());
  CHECK(app.patron(1).post(decide, R"({"decision":"restore"})").status == 403);
  CHECK(librarian.post(decide, R"({"decision":"mark_spoiler"})").status == 422);
  CHECK(librarian.post("/api/v1/reviews/unusual/4242/moderation", R"({"decision":"hide"})").status == 404);

  // One is fair, the others are not.
  CHECK(librarian.post(review_path(made[3]) + "/moderation", R"({"decision":"restore"})")["standing"] ==
        "cleared");
  CHECK(app.anybody().get(book)["review_count"] == 4);
  const auto hidden = librarian.post(decide, R"({"decision":"hide","note":"one person"})");
  CHECK(hidden["reviews"] == 8);
  CHECK(librarian.get("/api/v1/reviews/unusual").size() == 0);
  CHECK(librarian.post(decide, R"({"decision":"restore"})")["reviews"] == 0);
  CHECK(app.number("SELECT count(*) FROM reviews WHERE standing = 'hidden'") == 8);
  CHECK(app.anybody().get(book)["review_count"] == 4);
  CHECK(wrong_counters(app) == 0);
  // The same hand goes on: what was confirmed still speaks against it.
  auto next = library.newcomer(10);
  CHECK(write_review(next, library.book, blame, 1)["unusual"] == true);
}

TEST_CASE("a burst that staff clears counts and is the book's past", "[E23]") {
  OldLibrary library(GENERATE(from_databases()));
  auto& app = *library.app;
  for (int i = 1; i <= 6; ++i) {
    auto who = library.newcomer(i);
    REQUIRE(write_review(who, library.book, "The best book there is, I loved it.", 5).status == 201);
  }
  auto librarian = app.librarian();
  const auto queue = librarian.get("/api/v1/reviews/unusual");
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].at("pole") == "high");
  CHECK(librarian.post(fmt::format("/api/v1/reviews/unusual/{}/moderation", queue[0].at("id").as_int64()),
                       R"({"decision":"restore"})")["reviews"] == 6);
  CHECK(app.anybody().get(fmt::format("/api/v1/books/{}", library.book))["review_count"] == 9);
  CHECK(wrong_counters(app) == 0);
  auto next = library.newcomer(7);
  CHECK(write_review(next, library.book, "The best book there is, I loved it.", 5)["unusual"] == false);
  CHECK(app.number("SELECT count(*) FROM reviews WHERE standing = 'cleared'") == 6);
}

TEST_CASE("a rating that is changed later counts for a burst", "[E23]") {
  OldLibrary library(Database::sqlite);
  auto& app = *library.app;
  std::vector<Client> people;
  std::vector<std::int64_t> reviews;
  for (int i = 1; i <= 6; ++i) {
    people.push_back(library.newcomer(i));
    reviews.push_back(write_review(people.back(), library.book, "Some words about this book.", 3).id());
  }
  for (std::size_t i = 0; i < 6; ++i) {
    const auto changed = people[i].patch(review_path(reviews[i]), R"({"rating":1})");
    REQUIRE(changed.status == 200);
    CHECK(changed["unusual"] == (i >= 4));
  }
  CHECK(app.number("SELECT count(*) FROM reviews WHERE standing = 'pending'") == 6);
  CHECK(wrong_counters(app) == 0);
  CHECK(people[0].del(review_path(reviews[0])).code() == "under_moderation");
}

TEST_CASE("whatever people and staff do in a burst, counters are a recount of what is seen", "[E19][E23]") {
  OldLibrary library(GENERATE(from_databases()));
  auto& app = *library.app;
  auto librarian = app.librarian();
  std::vector<Client> people;
  for (int i = 1; i <= 14; ++i) {
    people.push_back(i <= 10 ? library.newcomer(i) : app.patron(i));
    REQUIRE(people.back().post(fmt::format("/api/v1/borrows/{}/borrow", library.book)).status == 201);
    REQUIRE(people.back().post(fmt::format("/api/v1/borrows/{}/return", library.book)).status == 200);
  }
  std::mt19937 random(11);
  const auto rating = [&] { return random() % 3 != 0 ? 1.0 : 1 + 0.5 * static_cast<double>(random() % 9); };
  int held = 0;
  for (int i = 0; i < 160; ++i) {
    auto& who = people[random() % people.size()];
    const auto id = app.number(
        fmt::format("SELECT coalesce((SELECT id FROM reviews WHERE user_id = {}), 0)", who.user_id()));
    switch (random() % 6) {
      case 0:
        who.del(review_path(id));
        break;
      case 1:
        who.patch(review_path(id), fmt::format(R"({{"rating":{}}})", rating()));
        break;
      case 2:
        librarian.post(review_path(id) + "/moderation",
                       random() % 4 == 0 ? R"({"decision":"hide"})" : R"({"decision":"restore"})");
        break;
      case 3:
        if (const auto queue = librarian.get("/api/v1/reviews/unusual");
            queue.size() > 0 && random() % 2 == 0)
          librarian.post(fmt::format("/api/v1/reviews/unusual/{}/moderation", queue[0].at("id").as_int64()),
                         random() % 2 == 0 ? R"({"decision":"hide"})" : R"({"decision":"restore"})");
        break;
      default:
        who.post("/api/v1/reviews",
                 fmt::format(R"({{"book_id":{},"review_text":"{}","rating":{}}})", library.book,
                             random() % 2 == 0 ? blame : "A wonderful book, I loved it.", rating()));
    }
    if (app.number("SELECT count(*) FROM reviews WHERE standing = 'pending'") > 0) ++held;
    REQUIRE(wrong_counters(app) == 0);
  }
  CHECK(held > 10);
}

TEST_CASE("readers of long standing may dislike a book at once", "[E23]") {
  OldLibrary library(GENERATE(from_databases()));
  for (int i = 10; i <= 25; ++i) {
    auto who = library.app->patron(i);
    CHECK(write_review(who, library.book, blame, 1)["unusual"] == false);
  }
  CHECK(library.app->anybody().get(fmt::format("/api/v1/books/{}", library.book))["review_count"] == 19);
}

TEST_CASE("the watch can be switched off", "[E23]") {
  OldLibrary library(Database::sqlite, [](config::Config& c) { c.unusual_reviews = 0; });
  for (int i = 1; i <= 12; ++i) {
    auto who = library.newcomer(i);
    CHECK(write_review(who, library.book, blame, 1)["unusual"] == false);
  }
}

TEST_CASE("of a burst at one moment nothing is left over", "[E23]") {
  OldLibrary library(GENERATE(from_databases()));
  auto& app = *library.app;
  std::vector<Client> people;
  for (int i = 1; i <= 12; ++i) {
    people.push_back(library.newcomer(i));
    REQUIRE(people.back().post(fmt::format("/api/v1/borrows/{}/borrow", library.book)).status == 201);
    REQUIRE(people.back().post(fmt::format("/api/v1/borrows/{}/return", library.book)).status == 200);
  }
  {
    std::vector<std::jthread> threads;
    for (auto& who : people)
      threads.emplace_back([&who, &library] {
        who.post("/api/v1/reviews",
                 fmt::format(R"({{"book_id":{},"review_text":"{}","rating":1}})", library.book, blame));
      });
  }
  CHECK(app.number("SELECT count(*) FROM reviews WHERE standing = 'pending'") == 12);
  CHECK(app.number("SELECT count(*) FROM review_bursts") == 1);
  CHECK(wrong_counters(app) == 0);
}

}  // namespace lumina::test
