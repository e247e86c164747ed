// The fields of records that came later, in files that go out and come back.
#include "modules/books/export_format.hpp"
#include "support/eventually.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer import(Client librarian, const std::string& file, const std::string& type) {
  const auto taken = librarian.post("/api/v1/books/import", file, {{"Content-Type", type}});
  REQUIRE(taken.status == 202);
  Answer task;
  eventually([&] {
    task = librarian.get(taken.header("Location"));
    return task["status"] == "succeeded" || task["status"] == "failed";
  });
  return task;
}

// What librarians edit of each book, by title.
std::map<std::string, std::string> books_of(TestApp& app) {
  std::map<std::string, std::string> out;
  const auto page = app.anybody().get(
      "/api/v1/books?fields=title,author,isbn,genre,year_published,description,language,publisher,page_count,"
      "tags,cover_url,copies_total,series,series_index,subjects,ddc,lcc,metadata");
  REQUIRE(page.status == 200);
  for (const auto& book : page.json.as_array())
    out[std::string(book.at("title").as_string())] = boost::json::serialize(book);
  return out;
}

std::int64_t add(TestApp& app, const std::string& body) {
  const auto made = app.librarian().post("/api/v1/books", body);
  CAPTURE(made.body);
  REQUIRE(made.status == 201);
  return made.id();
}

// A line of a table with all columns of ours.
std::string table(std::string_view subjects, std::string_view metadata) {
  return fmt::format("title,author,tags,subjects,metadata\r\nEmma,Jane Austen,classic,{},{}\r\n", subjects,
                     metadata);
}

// Of this process, in bytes.
std::int64_t resident() {
  std::int64_t all = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> all >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("series, subjects, class marks, own fields and works go out and come back", "[B14][B31][B33]") {
  const auto kind = GENERATE(from_databases());
  auto from = TestApp::on(kind);
  const auto one = add(*from, R"({"title":"The Fellowship","author":"J. R. R. Tolkien","series":"=Ring, the",
      "series_index":1.5,"subjects":["Hobbits -- Fiction","Rings; a history","Quests, long","A|B"],"ddc":"823.912",
      "lcc":"PR6039.O32","metadata":{"donor":"A \"friend\"","shelf":{"row":3}},"tags":["fantasy"]})");
  const auto two = add(*from, R"({"title":"Die Gefährten","author":"J. R. R. Tolkien","language":"de",
      "isbn":"9780306406157","subjects":["Only one, with a comma"]})");
  const auto three = add(*from, R"({"title":"Der Herr","author":"J. R. R. Tolkien"})");
  add(*from, R"({"title":"Iliad","author":"Homer","series_index":2,"series":"Epics","metadata":{}})");
  const auto work =
      from->librarian().post("/api/v1/works", fmt::format(R"({{"books":[{},{},{}]}})", one, two, three));
  REQUIRE(work.status == 201);
  const auto before = books_of(*from);
  REQUIRE(before.size() == 4);
  for (const auto& [format, type] :
       {std::pair("csv", "text/csv"), std::pair("jsonl", "application/x-ndjson")}) {
    CAPTURE(format);
    const auto file = from->librarian().get(std::string("/api/v1/books/export?format=") + format);
    REQUIRE(file.status == 200);
    auto to = TestApp::on(kind);
    add(*to, R"({"title":"Another","author":"Nobody"})");  // so that numbers differ
    const auto task = import(to->librarian(), file.body, type);
    CAPTURE(task.body);
    CHECK(task["result"].at("created") == 4);
    CHECK(task["result"].at("warnings") == 0);
    CHECK(task["result"].at("failed_count") == 0);
    auto after = books_of(*to);
    after.erase("Another");
    CHECK(after == before);
    CHECK(to->number("SELECT count(*) FROM works") == 1);
    CHECK(to->number("SELECT count(*) FROM books WHERE work_id IS NOT NULL") == 3);
    // Once more changes nothing.
    const auto again = import(to->librarian(), file.body, type);
    CHECK(again["result"].at("unchanged") == 4);
    CHECK(to->number("SELECT count(*) FROM works") == 1);
    CHECK(to->number("SELECT count(*) FROM books WHERE work_id IS NOT NULL") == 3);
  }
}

TEST_CASE("own fields that are none are left out with a warning, and subjects alone are tags", "[B13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto wrong = import(app->librarian(), table("One;Two", "[1]"), "text/csv");
  CHECK(wrong["result"].at("created") == 1);
  CHECK(wrong["result"].at("warnings") == 1);
  const auto book = app->anybody().get("/api/v1/books")[0];
  CHECK(boost::json::serialize(book.at("subjects")) == R"(["One","Two"])");
  CHECK(boost::json::serialize(book.at("tags")) == R"(["classic"])");
  CHECK(boost::json::serialize(book.at("metadata")) == "{}");
  import(app->librarian(), "title,author,subjects\r\nPersuasion,Jane Austen,\"sea;love\"\r\n", "text/csv");
  const auto other = app->anybody().get("/api/v1/books?q=persuasion")[0];
  CHECK(boost::json::serialize(other.at("tags")) == R"(["sea","love"])");
  CHECK(boost::json::serialize(other.at("subjects")) == "[]");
}

TEST_CASE("an export of many books takes no memory for all of them", "[B14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  constexpr std::int64_t many = 40'000;
  auto fill = [&](db::Transaction& tx) -> Status {
    tx.execute(
        "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
        "INSERT INTO books (title, author, title_key, author_key, match_key, description, created_at, "
        "updated_at) "
        "SELECT 'Book ' || i, 'Somebody', 'book ' || i, 'somebody', 'b' || i, CAST($2 AS TEXT), 0, 0 FROM n",
        many, std::string(700, 'x'));
    tx.execute("INSERT INTO book_stats (book_id) SELECT id FROM books");
    return {};
  };
  REQUIRE(app->app().database().write_now(std::move(fill)));
  for (const auto kind : {books::ExportKind::csv, books::ExportKind::jsonl, books::ExportKind::marcxml}) {
    const auto writer = books::BookWriter::make(kind);
    std::string text;
    writer->begin(text);
    BookId last{};
    std::int64_t rows = 0, bytes = 0, first = 0, most = 0;
    while (true) {
      const auto some = app->app().books().after_now(last, 250);
      REQUIRE(some);
      for (const auto& book : *some) writer->add(book, text);
      if (some->empty()) break;
      rows += static_cast<std::int64_t>(some->size());
      bytes += static_cast<std::int64_t>(text.size());
      text.clear();
      last = some->back().id;
      // Caches of the database are warm after the first pieces.
      if (rows == 5000) first = resident();
      if (rows > 5000) most = std::max(most, resident());
    }
    CHECK(rows == many);
    CHECK(bytes > 25'000'000);
    CHECK(most - first < bytes / 4);
  }
}
