// Recommendations through the whole pipeline: lists, what shapes them, and what never stands in them.
#include "api/recommending.hpp"

#include <set>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("an empty library recommends nothing and does not fail", "[H4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  for (const auto* path : {"/api/v1/recommendations/", "/api/v1/recommendations", "/api/v1/books/popular",
                           "/api/v1/books/popular?order=trending"}) {
    CAPTURE(path);
    const auto list = reader.get(path);
    CHECK(list.status == 200);
    CHECK(list.body == "[]");
  }
  CHECK(reader.get("/api/v1/recommendations/similar/1").status == 404);
  const auto visitor = app->anybody().post("/api/v1/recommendations/session", R"({"books":[7]})");
  CHECK(visitor.status == 200);
  CHECK(visitor.body == "[]");
}

TEST_CASE("before any training lists are of popular books, as long as asked", "[H1][H4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 15; ++i) books.push_back(app->book(fmt::format("Book {}", i), "Ann", R"("copies":3)"));
  borrow(*app, 2, books[4]);
  borrow(*app, 3, books[4]);
  borrow(*app, 2, books[9]);
  auto reader = app->patron(1);
  const auto list = reader.get("/api/v1/recommendations/");
  REQUIRE(list.status == 200);
  REQUIRE(list.size() == 10);
  CHECK(list[0].at("id") == books[4]);
  CHECK(list[1].at("id") == books[9]);
  CHECK(list[0].at("source") == "popular");
  CHECK(list[0].at("reason") == "Popular with readers");
  CHECK(list[0].at("title") == "Book 4");
  CHECK(list[0].at("score").to_number<double>() >= list[1].at("score").to_number<double>());
  CHECK(list[9].at("source") == "undiscovered");
  CHECK(reader.get("/api/v1/recommendations/?limit=3").size() == 3);
  CHECK(reader.get("/api/v1/recommendations/?limit=100").size() == 15);
  for (const auto* wrong : {"limit=0", "limit=101", "diversity=2", "strategy=magic", "genre=", "exclude=x",
                            "weights=1", "unknown=1"}) {
    CAPTURE(wrong);
    CHECK(reader.get(fmt::format("/api/v1/recommendations/?{}", wrong)).status >= 400);
    CHECK(reader.get(fmt::format("/api/v1/recommendations/?{}", wrong)).status < 500);
  }
  CHECK(app->anybody().get("/api/v1/recommendations/").status == 401);
}

TEST_CASE("stated wishes shape the next list without training", "[A15][H9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto dune = app->book("Dune", "Frank Herbert", R"("genre":"Science Fiction")");
  const auto emma = app->book("Emma", "Jane Austen", R"("genre":"Romance")");
  const auto ghost = app->book("The Haunting", "Shirley Jackson", R"("genre":"Horror")");
  borrow(*app, 9, ghost);
  auto reader = app->patron(1);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")).front() == ghost);
  CHECK(reader.get("/api/v1/users/me/preferences")["favorite_genres"].as_array().empty());

  REQUIRE(reader.put("/api/v1/users/me/preferences", R"({"favorite_genres":["science fiction"]})").status ==
          200);
  auto list = reader.get("/api/v1/recommendations/");
  CHECK(list[0].at("id") == dune);
  CHECK(list[0].at("source") == "preferences");
  CHECK(list[0].at("reason") == "Because you like Science Fiction");

  REQUIRE(reader
              .put("/api/v1/users/me/preferences",
                   R"({"favorite_authors":["Jane Austen"],"disliked_genres":["Horror"]})")
              .status == 200);
  list = reader.get("/api/v1/recommendations/");
  CHECK(list[0].at("id") == emma);
  CHECK(list[0].at("reason") == "Because you like Jane Austen");
  CHECK(!has(list, ghost));
  CHECK(has(list, dune));
}

TEST_CASE("a loan, a review and a hold count at the next request", "[H10][H13][H14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto hobbit = app->book("The Hobbit", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":3)");
  const auto rings = app->book("The Lord of the Rings", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":3)");
  const auto tales = app->book("Unfinished Tales", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":3)");
  const auto cook = app->book("Soups", "Ann Cook", R"("genre":"Cooking","copies":3)");
  for (int p = 5; p < 8; ++p) borrow(*app, p, cook);
  auto reader = app->patron(1);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")).front() == cook);

  borrow(*app, 1, hobbit);
  auto list = reader.get("/api/v1/recommendations/");
  CHECK(!has(list, hobbit));
  REQUIRE(list.size() == 3);
  CHECK(list[0].at("author") == "J.R.R. Tolkien");
  CHECK(list[0].at("similar_to").at("id") == hobbit);
  CHECK(text(list[0].at("reason")).starts_with("Because you borrowed The Hobbit"));
  CHECK(list[0].at("source") == "content");

  REQUIRE(
      reader
          .post("/api/v1/reviews",
                fmt::format(R"({{"book_id":{},"rating":5,"review_text":"A fine tale, told well"}})", hobbit))
          .status == 201);
  CHECK(!has(reader.get("/api/v1/recommendations/"), hobbit));
  borrow(*app, 2, rings);
  borrow(*app, 3, rings);
  borrow(*app, 4, rings);
  REQUIRE(reader.post(fmt::format("/api/v1/books/{}/holds", rings)).status == 201);
  CHECK(!has(reader.get("/api/v1/recommendations/"), rings));
  CHECK(has(reader.get("/api/v1/recommendations/"), tales));
  // What was read may be asked for.
  CHECK(has(reader.get("/api/v1/recommendations/?exclude_read=false"), hobbit));

  const auto newest = app->book("The Silmarillion", "J.R.R. Tolkien", R"("genre":"Fantasy")");
  CHECK(has(reader.get("/api/v1/recommendations/"), newest));
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", newest)).status == 204);
  CHECK(!has(reader.get("/api/v1/recommendations/"), newest));
}

TEST_CASE("filters are kept and the list stays as long as asked", "[H11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 30; ++i)
    books.push_back(app->book(fmt::format("Book {}", i), fmt::format("Author {}", i),
                              fmt::format(R"("genre":"{}","language":"{}")", i % 2 ? "Poetry" : "History",
                                          i % 3 ? "en" : "de-AT")));
  for (int i = 0; i < 4; ++i) borrow(*app, 2, books[static_cast<std::size_t>(i)]);
  auto reader = app->patron(1);
  const auto all = ids_of(reader.get("/api/v1/recommendations/?limit=5"));
  const auto rest = reader.get(fmt::format("/api/v1/recommendations/?limit=5&exclude={},{}", all[0], all[1]));
  CHECK(rest.size() == 5);
  CHECK(!has(rest, all[0]));
  CHECK(!has(rest, all[1]));
  const auto there = reader.get("/api/v1/recommendations/?limit=26&available=true");
  CHECK(there.size() == 26);
  for (const auto& book : there.json.as_array()) CHECK(book.at("copies_available").to_number<int>() > 0);
  CHECK(reader.get("/api/v1/recommendations/?limit=100&available=true").size() == 26);
  const auto poems = reader.get("/api/v1/recommendations/?genre=poetry&limit=100");
  CHECK(poems.size() == 15);
  for (const auto& book : poems.json.as_array()) CHECK(book.at("genre") == "Poetry");
  CHECK(reader.get("/api/v1/recommendations/?language=de&limit=100").size() == 10);
  CHECK(reader.get("/api/v1/recommendations/?language=de-CH&limit=100").size() == 0);

  auto librarian = app->librarian();
  const auto branch = librarian.post("/api/v1/branches", R"({"code":"east","name":"East"})");
  REQUIRE(branch.status == 201);
  const auto here = fmt::format("/api/v1/recommendations/?branch={}", branch.id());
  CHECK(reader.get(here).size() == 0);
  REQUIRE(librarian
              .post(fmt::format("/api/v1/books/{}/copies", books[7]),
                    fmt::format(R"({{"branch_id":{}}})", branch.id()))
              .status == 201);
  CHECK(ids_of(reader.get(here)) == std::vector{books[7]});
  CHECK(ids_of(reader.get(here + "&available=true")) == std::vector{books[7]});
}

TEST_CASE("similar books are found for every book, new ones too", "[H2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto emma = app->book("Emma", "Jane Austen", R"("genre":"Romance")");
  const auto pride = app->book("Pride and Prejudice", "Jane Austen", R"("genre":"Romance")");
  app->book("Dune", "Frank Herbert", R"("genre":"Science Fiction")");
  const auto path = [](std::int64_t id) { return fmt::format("/api/v1/recommendations/similar/{}", id); };
  auto anybody = app->anybody();
  auto like = anybody.get(path(emma));
  REQUIRE(like.status == 200);
  CHECK(like[0].at("id") == pride);
  CHECK(!has(like, emma));
  CHECK(anybody.get(path(4242)).status == 404);
  CHECK(anybody.get("/api/v1/recommendations/similar/x").status == 422);
  train(*app);
  const auto late = app->book("Persuasion", "Jane Austen", R"("genre":"Romance")");
  like = anybody.get(path(late) + "?limit=2");
  REQUIRE(like.status == 200);
  REQUIRE(like.size() == 2);
  CHECK(std::set{like[0].at("id").as_int64(), like[1].at("id").as_int64()} == std::set{emma, pride});
  CHECK(has(anybody.get(path(emma)), late));
  CHECK(ids_of(anybody.get(fmt::format("{}?exclude={}", path(emma), pride))).front() == late);
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", late)).status == 204);
  CHECK(anybody.get(path(late)).status == 404);
  CHECK(!has(anybody.get(path(emma)), late));
  const auto page = anybody.get(fmt::format("/api/v1/books/{}?expand=similar", emma));
  REQUIRE(page["similar"].is_array());
  CHECK(page["similar"].at(0).at("id") == pride);
}

TEST_CASE("popular counts people in a window, trending what is new", "[H12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto old_book = app->book("Old", "A", R"("copies":9)");
  const auto new_book = app->book("New", "B", R"("copies":9)");
  for (int p = 1; p <= 3; ++p) borrow(*app, p, old_book);
  app->clock().advance(std::chrono::days(40));
  for (int p = 4; p <= 5; ++p) borrow(*app, p, new_book);
  auto anybody = app->anybody();
  auto list = anybody.get("/api/v1/books/popular");
  REQUIRE(list.status == 200);
  CHECK(ids_of(list) == std::vector{new_book});
  CHECK(list[0].at("readers") == 2);
  list = anybody.get("/api/v1/books/popular?window=60d");
  CHECK(ids_of(list) == std::vector{old_book, new_book});
  CHECK(list[0].at("readers") == 3);
  CHECK(ids_of(anybody.get("/api/v1/books/popular?window=90d&order=trending")) ==
        std::vector{new_book, old_book});
  for (const auto* wrong : {"0d", "30", "d", "99999999d", "5y"})
    CHECK(anybody.get(fmt::format("/api/v1/books/popular?window={}", wrong)).status == 422);
  // One person counts once, however often.
  for (int i = 0; i < 3; ++i) {
    give_back(*app, 4, new_book);
    borrow(*app, 4, new_book);
  }
  CHECK(anybody.get("/api/v1/books/popular")[0].at("readers") == 2);
}

TEST_CASE("half of an older loan's weight is gone after the half-life that is configured", "[H12]") {
  const auto half_life = GENERATE(5, 400);
  auto app = TestApp::on(Database::sqlite, [&](config::Config& c) { c.recs_half_life_days = half_life; });
  const auto old_book = app->book("Old", "A", R"("copies":9)");
  const auto new_book = app->book("New", "B", R"("copies":9)");
  for (int p = 1; p <= 3; ++p) borrow(*app, p, old_book);
  app->clock().advance(std::chrono::days(20));
  for (int p = 4; p <= 5; ++p) borrow(*app, p, new_book);
  const auto first = ids_of(app->anybody().get("/api/v1/books/popular?order=trending")).front();
  CHECK(first == (half_life == 5 ? new_book : old_book));
}

TEST_CASE("what is said of a book counts: dismissed ones never return", "[H10][H15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 6; ++i) books.push_back(app->book(fmt::format("Book {}", i), fmt::format("A{}", i)));
  auto reader = app->patron(1);
  const auto say = [&](std::int64_t book, std::string_view action) {
    return reader.post("/api/v1/recommendations/feedback",
                       fmt::format(R"({{"book_id":{},"action":"{}"}})", book, action));
  };
  const auto before = ids_of(reader.get("/api/v1/recommendations/"));
  REQUIRE(before.size() == 6);
  CHECK(say(before[0], "dismiss").status == 204);
  CHECK(say(before[1], "dislike").status == 204);
  CHECK(say(before[2], "click").status == 204);
  CHECK(say(4242, "like").status == 404);
  CHECK(say(before[0], "burn").status == 422);
  CHECK(app->anybody().post("/api/v1/recommendations/feedback", R"({"book_id":1,"action":"like"})").status ==
        401);
  auto list = reader.get("/api/v1/recommendations/?exclude_read=false");
  CHECK(!has(list, before[0]));
  CHECK(!has(list, before[1]));
  train(*app);
  list = reader.get("/api/v1/recommendations/");
  CHECK(!has(list, before[0]));
  CHECK(!has(list, before[1]));
  CHECK(say(before[0], "like").status == 204);
  CHECK(has(reader.get("/api/v1/recommendations/"), before[0]));
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'recommendation.feedback'") == 4);
}

TEST_CASE("a book that is shown again and again and never opened gives way", "[H15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto first = app->book("First", "A", R"("copies":9)");
  const auto second = app->book("Second", "B", R"("copies":9)");
  for (int p = 2; p <= 5; ++p) borrow(*app, p, first);
  for (int p = 3; p <= 5; ++p) borrow(*app, p, second);
  auto reader = app->patron(1);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")) == std::vector{first, second});
  for (int i = 0; i < 12; ++i)
    CHECK(reader
              .post("/api/v1/recommendations/feedback",
                    fmt::format(R"({{"book_id":{},"action":"shown"}})", first))
              .status == 204);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")) == std::vector{second, first});
  CHECK(ids_of(app->patron(6).get("/api/v1/recommendations/")) == std::vector{first, second});
}

TEST_CASE("with full diversity no author comes twice in ten", "[H16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (int a = 0; a < 12; ++a)
    for (int i = 0; i < 3; ++i) {
      const auto book = app->book(fmt::format("Book {} {}", a, i), fmt::format("Author {}", a),
                                  R"("genre":"Poetry","copies":2)");
      if (a < 2) borrow(*app, 2, book);
    }
  auto reader = app->patron(1);
  const auto distinct = [&](std::string_view diversity) {
    std::set<std::string> authors;
    const auto list = reader.get(fmt::format("/api/v1/recommendations/?diversity={}", diversity));
    CHECK(list.size() == 10);
    for (const auto& book : list.json.as_array()) authors.insert(text(book.at("author")));
    return authors.size();
  };
  CHECK(distinct("0") < 10);
  CHECK(distinct("1") == 10);
}

TEST_CASE("staff ask for many people at once, strangers by what they looked at", "[H23][H25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto hobbit = app->book("The Hobbit", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":2)");
  const auto rings = app->book("The Lord of the Rings", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":2)");
  const auto soups = app->book("Soups", "Ann Cook", R"("genre":"Cooking","copies":2)");
  borrow(*app, 5, soups);
  std::string users;
  for (int p = 1; p <= 20; ++p) users += fmt::format("{}{}", p > 1 ? "," : "", app->patron(p).user_id());
  const auto body = fmt::format(R"({{"users":[{}],"limit":2}})", users);
  const auto lists = app->librarian().post("/api/v1/recommendations/batch", body);
  REQUIRE(lists.status == 200);
  REQUIRE(lists.size() == 20);
  for (const auto& entry : lists.json.as_array()) {
    CHECK(entry.at("books").as_array().size() == 2);
    if (entry.at("user_id") == app->patron(5).user_id())
      for (const auto& book : entry.at("books").as_array()) CHECK(book.at("id") != soups);
  }
  CHECK(app->patron(1).post("/api/v1/recommendations/batch", body).status == 403);
  CHECK(app->librarian().post("/api/v1/recommendations/batch", R"({"users":[99999]})").status == 404);
  CHECK(app->librarian().post("/api/v1/recommendations/batch", R"({"users":[]})").status == 422);

  auto anybody = app->anybody();
  const auto session = [&](std::string_view ids) {
    return anybody.post("/api/v1/recommendations/session", fmt::format(R"({{"books":[{}]}})", ids));
  };
  const auto visitor = session(std::to_string(hobbit));
  REQUIRE(visitor.status == 200);
  CHECK(visitor[0].at("id") == rings);
  CHECK(text(visitor[0].at("reason")).starts_with("Because you looked at The Hobbit"));
  CHECK(!has(visitor, hobbit));
  CHECK(session("").size() == 3);
  CHECK(session("424242").size() == 3);
  CHECK(anybody.post("/api/v1/recommendations/session", "{}").status == 422);
}

TEST_CASE("who does not want it is not recommended to, and is forgotten when asked", "[H28]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto hobbit = app->book("The Hobbit", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":4)");
  const auto rings = app->book("The Lord of the Rings", "J.R.R. Tolkien", R"("genre":"Fantasy","copies":4)");
  const auto soups = app->book("Soups", "Ann Cook", R"("genre":"Cooking","copies":4)");
  for (int p = 5; p <= 7; ++p) borrow(*app, p, soups);
  borrow(*app, 1, hobbit);
  auto reader = app->patron(1);
  const auto path = "/api/v1/users/me/recommendations";
  CHECK(reader.get(path)["personal"] == true);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")).front() == rings);

  CHECK(reader.put(path, R"({"personal":false})")["personal"] == false);
  auto list = reader.get("/api/v1/recommendations/");
  CHECK(ids_of(list) == std::vector{soups, rings});
  for (const auto& book : list.json.as_array()) CHECK(!book.as_object().contains("similar_to"));
  CHECK(reader.put(path, R"({"personal":true})")["personal"] == true);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")).front() == rings);

  reader.post("/api/v1/recommendations/feedback", fmt::format(R"({{"book_id":{},"action":"click"}})", rings));
  const auto record = reader.get("/api/v1/users/me/export");
  REQUIRE(record["recommendation_feedback"].is_array());
  CHECK(record["recommendation_feedback"].at(0).at("action") == "click");
  CHECK(reader.del(path).status == 204);
  CHECK(!reader.get(path)["forgotten_at"].is_null());
  list = reader.get("/api/v1/recommendations/");
  CHECK(ids_of(list).front() == soups);
  CHECK(!has(list, hobbit));
  CHECK(app->number("SELECT count(*) FROM recommendation_feedback") == 0);
  app->clock().advance(std::chrono::minutes(5));
  reader.post("/api/v1/recommendations/feedback", fmt::format(R"({{"book_id":{},"action":"like"}})", rings));
  CHECK(app->number("SELECT count(*) FROM recommendation_feedback") == 1);
  give_back(*app, 1, hobbit);
  REQUIRE(reader.del("/api/v1/users/me").status == 204);
  CHECK(app->number("SELECT count(*) FROM recommendation_feedback") == 0);
  CHECK(app->number("SELECT count(*) FROM recommendation_people") == 0);
}

TEST_CASE("the dashboard shows recommendations, metrics count them", "[H29][J6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (int i = 0; i < 7; ++i) app->book(fmt::format("Book {}", i), "Ann");
  auto reader = app->patron(1);
  CHECK(reader.get("/api/v1/dashboard")["recommendations"].as_array().size() == 5);
  reader.get("/api/v1/recommendations/?limit=4");
  reader.get("/api/v1/recommendations/?limit=2&strategy=popular");
  app->anybody().get("/api/v1/recommendations/similar/1?limit=3");
  const auto metrics = app->app().metrics().render();
  const auto line = [&](std::string_view algo, int n) {
    const auto wanted = fmt::format("luminalib_recommendations_served_total{{algo=\"{}\"}} {}\n", algo, n);
    CAPTURE(wanted);
    CHECK(metrics.find(wanted) != std::string::npos);
  };
  line("hybrid", 9);
  line("popular", 2);
  line("similar", 3);
  CHECK(metrics.find("luminalib_pool_depth{pool=\"recs\"}") != std::string::npos);
}
