#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

constexpr auto praise = "A wonderful book, I loved every page and could not put it down.";
constexpr auto blame = "Terrible and boring, a complete waste of time. I hated it.";

std::string review(std::int64_t book, std::string_view text = praise, double rating = 5) {
  return fmt::format(R"({{"book_id":{},"review_text":"{}","rating":{}}})", book, text, rating);
}

// Borrows and returns, which earns the right to review.
void read_through(Client& who, std::int64_t book) {
  REQUIRE(who.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  REQUIRE(who.post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
}

}  // namespace

TEST_CASE("a reader who borrowed a book reviews it and sees the sentiment at once", "[E1][E12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  read_through(reader, book);
  const auto made = reader.post("/api/v1/reviews", review(book));
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == fmt::format("/api/v1/reviews/{}", made.id()));
  CHECK(made["sentiment_score"].to_number<double>() > 0.5);
  CHECK(made["sentiment_source"] == "lexicon");
  CHECK(made["user"].at("full_name") == "Patron 1");
  CHECK(made["helpful_count"] == 0);
  const auto read = app->anybody().get(fmt::format("/api/v1/reviews/{}", made.id()));
  CHECK(read.body == made.body);
  CHECK(app->anybody().get("/api/v1/reviews/999").status == 404);
  CHECK(reader.post("/api/v1/reviews", review(999)).status == 404);
  CHECK(app->anybody().post("/api/v1/reviews", review(book)).status == 401);
}

TEST_CASE("only borrowers review, while they read and afterwards", "[E2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto stranger = app->patron(1), reading = app->patron(2);
  const auto refused = stranger.post("/api/v1/reviews", review(book));
  CHECK(refused.status == 403);
  CHECK(refused.detail() == "You can only review books you have borrowed");
  REQUIRE(reading.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  CHECK(reading.post("/api/v1/reviews", review(book)).status == 201);
}

TEST_CASE("a book borrowed twice is reviewed like any other", "[E3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  read_through(reader, book);
  read_through(reader, book);
  CHECK(reader.post("/api/v1/reviews", review(book)).status == 201);
}

TEST_CASE("ratings go from 1 to 5 in halves and texts from 10 to 5000 characters", "[E4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  read_through(reader, book);
  for (const double rating : {0.9, 5.1, 4.3, -1.0, 0.0})
    CHECK(reader.post("/api/v1/reviews", review(book, praise, rating)).status == 422);
  CHECK(reader.post("/api/v1/reviews", review(book, "too short")).status == 422);
  CHECK(reader.post("/api/v1/reviews", review(book, std::string(5001, 'x'))).status == 422);
  CHECK(reader.post("/api/v1/reviews", R"({"book_id":1,"review_text":"long enough text","rating":"5"})")
            .status == 422);
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "é";
  const auto made = reader.post("/api/v1/reviews", review(book, wide, 4.5));
  REQUIRE(made.status == 201);
  CHECK(made["rating"] == 4.5);
}

TEST_CASE("reviews of a book are listed newest first and in other orders", "[E5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  std::vector<std::int64_t> ids;
  for (int i = 1; i <= 3; ++i) {
    auto reader = app->patron(i);
    read_through(reader, book);
    ids.push_back(reader.post("/api/v1/reviews", review(book, i == 2 ? blame : praise, 6 - i)).id());
    app->clock().advance(std::chrono::seconds(1));
  }
  const auto order = [&](std::string_view query) {
    std::vector<std::int64_t> out;
    const auto list = app->anybody().get(fmt::format("/api/v1/reviews/book/{}{}", book, query));
    for (const auto& r : list.json.as_array()) out.push_back(r.at("id").as_int64());
    return out;
  };
  CHECK(order("") == std::vector{ids[2], ids[1], ids[0]});
  CHECK(order("?sort=rating") == std::vector{ids[2], ids[1], ids[0]});
  CHECK(order("?sort=sentiment_score").front() == ids[1]);
  CHECK(order("?limit=1&skip=1") == std::vector{ids[1]});
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/reviews", book)).size() == 3);
  CHECK(app->anybody().get("/api/v1/reviews/book/999").status == 404);
  CHECK(app->anybody().get(fmt::format("/api/v1/reviews/book/{}?sort=mood", book)).status == 422);
}

TEST_CASE("a review is changed by its author and removed by author or staff", "[E6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto author = app->patron(1), other = app->patron(2);
  read_through(author, book);
  const auto made = author.post("/api/v1/reviews", review(book));
  const auto path = fmt::format("/api/v1/reviews/{}", made.id());
  CHECK(other.put(path, R"({"rating":1})").status == 403);
  CHECK(other.del(path).status == 403);
  CHECK(app->anybody().del(path).status == 401);
  const auto changed = author.put(path, fmt::format(R"({{"review_text":"{}","rating":1}})", blame));
  REQUIRE(changed.status == 200);
  CHECK(changed["sentiment_score"].to_number<double>() < -0.5);
  CHECK(author.patch(path, R"({"rating":2})", {{"If-Match", made.header("ETag")}}).status == 412);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/analysis", book))["sentiment_distribution"].at(
            "negative") == 1);
  CHECK(app->librarian().del(path).status == 204);
  CHECK(author.del(path).status == 404);
  CHECK(author.put(path, R"({"rating":2})").status == 404);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/analysis", book))["total_reviews"] == 0);
}

TEST_CASE("one person reviews one book once, however many try at the same time", "[E7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto reader = app->patron();
  read_through(reader, book);
  std::atomic<int> created{0}, refused{0}, other{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i)
    threads.emplace_back([&, client = reader]() mutable {
      const auto answer = client.post("/api/v1/reviews", review(book));
      if (answer.status == 201)
        ++created;
      else if (answer.status == 400 && answer.code() == "review_exists")
        ++refused;
      else
        ++other;
    });
  for (auto& t : threads) t.join();
  CHECK(created == 1);
  CHECK(refused == 19);
  CHECK(other == 0);
  const auto again = reader.post("/api/v1/reviews", review(book));
  const auto id = app->number("SELECT id FROM reviews");
  CHECK(again.detail().find(fmt::format(" {} ", id)) != std::string::npos);
  CHECK(app->number("SELECT review_count FROM book_stats") == 1);
}

TEST_CASE("a helpful vote counts once a person and can be taken back", "[E5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  auto author = app->patron(1), voter = app->patron(2);
  read_through(author, book);
  const auto path =
      fmt::format("/api/v1/reviews/{}/helpful", author.post("/api/v1/reviews", review(book)).id());
  CHECK(voter.post(path)["helpful_count"] == 1);
  CHECK(voter.post(path)["helpful_count"] == 1);
  CHECK(author.post(path).code() == "own_review");
  CHECK(voter.del(path)["helpful_count"] == 0);
  CHECK(voter.del(path)["helpful_count"] == 0);
  CHECK(voter.post("/api/v1/reviews/999/helpful").status == 404);
  CHECK(app->anybody().post(path).status == 401);
}

TEST_CASE("a book without reviews is analysed as empty", "[E16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  const auto analysis = app->anybody().get(fmt::format("/api/v1/books/{}/analysis", book));
  REQUIRE(analysis.status == 200);
  CHECK(analysis["book_title"] == "Emma");
  CHECK(analysis["average_sentiment"].to_number<double>() == 0);
  CHECK(boost::json::serialize(analysis["sentiment_distribution"]) ==
        R"({"positive":0,"neutral":0,"negative":0})");
  CHECK(analysis["total_reviews"] == 0);
  CHECK(analysis["summary"] == "No reviews available for this book yet.");
  CHECK(analysis["average_rating"].to_number<double>() == 0);
  CHECK(app->anybody().get("/api/v1/books/999/analysis").status == 404);
}

TEST_CASE("the analysis of a book shows averages, distribution, themes and a summary with its source",
          "[E13][E15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  for (int i = 1; i <= 4; ++i) {
    auto reader = app->patron(i);
    read_through(reader, book);
    REQUIRE(reader.post("/api/v1/reviews", review(book, i == 4 ? blame : praise, i == 4 ? 1 : 5)).status ==
            201);
  }
  const auto analysis = app->anybody().get(fmt::format("/api/v1/books/{}/analysis", book));
  CHECK(boost::json::serialize(analysis["sentiment_distribution"]) ==
        R"({"positive":3,"neutral":0,"negative":1})");
  CHECK(analysis["total_reviews"] == 4);
  CHECK(analysis["average_rating"].to_number<double>() == 4);
  CHECK(analysis["summary_source"] == "extractive");
  CHECK(!analysis["summary"].as_string().empty());
  CHECK(analysis["color"].as_string().starts_with("#"));
  const auto shown = app->anybody().get(fmt::format("/api/v1/books/{}", book));
  CHECK(shown["review_count"] == 4);
  CHECK(shown["average_rating"].to_number<double>() == 4);
}

TEST_CASE("counters of a book equal a recount after many random edits", "[E19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books{app->book("One"), app->book("Two")};
  std::vector<Client> readers;
  for (int i = 1; i <= 5; ++i) {
    readers.push_back(app->patron(i));
    for (const auto book : books) read_through(readers.back(), book);
  }
  std::mt19937 random(7);
  for (int i = 0; i < 250; ++i) {
    auto& reader = readers[random() % readers.size()];
    const auto book = books[random() % books.size()];
    const double rating = 1 + 0.5 * static_cast<double>(random() % 9);
    const auto text = random() % 2 == 0 ? praise : blame;
    const auto made = reader.post("/api/v1/reviews", review(book, text, rating));
    if (made.status == 201) continue;
    const auto detail = made.detail();
    const auto id = app->number(
        fmt::format("SELECT id FROM reviews WHERE book_id = {} AND user_id = {}", book, reader.user_id()));
    const auto path = fmt::format("/api/v1/reviews/{}", id);
    if (random() % 3 == 0)
      CHECK(reader.del(path).status == 204);
    else
      CHECK(reader.put(path, fmt::format(R"({{"review_text":"{}","rating":{}}})", text, rating)).status ==
            200);
  }
  const auto wrong = app->number(
      "SELECT count(*) FROM book_stats s WHERE s.review_count <> (SELECT count(*) FROM reviews r WHERE "
      "r.book_id = s.book_id) "
      "OR s.rating_halves <> coalesce((SELECT sum(CAST(r.rating * 2 AS INTEGER)) FROM reviews r WHERE "
      "r.book_id = s.book_id), 0) "
      "OR s.sentiment_cents <> coalesce((SELECT sum(CAST(round(r.sentiment_score * 100) AS INTEGER)) FROM "
      "reviews r "
      "WHERE r.book_id = s.book_id), 0) "
      "OR s.positive_count <> (SELECT count(*) FROM reviews r WHERE r.book_id = s.book_id AND "
      "r.sentiment_score > 0.3) "
      "OR s.negative_count <> (SELECT count(*) FROM reviews r WHERE r.book_id = s.book_id AND "
      "r.sentiment_score < -0.3)");
  CHECK(wrong == 0);
  CHECK(app->number(
            "SELECT count(*) FROM rating_counts c WHERE c.count <> (SELECT count(*) FROM reviews r WHERE "
            "r.book_id = c.book_id AND CAST(r.rating * 2 AS INTEGER) = c.half_stars)") == 0);
}

TEST_CASE("the analyser can be asked by itself", "[E10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto good = reader.post("/api/v1/sentiment", R"({"text":"Amazing book, highly recommend!"})");
  REQUIRE(good.status == 200);
  CHECK(good["score"].to_number<double>() > 0.5);
  CHECK(good["category"] == "very_positive");
  CHECK(good["source"] == "lexicon");
  const auto silent = reader.post("/api/v1/sentiment", R"({"text":"It arrived on Tuesday.","rating":1})");
  CHECK(silent["score"].to_number<double>() == -1);
  CHECK(silent["source"] == "rating");
  CHECK(reader.post("/api/v1/sentiment", R"({"text":""})").status == 422);
  CHECK(app->anybody().post("/api/v1/sentiment", R"({"text":"x"})").status == 401);
}
