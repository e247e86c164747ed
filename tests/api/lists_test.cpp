// Collections: reading lists, the wishlist, curated lists, who sees them, and the dashboard.
#include "api/accounts.hpp"
#include "support/held_lock.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <limits>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string named(std::string_view name, std::string_view more = "") {
  return fmt::format(R"({{"name":"{}"{}{}}})", name, more.empty() ? "" : ",", more);
}
std::string path_of(const Answer& list) { return fmt::format("/api/v1/collections/{}", list.id()); }

}  // namespace

TEST_CASE("a reading list is made, read by number and slug, changed and deleted", "[B20][B26]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto made =
      reader.post("/api/v1/collections", named("  Summer Reading, 2026! ", R"("is_public":true)"));
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == path_of(made));
  CHECK(made["name"] == "Summer Reading, 2026!");
  CHECK(made["slug"] == "summer-reading-2026");
  CHECK(made["kind"] == "reading");
  CHECK(made["access"] == "owner");
  CHECK(app->anybody().get("/api/v1/collections/summer-reading-2026")["id"] == made.id());
  CHECK(app->anybody().get(path_of(made))["access"] == "view");
  const auto twin = reader.post("/api/v1/lists", named("Summer Reading 2026"));
  CHECK(twin["slug"] == "summer-reading-2026-2");
  CHECK(reader.post("/api/v1/collections", named("1984"))["slug"] == "list-1984");
  CHECK(reader.post("/api/v1/collections", named("   ")).status == 422);
  CHECK(reader.post("/api/v1/collections", named("x", R"("kind":"pile")")).status == 422);
  CHECK(app->anybody().post("/api/v1/collections", named("x")).status == 401);

  const auto etag = reader.get(path_of(made)).header("ETag");
  const auto changed =
      reader.patch(path_of(made), R"({"name":"Winter","description":"Cold"})", {{"If-Match", etag}});
  CHECK(changed.status == 200);
  CHECK(changed["description"] == "Cold");
  CHECK(changed["slug"] == "summer-reading-2026");
  CHECK(reader.patch(path_of(made), R"({"name":"Spring"})", {{"If-Match", etag}}).status == 412);
  CHECK(reader.patch(path_of(made), R"({"name":null})").status == 422);
  CHECK(reader.patch(path_of(made), R"({"description":null})")["description"].is_null());

  const auto book = app->book();
  REQUIRE(reader.post(fmt::format("/api/v1/collections/{}/books/{}", made.id(), book)).status == 201);
  CHECK(app->patron(2).del(path_of(made)).status == 403);
  CHECK(reader.del(path_of(made)).status == 204);
  CHECK(reader.get(path_of(made)).status == 404);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book)).status == 200);
  CHECK(app->number("SELECT count(*) FROM collection_books") == 0);
}

TEST_CASE("a list keeps its order, and an order names every book once", "[B26]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto list = reader.post("/api/v1/lists", named("Austen"));
  std::vector<std::int64_t> books;
  for (const auto* title : {"Emma", "Persuasion", "Sanditon"}) books.push_back(app->book(title));
  for (const auto book : books)
    CHECK(
        reader.post(fmt::format("/api/v1/lists/{}/books/{}", list.id(), book), R"({"note":"good"})").status ==
        201);
  const auto again = reader.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), books[0]),
                                 R"({"note":"the best"})");
  CHECK(again["note"] == "the best");
  CHECK(again["position"] == 1);
  CHECK(reader.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), books[0]))["note"] ==
        "the best");
  const auto titles = [&] {
    std::string out;
    for (const auto& item :
         reader.get(fmt::format("/api/v1/collections/{}/books", list.id())).json.as_array())
      out += text(item.at("book").at("title")) + " ";
    return out;
  };
  CHECK(titles() == "Emma Persuasion Sanditon ");
  const auto order = [&](std::vector<std::int64_t> ids) {
    return reader.put(fmt::format("/api/v1/collections/{}/books", list.id()),
                      fmt::format(R"({{"book_ids":[{}]}})", fmt::join(ids, ",")));
  };
  CHECK(order({books[2], books[0], books[1]}).status == 200);
  CHECK(titles() == "Sanditon Emma Persuasion ");
  CHECK(order({books[2], books[0]}).status == 409);
  CHECK(order({books[2], books[0], books[0]}).status == 422);
  CHECK(order({books[2], books[0], books[1], 4242}).status == 409);
  CHECK(reader.put(fmt::format("/api/v1/collections/{}/books", list.id()), "{}").status == 422);
  CHECK(reader.get(path_of(list) + "/books?limit=1").header("X-Total-Count") == "3");
  CHECK(reader.get(path_of(list) + "/books?cursor=x").status == 422);
  CHECK(reader.del(fmt::format("/api/v1/collections/{}/books/{}", list.id(), books[0])).status == 204);
  CHECK(reader.del(fmt::format("/api/v1/collections/{}/books/{}", list.id(), books[0])).status == 404);
  CHECK(reader.post(fmt::format("/api/v1/collections/{}/books/4242", list.id())).status == 404);
  CHECK(titles() == "Sanditon Persuasion ");
}

TEST_CASE("a private list is found by nobody but whom it concerns", "[B21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron(1), friendly = app->patron(2), stranger = app->patron(3);
  const auto list = owner.post("/api/v1/collections", named("Secrets"));
  const auto book = app->book();
  const auto item = fmt::format("/api/v1/collections/{}/books/{}", list.id(), book);
  const auto permissions = fmt::format("/api/v1/collections/{}/permissions", list.id());
  CHECK(app->anybody().get(path_of(list)).status == 404);
  CHECK(stranger.get("/api/v1/collections/secrets").status == 404);
  CHECK(app->librarian().get(path_of(list)).status == 404);
  CHECK(stranger.get("/api/v1/collections").size() == 0);
  CHECK(stranger.post(item).status == 404);
  CHECK(stranger.get(fmt::format("/api/v1/collections/{}/books", list.id())).status == 404);
  CHECK(stranger.get(fmt::format("/api/v1/collections/{}/stats", list.id())).status == 404);
  CHECK(stranger.post(permissions, fmt::format(R"({{"user_id":{},"access":"edit"}})", stranger.user_id()))
            .status == 404);

  CHECK(owner.post(permissions, fmt::format(R"({{"user_id":{},"access":"view"}})", friendly.user_id()))
            .status == 200);
  CHECK(friendly.get(path_of(list))["access"] == "view");
  CHECK(friendly.get("/api/v1/collections").size() == 1);
  CHECK(friendly.get("/api/v1/collections?mine=true").size() == 0);
  CHECK(friendly.post(item).status == 403);
  CHECK(friendly.get(permissions).status == 403);
  CHECK(owner.post(permissions, fmt::format(R"({{"user_id":{},"access":"edit"}})", friendly.user_id()))
            .size() == 1);
  CHECK(friendly.post(item).status == 201);
  CHECK(friendly.patch(path_of(list), R"({"name":"Mine"})").status == 403);
  CHECK(owner.get(permissions)[0].at("access") == "edit");
  CHECK(owner.post(permissions, R"({"user_id":4242,"access":"view"})").status == 404);
  CHECK(owner.post(permissions, fmt::format(R"({{"user_id":{},"access":"owner"}})", friendly.user_id()))
            .status == 422);
  CHECK(owner.post(permissions, fmt::format(R"({{"user_id":{},"access":"view"}})", owner.user_id())).code() ==
        "own_list");
  CHECK(friendly.del(fmt::format("/api/v1/collections/{}/permissions/{}", list.id(), friendly.user_id()))
            .status == 204);
  CHECK(friendly.get(path_of(list)).status == 404);
  CHECK(
      owner.del(fmt::format("/api/v1/collections/{}/permissions/{}", list.id(), friendly.user_id())).status ==
      404);
}

TEST_CASE("a link lets anybody read, until it ends", "[B26][B21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron();
  const auto list = owner.post("/api/v1/collections", named("For friends"));
  REQUIRE(owner.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), app->book())).status == 201);
  CHECK(list["link"].is_null());
  const auto link = text(owner.post(fmt::format("/api/v1/collections/{}/link", list.id()))["link"]);
  REQUIRE(link.starts_with("/api/v1/shared-lists/"));
  const auto shared = app->anybody().get(link);
  CHECK(shared["collection"].at("name") == "For friends");
  CHECK(shared["collection"].as_object().contains("link") == false);
  CHECK(shared["books"].as_array().size() == 1);
  CHECK(app->anybody().get(path_of(list)).status == 404);
  const auto other = text(owner.post(fmt::format("/api/v1/collections/{}/link", list.id()))["link"]);
  CHECK(other != link);
  CHECK(app->anybody().get(link).status == 404);
  CHECK(owner.del(fmt::format("/api/v1/collections/{}/link", list.id())).status == 204);
  CHECK(app->anybody().get(other).status == 404);
  CHECK(owner.del(fmt::format("/api/v1/collections/{}/link", list.id())).status == 404);
}

TEST_CASE("one wishlist a person, curated lists by staff, and whether I listed it", "[B26]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto book = app->book();
  const auto wishes = reader.post("/api/v1/lists", named("Wishes", R"("kind":"wishlist")"));
  REQUIRE(wishes.status == 201);
  CHECK(reader.post("/api/v1/lists", named("More wishes", R"("kind":"wishlist")")).code() ==
        "wishlist_exists");
  const auto flag = fmt::format("/api/v1/books/{}/lists", book);
  CHECK(reader.get(flag)["listed"] == false);
  reader.post(fmt::format("/api/v1/collections/{}/books/{}", wishes.id(), book));
  CHECK(reader.get(flag)["wished"] == true);
  CHECK(reader.get(flag)["collections"].as_array().size() == 1);
  CHECK(app->anybody().get(flag).status == 401);
  const auto page = fmt::format("/api/v1/books/{}?expand=listed", book);
  CHECK(reader.get(page)["listed"].at("listed") == true);
  CHECK(app->patron(2).get(page)["listed"].at("listed") == false);
  CHECK(app->anybody().get(page)["listed"].at("listed") == false);

  CHECK(reader.post("/api/v1/collections", named("Best of", R"("kind":"curated")")).status == 403);
  auto librarian = app->librarian();
  const auto curated = librarian.post("/api/v1/collections", named("Best of", R"("kind":"curated")"));
  CHECK(curated["is_public"] == true);
  CHECK(app->admin().post(fmt::format("/api/v1/collections/{}/books/{}", curated.id(), book)).status == 201);
  CHECK(reader.post(fmt::format("/api/v1/collections/{}/books/{}", curated.id(), book)).status == 403);
  CHECK(app->anybody().get("/api/v1/collections?kind=curated").size() == 1);
  CHECK(app->anybody().get("/api/v1/collections?q=best").size() == 1);
  CHECK(app->anybody().get("/api/v1/collections?kind=pile").status == 422);
}

TEST_CASE("the statistics of a list equal a recount", "[B22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto list = reader.post("/api/v1/collections", named("Counted"));
  CHECK(reader.get(fmt::format("/api/v1/collections/{}/stats", list.id()))["average_rating"].is_null());
  const auto a = app->book("A", "X", R"("page_count":100)"),
             b = app->book("B", "Y", R"("page_count":50,"copies":2)");
  app->clock().advance(std::chrono::minutes(10));
  for (const auto book : {a, b}) reader.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), book));
  for (const auto book : {a, b}) reader.post(fmt::format("/api/v1/borrows/{}/borrow", book));
  reader.post("/api/v1/reviews",
              fmt::format(R"({{"book_id":{},"review_text":"Very good indeed","rating":4.5}})", a));
  const auto stats = reader.get(fmt::format("/api/v1/collections/{}/stats", list.id()));
  CHECK(stats["items"] == 2);
  CHECK(stats["available"] == 1);
  CHECK(stats["pages"] == 150);
  CHECK(stats["loans"] == app->number("SELECT count(*) FROM borrows"));
  CHECK(stats["average_rating"] == 4.5);
  CHECK(stats["last_change"] == "2026-11-22T10:10:00Z");
  CHECK(reader.get(path_of(list))["items"] == 2);
}

TEST_CASE("eight hands put books into one list at once", "[B26]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron();
  const auto list = owner.post("/api/v1/collections", named("Busy"));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 8; ++i) books.push_back(app->book(fmt::format("Book {}", i)));
  std::vector<std::thread> threads;
  for (const auto book : books)
    threads.emplace_back([&, book] {
      for (int i = 0; i < 3; ++i)
        CHECK(owner.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), book)).status == 201);
    });
  for (auto& t : threads) t.join();
  CHECK(app->number("SELECT count(*) FROM collection_books") == 8);
  CHECK(app->number("SELECT count(DISTINCT position) FROM collection_books") == 8);
}

TEST_CASE("a book that is deleted while it is put on a list is not found", "[B26]") {
  if (!have_postgresql()) return;
  auto app = TestApp::on(Database::postgresql);
  const auto book = app->book();
  auto reader = app->patron();
  const auto list = reader.post("/api/v1/collections", R"({"name":"Mine"})");
  HeldLock events(app->app().config().database_url, "LOCK TABLE outbox IN EXCLUSIVE MODE");
  auto put = std::async(std::launch::async, [&] {
    return reader.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), book)).status;
  });
  events.wait_for_somebody();
  events.meanwhile(fmt::format("UPDATE books SET deleted_at = 1 WHERE id = {}", book));
  events.let_go();
  CHECK(put.get() == 404);
  CHECK(app->number("SELECT count(*) FROM collection_books") == 0);
}

TEST_CASE("the dashboard is one call", "[B9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  std::vector<std::int64_t> books;
  for (int i = 0; i < 7; ++i) books.push_back(app->book(fmt::format("Book {}", i)));
  auto reader = app->patron();
  CHECK(app->anybody().get("/api/v1/dashboard").status == 401);
  // The least of several: who is asking is read again when a second has passed.
  Answer last;
  const auto reads_of_a_page = [&] {
    auto least = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < 5; ++i) {
      const auto before = app->app().database().statistics().reads;
      last = reader.get("/api/v1/dashboard");
      least = std::min(least, app->app().database().statistics().reads - before);
    }
    return least;
  };
  const auto quiet_reads = reads_of_a_page();
  const auto quiet = last;
  REQUIRE(quiet.status == 200);
  CHECK(quiet["totals"].at("books") == 7);
  CHECK(quiet["my_loans"].as_array().empty());
  REQUIRE(
      reader.post(fmt::format("/api/v1/borrows/{}/borrow", books[0]), R"({"loan_period_days":2})").status ==
      201);
  REQUIRE(
      reader.post(fmt::format("/api/v1/borrows/{}/borrow", books[1]), R"({"loan_period_days":30})").status ==
      201);
  app->patron(2).post(fmt::format("/api/v1/borrows/{}/borrow", books[2]));
  CHECK(reader.get("/api/v1/dashboard")["totals"].at("open_loans") == 0);  // ten seconds old at most
  app->clock().advance(std::chrono::seconds(10));
  // The server reads for itself meanwhile (events, jobs); a read for every loan or book would be seven more.
  CHECK(reads_of_a_page() <= quiet_reads + 3);
  const auto page = last;
  CHECK(page["totals"].at("open_loans") == 3);
  CHECK(page["totals"].at("copies_available") == 4);
  CHECK(page["totals"].at("readers") == app->number("SELECT count(*) FROM users"));
  CHECK(page["recent_books"].as_array().size() == 5);
  CHECK(page["my_loans"].as_array().size() == 2);
  CHECK(page["due_soon"].as_array().size() == 1);
  CHECK(page["overdue_loans"] == 0);
  CHECK(page["holds"].as_array().empty());
  REQUIRE(reader.post(fmt::format("/api/v1/books/{}/holds", books[2])).status == 201);
  CHECK(reader.get("/api/v1/dashboard")["holds"].as_array().size() == 1);
  app->clock().advance(std::chrono::hours(24 * 3));
  const auto later =
      app->login("patron1@example.org", std::string(TestApp::password)).get("/api/v1/dashboard");
  CHECK(later["overdue_loans"] == 1);
  CHECK(later["my_loans"].as_array()[0].at("book").at("id") == books[0]);
  CHECK(later["my_loans"].as_array().size() == 2);
}
