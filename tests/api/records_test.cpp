// Records over time: history and revert, deletion and restoring, duplicates, merging and undoing.
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string path_of(std::int64_t book) { return fmt::format("/api/v1/books/{}", book); }

Answer merge(TestApp& app, std::int64_t into, const std::vector<std::int64_t>& from, std::string more = "") {
  return app.librarian().post(
      "/api/v1/books/merge", fmt::format(R"({{"into":{},"from":[{}]{}}})", into, fmt::join(from, ","), more));
}
Answer undo(TestApp& app, std::int64_t set) {
  return app.librarian().post(fmt::format("/api/v1/admin/change-sets/{}/undo", set));
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
Answer hold(Client client, std::int64_t book) {
  return client.post(fmt::format("/api/v1/books/{}/holds", book));
}

// What the tables say of all books, without what merely records the passing of time.
std::string everything(TestApp& app) {
  std::string out;
  auto look = [&](db::Transaction& tx) -> Status {
    out.clear();
    const auto add = [&](std::string name, std::string_view sql) {
      out += name + "\n";
      tx.each<std::string>([&](std::string row) { out += row + "\n"; }, sql);
    };
    add("books",
        "SELECT CAST(id AS TEXT) || '|' || title || '|' || coalesce(isbn, '-') || '|' || coalesce(genre, "
        "'-') || "
        "'|' || tags || '|' || coalesce(CAST(merged_into AS TEXT), '-') || '|' || CASE WHEN deleted_at IS "
        "NULL "
        "THEN 'here' ELSE 'gone' END FROM books ORDER BY id");
    add("copies",
        "SELECT CAST(id AS TEXT) || '|' || CAST(book_id AS TEXT) || '|' || coalesce(barcode, '-') || '|' || "
        "status FROM copies ORDER BY id");
    add("loans",
        "SELECT CAST(id AS TEXT) || '|' || CAST(book_id AS TEXT) || '|' || CAST(copy_id AS TEXT) || '|' || "
        "status "
        "FROM borrows ORDER BY id");
    add("holds",
        "SELECT CAST(id AS TEXT) || '|' || CAST(book_id AS TEXT) || '|' || status || '|' || CAST(line AS "
        "TEXT) "
        "FROM holds ORDER BY id");
    add("reviews", "SELECT CAST(id AS TEXT) || '|' || CAST(book_id AS TEXT) FROM reviews ORDER BY id");
    add("lists",
        "SELECT CAST(collection_id AS TEXT) || '|' || CAST(book_id AS TEXT) FROM collection_books ORDER BY "
        "collection_id, book_id");
    add("tags", "SELECT CAST(book_id AS TEXT) || '|' || tag FROM book_tags ORDER BY book_id, tag");
    add("stats",
        "SELECT CAST(book_id AS TEXT) || '|' || CAST(copies_total AS TEXT) || '|' || CAST(copies_available "
        "AS "
        "TEXT) || '|' || CAST(active_borrows AS TEXT) || '|' || CAST(total_borrows AS TEXT) || '|' || "
        "CAST(holds_open AS TEXT) || '|' || CAST(review_count AS TEXT) || '|' || CAST(rating_halves AS TEXT) "
        "FROM "
        "book_stats ORDER BY book_id");
    add("ratings",
        "SELECT CAST(book_id AS TEXT) || '|' || CAST(half_stars AS TEXT) || '|' || CAST(count AS TEXT) FROM "
        "rating_counts WHERE count > 0 ORDER BY book_id, half_stars");
    return {};
  };
  REQUIRE(app.app().database().read_now(look));
  return out;
}

// The counters equal a recount.
void check_counters(TestApp& app) {
  CHECK(app.number(
            "SELECT count(*) FROM book_stats s WHERE s.active_borrows <> (SELECT count(*) FROM borrows o "
            "WHERE o.book_id = s.book_id AND o.status <> 'returned')") == 0);
  CHECK(
      app.number("SELECT count(*) FROM book_stats s WHERE s.total_borrows <> (SELECT count(*) FROM borrows o "
                 "WHERE o.book_id = s.book_id)") == 0);
  CHECK(app.number(
            "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE "
            "h.book_id = s.book_id AND h.ended_at IS NULL)") == 0);
  CHECK(app.number("SELECT count(*) FROM book_stats s WHERE s.copies_total <> (SELECT count(*) FROM copies c "
                   "WHERE c.book_id = s.book_id AND c.status NOT IN ('lost','missing','withdrawn'))") == 0);
  CHECK(
      app.number("SELECT count(*) FROM book_stats s WHERE s.review_count <> (SELECT count(*) FROM reviews r "
                 "WHERE r.book_id = s.book_id AND r.standing IN ('shown','cleared'))") == 0);
  CHECK(app.number("SELECT count(*) FROM borrows o JOIN copies c ON c.id = o.copy_id WHERE c.book_id <> "
                   "o.book_id") == 0);
}

}  // namespace

TEST_CASE("a record's history says what changed and who changed it, and goes back", "[B34]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto id = app->book("Ema", "Jane Austen", R"("genre":"Fiction","tags":["classic"])");
  const auto path = path_of(id);
  app->clock().advance(std::chrono::minutes(10));
  REQUIRE(librarian.patch(path, R"({"title":"Emma","tags":["classic","love"]})").status == 200);
  REQUIRE(app->admin().patch(path, R"({"genre":null,"year_published":1815})").status == 200);
  REQUIRE(librarian.patch(path, R"({"year_published":1815})").status == 200);

  const auto history = librarian.get(path + "/history");
  REQUIRE(history.status == 200);
  REQUIRE(history.size() == 4);
  CHECK(history.header("X-Total-Count") == "4");
  CHECK(history[3].at("action") == "created");
  CHECK(history[3].at("version") == 1);
  CHECK(history[3].at("changes").as_array().empty());
  CHECK(history[2].at("user_id") == librarian.user_id());
  CHECK(
      boost::json::serialize(history[2].at("changes")) ==
      R"([{"field":"title","before":"Ema","after":"Emma"},{"field":"tags","before":["classic"],"after":["classic","love"]}])");
  CHECK(history[2].at("at") == "2026-11-22T10:10:00Z");
  CHECK(history[1].at("user_id") == app->admin().user_id());
  CHECK(history[1].at("user_name").is_string());
  CHECK(history[0].at("changes").as_array().empty());
  CHECK(librarian.get(path + "/history?limit=1&skip=1")[0].at("version") == 3);

  CHECK(app->patron().get(path + "/history").status == 403);
  CHECK(app->anybody().get(path + "/history").status == 401);
  CHECK(librarian.get("/api/v1/books/4242/history").status == 404);
  CHECK(librarian.get(path + "/history?cursor=x").status == 422);

  const auto etag = librarian.get(path).header("ETag");
  const auto back = librarian.post(path + "/revert", R"({"version":1})", {{"If-Match", etag}});
  REQUIRE(back.status == 200);
  CHECK(back["title"] == "Ema");
  CHECK(back["genre"] == "Fiction");
  CHECK(back["year_published"].is_null());
  CHECK(boost::json::serialize(back["tags"]) == R"(["classic"])");
  CHECK(librarian.post(path + "/revert", R"({"version":2})", {{"If-Match", etag}}).status == 412);
  const auto forth = librarian.post(path + "/revert", R"({"version":3})");
  CHECK(forth["title"] == "Emma");
  CHECK(forth["year_published"] == 1815);
  CHECK(librarian.get(path + "/history")[0].at("action") == "reverted");
  CHECK(librarian.post(path + "/revert", R"({"version":77})").status == 422);
  CHECK(librarian.post(path + "/revert", R"({"version":0})").status == 422);
  CHECK(librarian.post("/api/v1/books/4242/revert", R"({"version":1})").status == 404);
  CHECK(app->patron().post(path + "/revert", R"({"version":1})").status == 403);
  CHECK(librarian.get("/api/v1/books?tag=love").size() == 1);
}

TEST_CASE("any way through versions leads back to each of them", "[B34]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto id = app->book("Start", "Somebody");
  std::mt19937 random(7);
  std::vector<std::string> states;  // by version, from 1
  const auto state = [&] {
    auto book = librarian.get(path_of(id)).json.as_object();
    for (const auto* name : {"updated_at", "created_at"}) book.erase(name);
    return boost::json::serialize(book);
  };
  states.push_back(state());
  for (int step = 0; step < 25; ++step) {
    const int what = static_cast<int>(random() % 5);
    const auto n = random() % 100;
    if (what == 0)
      REQUIRE(librarian
                  .patch(path_of(id),
                         fmt::format(R"({{"title":"T{}","series":"S{}","series_index":{}}})", n, n % 3, n))
                  .status == 200);
    else if (what == 1)
      REQUIRE(
          librarian.patch(path_of(id), fmt::format(R"({{"metadata":{{"k{}":{}}},"genre":null}})", n % 4, n))
              .status == 200);
    else if (what == 2)
      REQUIRE(librarian.patch(path_of(id), fmt::format(R"({{"subjects":["A{}","B"],"ddc":"8{:02}"}})", n, n))
                  .status == 200);
    else {
      const auto version = random() % states.size();
      REQUIRE(
          librarian.post(path_of(id) + "/revert", fmt::format(R"({{"version":{}}})", version + 1)).status ==
          200);
      CHECK(state() == states[version]);
    }
    states.push_back(state());
  }
}

TEST_CASE("a deleted book comes back with its copies, reviews and places within thirty days", "[B35]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto reader = app->patron();
  const auto id = app->book("Emma", "Jane Austen", R"("isbn":"0306406152","copies":2,"tags":["love"])");
  REQUIRE(borrow(reader, id).status == 201);
  REQUIRE(give_back(reader, id).status == 200);
  REQUIRE(review(reader, id, 4.5).status == 201);
  const auto list = reader.post("/api/v1/lists", R"({"name":"Mine"})");
  REQUIRE(reader.post(fmt::format("/api/v1/lists/{}/books/{}", list.id(), id)).status == 201);
  const auto before = everything(*app);
  REQUIRE(librarian.del(path_of(id)).status == 204);
  CHECK(app->anybody().get(path_of(id)).status == 404);
  CHECK(librarian.get("/api/v1/search?q=emma")["total"] == 0);
  const auto gone = librarian.get("/api/v1/admin/deleted-books");
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].at("id") == id);
  CHECK(gone[0].at("restorable_until") == "2026-12-22T10:00:00Z");
  CHECK(app->patron().get("/api/v1/admin/deleted-books").status == 403);
  CHECK(app->patron().post(path_of(id) + "/restore").status == 403);
  CHECK(librarian.post("/api/v1/books/4242/restore").status == 404);

  app->clock().advance(std::chrono::hours(24 * 29));
  librarian = app->librarian();
  const auto back = librarian.post(path_of(id) + "/restore");
  REQUIRE(back.status == 200);
  CHECK(back["copies_available"] == 2);
  CHECK(back["review_count"] == 1);
  CHECK(everything(*app) == before);
  check_counters(*app);
  CHECK(app->anybody().get(fmt::format("/api/v1/reviews/book/{}", id)).size() == 1);
  CHECK(librarian.get("/api/v1/search?q=emma")["total"] == 1);
  CHECK(librarian.get("/api/v1/books?tag=love").size() == 1);
  CHECK(borrow(app->patron(2), id).status == 201);
  CHECK(librarian.post(path_of(id) + "/restore").status == 404);
  CHECK(librarian.get(path_of(id) + "/history")[0].at("action") == "restored");

  REQUIRE(give_back(app->patron(2), id).status == 200);
  REQUIRE(librarian.del(path_of(id)).status == 204);
  const auto sets = librarian.get("/api/v1/admin/change-sets");
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].at("kind") == "deletion");
  CHECK(!sets[1].at("undone_at").is_null());
  // Another book has the ISBN by now.
  const auto other = app->book("Other", "Somebody", R"("isbn":"0306406152")");
  CHECK(librarian.post(path_of(id) + "/restore").code() == "duplicate_isbn");
  REQUIRE(librarian.patch(path_of(other), R"({"isbn":null})").status == 200);
  app->clock().advance(std::chrono::hours(24 * 30 + 1));
  librarian = app->librarian();
  CHECK(librarian.post(path_of(id) + "/restore").code() == "too_late");
  CHECK(undo(*app, sets[0].at("id").as_int64()).code() == "too_late");
  CHECK(app->number("SELECT count(*) FROM books WHERE deleted_at IS NULL") == 1);
}

TEST_CASE("a merge moves copies, loans, holds, reviews and places, redirects, and is undone", "[B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto ann = app->patron(1), bob = app->patron(2), cleo = app->patron(3), dan = app->patron(4);
  const auto into = app->book("Emma", "Jane Austen", R"("tags":["classic"])");
  const auto from = app->book("Emma", "Austen, Jane",
                              R"("isbn":"0306406152","genre":"Fiction","tags":["love"],"copies":2)");
  REQUIRE(borrow(ann, from).status == 201);
  REQUIRE(borrow(bob, into).status == 201);
  REQUIRE(borrow(dan, from).status == 201);
  REQUIRE(give_back(dan, from).status == 200);
  REQUIRE(review(dan, from, 5).status == 201);
  REQUIRE(borrow(dan, from).status == 201);
  REQUIRE(review(bob, into, 2).status == 201);
  REQUIRE(hold(cleo, from).status == 201);
  REQUIRE(hold(cleo, into).status == 201);
  app->clock().advance(std::chrono::minutes(1));
  REQUIRE(hold(ann, into).status == 201);
  const auto list = ann.post("/api/v1/lists", R"({"name":"Mine"})");
  const auto both = bob.post("/api/v1/lists", R"({"name":"Both"})");
  for (const auto& [who, where, book] :
       {std::tuple(ann, list.id(), from), std::tuple(bob, both.id(), from), std::tuple(bob, both.id(), into)})
    REQUIRE(Client(who).post(fmt::format("/api/v1/lists/{}/books/{}", where, book)).status == 201);
  const auto before = everything(*app);

  const auto merged = merge(*app, into, {from});
  REQUIRE(merged.status == 200);
  CHECK(merged["kind"] == "merge");
  CHECK(merged["book_id"] == into);
  check_counters(*app);
  const auto book = app->anybody().get(path_of(into));
  CHECK(book["copies_total"] == 3);
  CHECK(book["isbn"] == "9780306406157");
  CHECK(book["genre"] == "Fiction");
  CHECK(boost::json::serialize(book["tags"]) == R"(["classic","love"])");
  CHECK(book["review_count"] == 2);
  CHECK(book["average_rating"].to_number<double>() == Approx(3.5));
  const auto moved = app->anybody().get(path_of(from) + "?fields=id,title");
  CHECK(moved.status == 301);
  CHECK(moved.header("Location") == path_of(into) + "?fields=id,title");
  CHECK(app->anybody().get(path_of(from), {{"Accept", "application/ld+json"}}).status == 301);
  for (const auto* part : {"copies", "reviews", "analysis", "summary"}) {
    const auto there = app->anybody().get(fmt::format("{}/{}", path_of(from), part));
    CAPTURE(part);
    CHECK(there.status == 301);
    CHECK(there.header("Location") == fmt::format("{}/{}", path_of(into), part));
  }
  const auto free = app->anybody().get(fmt::format("/api/v1/borrows/book/{}/availability", from));
  CHECK(free.status == 301);
  // A loan that moved is given back under either number; nothing happens before the second request.
  const auto returning = give_back(ann, from);
  CHECK(returning.status == 308);
  CHECK(returning.header("Location") == fmt::format("/api/v1/borrows/{}/return", into));
  CHECK(app->anybody().get(fmt::format("/api/v1/reviews/book/{}", into)).size() == 2);
  CHECK(ann.get(fmt::format("/api/v1/collections/{}/books", list.id()))[0].at("book").at("id") == into);
  CHECK(bob.get(fmt::format("/api/v1/collections/{}/books", both.id())).size() == 1);
  CHECK(app->number("SELECT count(*) FROM holds WHERE ended_at IS NULL") ==
        1);  // Ann has the book, Cleo had two
  CHECK(give_back(ann, into).status == 200);
  CHECK(borrow(ann, into).status == 400);  // kept for Cleo
  check_counters(*app);
  CHECK(librarian.get("/api/v1/search?q=emma")["total"] == 1);
  CHECK(librarian.post(path_of(from) + "/restore").code() == "merged");

  SECTION("what happened since stays, and the counters are right") {
    const auto undone = undo(*app, merged.id());
    REQUIRE(undone.status == 200);
    CHECK(!undone["undone_at"].is_null());
    check_counters(*app);
    CHECK(app->anybody().get(path_of(from))["copies_total"] == 2);
    CHECK(app->anybody().get(path_of(into))["isbn"].is_null());
    CHECK(app->anybody().get(path_of(from))["isbn"] == "9780306406157");
    CHECK(undo(*app, merged.id()).code() == "already_undone");
    CHECK(give_back(dan, from).status == 200);
    check_counters(*app);
  }
}

TEST_CASE("undoing a merge at once restores all of it", "[B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto ann = app->patron(1), bob = app->patron(2), cleo = app->patron(3);
  const auto into = app->book("Emma", "Jane Austen", R"("tags":["classic"])");
  const auto from = app->book("Emma", "Austen, Jane", R"("isbn":"0306406152","tags":["love"])");
  const auto third = app->book("Emma!", "Jane AUSTEN", R"("genre":"Novel")");
  REQUIRE(borrow(ann, from).status == 201);
  REQUIRE(review(ann, from, 3).status == 201);
  REQUIRE(borrow(bob, into).status == 201);
  REQUIRE(hold(cleo, from).status == 201);
  REQUIRE(hold(cleo, into).status == 201);
  REQUIRE(borrow(cleo, third).status == 201);
  REQUIRE(review(cleo, third, 1).status == 201);
  const auto list = ann.post("/api/v1/lists", R"({"name":"Mine"})");
  REQUIRE(ann.post(fmt::format("/api/v1/lists/{}/books/{}", list.id(), from)).status == 201);
  const auto before = everything(*app);
  const auto merged = merge(*app, into, {third, from});
  REQUIRE(merged.status == 200);
  CHECK(everything(*app) != before);
  REQUIRE(undo(*app, merged.id()).status == 200);
  CHECK(everything(*app) == before);
  check_counters(*app);
}

TEST_CASE("merges are undone in the order in which they can be", "[B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto a = app->book("A Book", "Writer"), b = app->book("A Book!", "Writer"),
             c = app->book("A Book?", "Writer");
  const auto first = merge(*app, b, {a});
  REQUIRE(first.status == 200);
  const auto second = merge(*app, c, {b});
  REQUIRE(second.status == 200);
  CHECK(app->anybody().get(path_of(a)).header("Location") == path_of(c));
  CHECK(app->anybody().get(path_of(c))["copies_total"] == 3);
  CHECK(undo(*app, first.id()).code() == "changed_since");
  REQUIRE(undo(*app, second.id()).status == 200);
  CHECK(app->anybody().get(path_of(a)).header("Location") == path_of(b));
  REQUIRE(undo(*app, first.id()).status == 200);
  for (const auto id : {a, b, c}) CHECK(app->anybody().get(path_of(id))["copies_total"] == 1);
  check_counters(*app);

  CHECK(merge(*app, a, {a}).status == 422);
  CHECK(merge(*app, a, {b, b}).status == 422);
  CHECK(merge(*app, a, {}).status == 422);
  CHECK(merge(*app, a, {4242}).status == 404);
  CHECK(merge(*app, 4242, {a}).status == 404);
  CHECK(undo(*app, 4242).status == 404);
  CHECK(librarian.get("/api/v1/admin/change-sets/4242").status == 404);
  CHECK(librarian.get(fmt::format("/api/v1/admin/change-sets/{}", first.id()))["books"].at(0) == a);
  auto reader = app->patron();
  REQUIRE(borrow(reader, a).status == 201);
  REQUIRE(borrow(reader, b).status == 201);
  const auto twice = merge(*app, a, {b});
  CHECK(twice.status == 400);
  CHECK(twice.code() == "on_loan_twice");
  CHECK(app->anybody().get(path_of(b)).status == 200);
  CHECK(reader.post("/api/v1/books/merge", fmt::format(R"({{"into":{},"from":[{}]}})", a, c)).status == 403);
}

TEST_CASE("duplicates are found by record, subtitle and slip, and can be told apart", "[B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto one = app->book("The Hobbit", "J. R. R. Tolkien"),
             two = app->book("Hobbit, The", "Tolkien, J.R.R.");
  const auto three = app->book("Frankenstein", "Mary Shelley"),
             four = app->book("Frankenstein: or, the Modern Prometheus", "Mary Shelley");
  const auto five = app->book("Pride and Prejudice", "Jane Austen"),
             six = app->book("Pride and Prejudcie", "Jane Austen");
  const auto seven = app->book("Dune", "Frank Herbert", R"("isbn":"9780306406157")"),
             eight = app->book("Dune", "Frank Herbert", R"("isbn":"9780441172719")");
  app->book("Foundation 1", "Isaac Asimov");
  app->book("Foundation 2", "Isaac Asimov");
  app->book("Frankenstein", "Somebody Else");
  const auto found = librarian.get("/api/v1/admin/duplicates");
  REQUIRE(found.status == 200);
  REQUIRE(found.size() == 3);
  const auto group = [](const boost::json::value& g) {
    std::string out(g.at("reason").as_string());
    for (const auto& book : g.at("books").as_array()) out += fmt::format(" {}", book.at("id").as_int64());
    return out;
  };
  CHECK(group(found[0]) == fmt::format("same_record {} {}", one, two));
  CHECK(group(found[1]) == fmt::format("similar_title {} {}", three, four));
  CHECK(group(found[2]) == fmt::format("similar_title {} {}", five, six));
  CHECK(found[0].at("books").at(0).at("title") == "The Hobbit");
  const auto all = librarian.get("/api/v1/admin/duplicates?min_score=0.5");
  REQUIRE(all.size() == 4);
  CHECK(group(all[3]) == fmt::format("same_title_other_isbn {} {}", seven, eight));
  CHECK(librarian.get("/api/v1/admin/duplicates?limit=1&skip=1").size() == 1);
  CHECK(librarian.get("/api/v1/admin/duplicates?min_score=2").status == 422);
  CHECK(app->patron().get("/api/v1/admin/duplicates").status == 403);

  const auto apart = [&](std::int64_t a, std::int64_t b) {
    return librarian.post("/api/v1/admin/duplicates/dismiss", fmt::format(R"({{"books":[{},{}]}})", a, b))
        .status;
  };
  CHECK(apart(three, four) == 204);
  CHECK(apart(three, four) == 204);
  CHECK(apart(three, 4242) == 404);
  CHECK(librarian.get("/api/v1/admin/duplicates").size() == 2);
  REQUIRE(merge(*app, one, {two}).status == 200);
  CHECK(librarian.get("/api/v1/admin/duplicates").size() == 1);
}
