// What people bring from elsewhere: exports of reading programs, lists of ISBNs, rows to mend.
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer imported(Client& by, const std::string& file, const std::string& type, std::string query = "") {
  const auto taken = by.post("/api/v1/imports" + query, file, {{"Content-Type", type}});
  INFO(taken.body);
  REQUIRE(taken.status == 202);
  const auto path = taken.header("Location");
  for (int i = 0; i < 2000; ++i) {
    auto task = by.get(path);
    if (task["status"] == "succeeded" || task["status"] == "failed") return task;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("the import did not end");
  return {};
}

std::set<std::string> lists_of(Client& person) {
  std::set<std::string> names;
  const auto lists = person.get("/api/v1/collections?mine=true");
  REQUIRE(lists.status == 200);
  for (const auto& list : lists.json.as_array()) names.insert(std::string(list.at("name").as_string()));
  return names;
}

constexpr auto goodreads =
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average "
    "Rating,Publisher,Binding,Number "
    "of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,Bookshelves with "
    "positions,Exclusive Shelf,My Review,Spoiler\n"
    "1,Emma,Jane Austen,\"Austen, "
    "Jane\",,\"=\"\"0306406152\"\"\",\"=\"\"9780306406157\"\"\",4,4.0,P,Paperback,300,1999,"
    "1815,2020/01/01,2019/01/01,\"classics, favourites\",\"classics (#1)\",read,\"A fine book.<br/>Truly "
    "<b>fine</b>.\",\n"
    "2,Persuasion,Jane Austen,\"Austen, Jane\",,\"=\"\"\"\"\",\"=\"\"\"\"\",0,4.0,P,Paperback,200,1999,1817,,"
    "2019/01/01,,,to-read,,\n"
    "3,Unknown Elsewhere,No Body,\"Body, "
    "No\",,\"=\"\"\"\"\",\"=\"\"\"\"\",5,4.0,P,Paperback,200,1999,,,2019/01/01,,,read,"
    "\"Loved it very much\",\n";

}  // namespace

TEST_CASE("shelves become lists, and ratings reviews where the rules allow", "[L2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto emma = app->book("Emma", "Jane Austen", R"("isbn":"9780306406157")");
  app->book("Persuasion", "Jane Austen");
  auto patron = app->patron();
  REQUIRE(patron.post(fmt::format("/api/v1/borrows/{}/borrow", emma)).status == 201);
  const auto task = imported(patron, goodreads, "text/csv", "?format=goodreads");
  INFO(task.body);
  const auto& result = task["result"];
  CHECK(result.at("format") == "goodreads");
  CHECK(result.at("rows") == 3);
  CHECK(result.at("created") == 0);  // a patron adds no books
  CHECK(result.at("unchanged") == 2);
  CHECK(result.at("failed_count") == 1);
  CHECK(result.at("listed") == 4);
  CHECK(result.at("reviewed") == 1);
  CHECK(lists_of(patron) == std::set<std::string>{"Read", "Want to read", "classics", "favourites"});
  const auto reviews = app->anybody().get(fmt::format("/api/v1/reviews/book/{}", emma));
  REQUIRE(reviews.size() == 1);
  CHECK(reviews[0].at("rating").to_number<double>() == 4);
  CHECK(reviews[0].at("review_text") == "A fine book.\nTruly fine.");

  // Again: nothing comes twice.
  const auto again = imported(patron, goodreads, "text/csv");
  CHECK(again["result"].at("reviewed") == 0);
  CHECK(again["result"].at("notes_left_out") == 1);
  CHECK(lists_of(patron).size() == 4);
  CHECK(app->number("SELECT count(*) FROM collection_books") == 4);
  CHECK(app->number("SELECT count(*) FROM reviews") == 1);

  // Staff add what is missing; ratings without a loan stay out.
  auto librarian = app->librarian();
  const auto staff = imported(librarian, goodreads, "text/csv");
  CHECK(staff["result"].at("created") == 1);
  CHECK(staff["result"].at("reviewed") == 0);
  CHECK(app->anybody().post("/api/v1/imports", goodreads, {{"Content-Type", "text/csv"}}).status == 401);
  CHECK(patron.post("/api/v1/imports?format=word", goodreads, {{"Content-Type", "text/csv"}}).status == 422);
}

TEST_CASE("every export beside the checkout is known and read", "[L2]") {
  const std::filesystem::path data =
      std::filesystem::path(LUMINA_SOURCE_DIR) / "../shared/data/catalogue/exports";
  if (!std::filesystem::exists(data)) {
    WARN("skipped: the files are not beside the checkout");
    return;
  }
  struct Row {
    const char* file;
    const char* format;
    int rows;
  };
  for (const Row& row : std::vector<Row>{{"bookwyrm.csv", "bookwyrm", 3},
                                         {"calibre.csv", "calibre", 1},
                                         {"goodreads.csv", "goodreads", 3},
                                         {"storygraph.csv", "storygraph", 2},
                                         {"librarything.tsv", "librarything", 3},
                                         {"openreads-csv-example.csv", "openreads", 4},
                                         {"ol_search.json", "open-library-json", 2},
                                         {"ol_edition_list.json", "open-library-json", 15},
                                         {"ol_edition.json", "open-library-json", 1},
                                         {"ol_work.json", "open-library-json", 1}}) {
    CAPTURE(row.file);
    auto app = TestApp::on(Database::sqlite);
    auto librarian = app->librarian();
    std::ifstream in(data / row.file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const bool tabs = std::string_view(row.file).ends_with(".tsv");
    const auto task =
        imported(librarian, text, tabs ? "text/tab-separated-values" : "application/octet-stream");
    INFO(task.body);
    CHECK(task["result"].at("format") == row.format);
    CHECK(task["result"].at("rows") == row.rows);
    CHECK(task["result"].at("failed_count") == 0);
  }
}

TEST_CASE("a refused record is mended and only it is tried again", "[L3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->book("Emma", "Jane Austen", R"("isbn":"9780306406157")");
  std::string isbns = "isbn\n0-306-40615-2\n9780306406158\n";
  isbns += "978-3-16-148410-0\n";
  const auto task = imported(librarian, isbns, "text/plain");
  INFO(task.body);
  CHECK(task["result"].at("format") == "isbn-list");
  CHECK(task["result"].at("rows") == 3);
  CHECK(task["result"].at("unchanged") == 1);
  CHECK(task["result"].at("failed_count") == 2);
  const auto id = std::string(task["task_id"].as_string());
  const auto rows = librarian.get("/api/v1/imports/" + id + "/rows?status=failed");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("line") == 3);
  CHECK(rows[1].at("fields").at("isbn") == "9783161484100");
  const auto path = fmt::format("/api/v1/imports/{}/rows/{}", id, rows[1].at("line").as_int64());
  const auto half = librarian.patch(path, R"({"title":"Mended"})");
  CHECK(half.status == 200);
  CHECK(half["status"] == "failed");
  CHECK(half["errors"].as_array().size() == 1);
  const auto idle = librarian.post("/api/v1/imports/" + id + "/retry");
  CHECK(idle["tried"] == 0);
  const auto whole = librarian.patch(path, R"({"author":"Some Body"})");
  CHECK(whole["status"] == "ready");
  const auto retried = librarian.post("/api/v1/imports/" + id + "/retry");
  CHECK(retried["tried"] == 1);
  CHECK(retried["created"] == 1);
  CHECK(app->anybody().get("/api/v1/books?isbn=9783161484100")[0].at("title") == "Mended");
  CHECK(librarian.patch(path, R"({"title":"Again"})").code() == "row_done");
  CHECK(librarian.get("/api/v1/imports/" + id + "/rows?status=done").size() == 1);
  CHECK(librarian.post("/api/v1/imports/" + id + "/retry")["tried"] == 0);
  CHECK(app->patron().get("/api/v1/imports/" + id + "/rows").status == 404);
  CHECK(app->patron().patch(path, "{}").status == 403);
  CHECK(librarian.get("/api/v1/imports/none/rows").status == 404);
  CHECK(librarian.post("/api/v1/imports/none/retry").status == 404);
  CHECK(librarian.patch("/api/v1/imports/none/rows/1", "{}").status == 404);
}
