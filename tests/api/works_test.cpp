// Works and their editions: reviews that are shared, and waiting for any of them.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer work_of(TestApp& app, const std::vector<std::int64_t>& books) {
  return app.librarian().post("/api/v1/works", fmt::format(R"({{"books":[{}]}})", fmt::join(books, ",")));
}
Answer borrow(Client client, std::int64_t book) {
  return client.post(fmt::format("/api/v1/borrows/{}/borrow", book));
}
Answer give_back(Client client, std::int64_t book) {
  return client.post(fmt::format("/api/v1/borrows/{}/return", book));
}
Answer review(Client client, std::int64_t book, double rating) {
  return client.post(
      "/api/v1/reviews",
      fmt::format(R"({{"book_id":{},"review_text":"A book worth reading.","rating":{}}})", book, rating));
}
std::string counters_off() {
  return "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE "
         "h.book_id = "
         "s.book_id AND h.ended_at IS NULL)";
}

}  // namespace

TEST_CASE("two editions share reviews", "[B31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto first = app->book("Emma", "Jane Austen", R"("year_published":1815)"),
             second = app->book("Emma (annotated)", "Jane Austen", R"("year_published":2012)"),
             other = app->book("Persuasion");
  const auto work = work_of(*app, {second, first});
  REQUIRE(work.status == 201);
  CHECK(work.header("Location") == fmt::format("/api/v1/works/{}", work.id()));
  CHECK(work["title"] == "Emma (annotated)");
  CHECK(work["books"].at(0).at("id") == first);
  for (const auto& [reader, book, rating] : {std::tuple(1, first, 5.0), std::tuple(2, second, 2.0),
                                             std::tuple(3, second, 2.0), std::tuple(4, other, 1.0)}) {
    auto client = app->patron(reader);
    REQUIRE(borrow(client, book).status == 201);
    REQUIRE(review(client, book, rating).status == 201);
    REQUIRE(give_back(client, book).status == 200);
  }
  const auto path = fmt::format("/api/v1/works/{}", work.id());
  const auto read = app->anybody().get(path);
  CHECK(read["review_count"] == 3);
  CHECK(read["average_rating"].to_number<double>() == Approx(3.0));
  CHECK(read["copies_available"] == 2);
  const auto reviews = app->anybody().get(path + "/reviews?sort=rating");
  REQUIRE(reviews.size() == 3);
  CHECK(reviews[2].at("book_id") == first);
  CHECK(app->anybody().get(path + "/reviews?limit=1").header("X-Total-Count") == "3");
  CHECK(app->anybody().get("/api/v1/works/4242/reviews").status == 404);
  CHECK(app->anybody().get("/api/v1/works/4242").status == 404);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", first))["work_id"] == work.id());
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/editions", first))[0].at("id") == second);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}/editions", other)).size() == 0);
  CHECK(app->anybody().get("/api/v1/books/4242/editions").status == 404);
  CHECK(app->anybody().get(fmt::format("/api/v1/books?work={}", work.id())).size() == 2);

  CHECK(work_of(*app, {other, first}).code() == "in_another_work");
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", other))["work_id"].is_null());
  CHECK(work_of(*app, {}).status == 422);
  CHECK(work_of(*app, {4242}).status == 404);
  CHECK(app->patron().post("/api/v1/works", fmt::format(R"({{"books":[{}]}})", other)).status == 403);
  CHECK(librarian.put(path + fmt::format("/books/{}", other), "")["editions"] == 3);
  CHECK(librarian.put(path + "/books/4242", "").status == 404);
  CHECK(librarian.put(fmt::format("/api/v1/works/4242/books/{}", other), "").status == 404);
  CHECK(librarian.del(path + fmt::format("/books/{}", other)).status == 204);
  CHECK(librarian.del(path + fmt::format("/books/{}", other)).status == 404);
  CHECK(app->anybody().get(path)["editions"] == 2);
}

TEST_CASE("a wish for any edition is fulfilled by the first copy of any", "[B31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto ann = app->patron(1), bob = app->patron(2), cleo = app->patron(3);
  const auto first = app->book("Emma"), second = app->book("Emma, again");
  const auto work = work_of(*app, {first, second});
  const auto wish = [&](Client client) {
    return client.post(fmt::format("/api/v1/works/{}/holds", work.id()));
  };
  REQUIRE(borrow(ann, first).status == 201);
  REQUIRE(borrow(bob, second).status == 201);
  const auto placed = wish(cleo);
  REQUIRE(placed.status == 201);
  CHECK(placed["status"] == "waiting");
  CHECK(placed.header("Location") == fmt::format("/api/v1/holds/{}", placed.id()));
  CHECK(app->number("SELECT count(*) FROM holds WHERE status = 'waiting'") == 2);
  CHECK(wish(cleo).code() == "hold_exists");
  CHECK(wish(ann).code() == "active_borrow_exists");
  CHECK(cleo.post("/api/v1/works/4242/holds").status == 404);
  CHECK(app->anybody().post(fmt::format("/api/v1/works/{}/holds", work.id())).status == 401);

  REQUIRE(give_back(bob, second).status == 200);
  CHECK(app->number("SELECT count(*) FROM holds WHERE status = 'waiting'") == 0);
  CHECK(app->number(fmt::format("SELECT book_id FROM holds WHERE status = 'ready'")) == second);
  CHECK(app->number(counters_off()) == 0);
  REQUIRE(give_back(ann, first).status == 200);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", first))["copies_available"] == 1);
  CHECK(borrow(cleo, second).status == 201);
  CHECK(app->number("SELECT count(*) FROM holds WHERE ended_at IS NULL") == 0);
  CHECK(app->number("SELECT count(*) FROM holds WHERE status = 'fulfilled'") == 1);

  // A copy that is free is kept at once; giving up one hold gives up the wish.
  const auto now = wish(ann);
  CHECK(now["status"] == "ready");
  CHECK(now["book_id"] == first);
  REQUIRE(app->number("SELECT count(*) FROM holds WHERE ended_at IS NULL") == 1);
  REQUIRE(wish(bob).status == 201);
  const auto own = bob.get("/api/v1/holds?status=waiting");
  REQUIRE(own.size() == 2);
  REQUIRE(bob.del(fmt::format("/api/v1/holds/{}", own[0].at("id").as_int64())).status == 200);
  CHECK(bob.get("/api/v1/holds?status=waiting").size() == 0);
  CHECK(app->number(counters_off()) == 0);
}

TEST_CASE("editions that come back at once keep one copy for a wish", "[B31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> editions;
  constexpr int readers = 4;
  for (int i = 0; i < readers; ++i) editions.push_back(app->book(fmt::format("Emma {}", i)));
  const auto work = work_of(*app, editions);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < readers; ++i)
      REQUIRE(borrow(app->patron(i + 1), editions[static_cast<std::size_t>(i)]).status == 201);
    auto wisher = app->patron(readers + 1);
    REQUIRE(wisher.post(fmt::format("/api/v1/works/{}/holds", work.id())).status == 201);
    std::vector<Client> clients;
    for (int i = 0; i < readers; ++i) clients.push_back(app->patron(i + 1));
    std::atomic<int> back{0};
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < readers; ++i)
        threads.emplace_back([&, i] { back += give_back(clients[i], editions[i]).status == 200 ? 1 : 0; });
    }
    CHECK(back == readers);
    CHECK(app->number("SELECT count(*) FROM holds WHERE status = 'ready'") == 1);
    CHECK(app->number("SELECT count(*) FROM holds WHERE status = 'waiting'") == 0);
    CHECK(app->number("SELECT count(*) FROM copies WHERE status = 'on_hold'") == 1);
    CHECK(app->number(counters_off()) == 0);
    const auto kept = wisher.get("/api/v1/holds?status=ready");
    REQUIRE(kept.size() == 1);
    const auto book = kept[0].at("book_id").as_int64();
    REQUIRE(borrow(wisher, book).status == 201);
    REQUIRE(give_back(wisher, book).status == 200);
  }
}
