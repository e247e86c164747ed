// Authors as records, browsing, class marks, series, subjects, fields of the library's own, and the report.
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string path_of(std::int64_t book) { return fmt::format("/api/v1/books/{}", book); }

std::string members(const boost::json::value& list, std::string_view member) {
  std::string out;
  for (const auto& item : list.as_array()) {
    const auto& value = item.at(member);
    out += (out.empty() ? "" : ", ") +
           (value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value));
  }
  return out;
}
std::string titles(const Answer& list) {
  if (!list.json.is_array()) return "not a list: " + list.body;
  return members(list.json, "title");
}
std::string headings(const Answer& page) {
  if (!page["items"].is_array()) return "not a page: " + page.body;
  return members(page["items"], "heading");
}
std::string link(const Answer& page, std::string_view name) {
  return page[name].is_string() ? std::string(page[name].as_string()) : "";
}

}  // namespace

TEST_CASE("a new name of an author goes to the titles, and search finds every name", "[B36]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto one = app->book("Roughing It", "Samuel Clemens"),
             two = app->book("Life on the Mississippi", "Clemens, Samuel");
  const auto three = app->book("Tom Sawyer", "Mark Twain"), four = app->book("Emma", "Jane Austen");
  const auto found = [&](std::string q) {
    return app->anybody().get("/api/v1/search?q=" + q)["total"].to_number<std::int64_t>();
  };
  CHECK(found("twain") == 1);
  const auto made = librarian.post(
      "/api/v1/authors",
      R"({"name":"Samuel Clemens","variants":["Mark Twain"," Samuel  Clemens "],"viaf":"50566653"})");
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == fmt::format("/api/v1/authors/{}", made.id()));
  CHECK(boost::json::serialize(made["variants"]) == R"(["Mark Twain"])");
  CHECK(made["books"] == 3);
  CHECK(found("twain") == 3);
  CHECK(found("clemens") == 3);
  const auto path = fmt::format("/api/v1/authors/{}", made.id());
  CHECK(titles(app->anybody().get(path + "/books")) == "Life on the Mississippi, Roughing It, Tom Sawyer");

  const auto etag = librarian.get(path).header("ETag");
  const auto renamed = librarian.patch(path, R"({"name":"Samuel Langhorne Clemens"})", {{"If-Match", etag}});
  REQUIRE(renamed.status == 200);
  CHECK(boost::json::serialize(renamed["variants"]) == R"(["Samuel Clemens","Mark Twain"])");
  CHECK(librarian.get(path_of(one))["author"] == "Samuel Langhorne Clemens");
  CHECK(librarian.get(path_of(two))["author"] == "Samuel Langhorne Clemens");
  CHECK(librarian.get(path_of(three))["author"] == "Mark Twain");
  CHECK(librarian.get(path_of(four))["author"] == "Jane Austen");
  CHECK(librarian.get(path_of(one) + "/history")[0].at("action") == "author_renamed");
  CHECK(librarian.get(path_of(one) + "/history")[0].at("changes").at(0).at("field") == "author");
  CHECK(found("langhorne") == 3);
  CHECK(found("twain") == 3);
  CHECK(librarian.patch(path, R"({"note":"x"})", {{"If-Match", etag}}).status == 412);
  CHECK(librarian.patch(path, R"({"name":"Mark Twain","all_titles":true})").status == 200);
  CHECK(librarian.get(path_of(three))["author"] == "Mark Twain");
  CHECK(librarian.get(path_of(one))["author"] == "Mark Twain");
  CHECK(found("clemens") == 3);

  CHECK(librarian.post("/api/v1/authors", R"({"name":"Twain, Mark"})").code() == "name_taken");
  CHECK(app->number("SELECT count(*) FROM authors") == 1);
  CHECK(librarian.post("/api/v1/authors", R"({"name":"  "})").status == 422);
  CHECK(librarian.patch(path, R"({"name":null})").status == 422);
  CHECK(librarian.patch("/api/v1/authors/4242", R"({"note":"x"})").status == 404);
  CHECK(app->patron().post("/api/v1/authors", R"({"name":"Me"})").status == 403);
  CHECK(librarian.get("/api/v1/authors?q=lang").size() == 1);
  CHECK(librarian.get("/api/v1/authors?q=zzz").size() == 0);
  CHECK(librarian.get("/api/v1/authors?cursor=x").status == 422);
  CHECK(app->anybody().get("/api/v1/authors/4242").status == 404);
  CHECK(app->anybody().get("/api/v1/authors/4242/books").status == 404);
  CHECK(librarian.del(path, {{"If-Match", etag}}).status == 412);
  CHECK(librarian.del(path).status == 204);
  CHECK(librarian.del(path).status == 404);
  CHECK(found("clemens") == 0);
  CHECK(found("twain") == 3);
}

TEST_CASE("a series stands in its order", "[B33]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->book("Mort", "Terry Pratchett", R"("series":"Discworld","series_index":4)");
  app->book("The Colour of Magic", "Terry Pratchett", R"("series":"Discworld","series_index":1)");
  const auto between =
      app->book("Troll Bridge", "Terry Pratchett", R"("series":"DISCWORLD ","series_index":2.5)");
  const auto last = app->book("A Companion", "Terry Pratchett", R"("series":"Discworld")");
  app->book("Emma", "Jane Austen");
  const auto order = "The Colour of Magic, Troll Bridge, Mort, A Companion";
  CHECK(titles(app->anybody().get("/api/v1/books?series=discworld&sort=series")) == order);
  const auto drawer = app->anybody().get("/api/v1/browse/series");
  REQUIRE(drawer.status == 200);
  CHECK(drawer["items"].at(0).at("count") == 4);
  CHECK(titles(app->anybody().get(std::string(drawer["items"].at(0).at("books").as_string()))) == order);
  CHECK(app->anybody().get(path_of(between))["series_index"] == 2.5);
  CHECK(app->anybody().get("/api/v1/search?q=discworld")["total"] == 4);
  CHECK(librarian.patch(path_of(last), R"({"series":null,"series_index":7})")["series_index"].is_null());
  CHECK(app->anybody().get("/api/v1/browse/series")["items"].at(0).at("count") == 3);
  CHECK(librarian.patch(path_of(last), R"({"series_index":-1})").status == 422);
  // A page after another, through what has no place.
  const auto first = app->anybody().get("/api/v1/books?series=discworld&sort=series&limit=2");
  CHECK(titles(first) == "The Colour of Magic, Troll Bridge");
}

TEST_CASE("class marks are kept, checked and sorted as the books stand", "[B19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const std::vector<std::string> ddc = {"005",    "005.1 ABC", "005.13",    "005.133 CPP", "823",
                                        "823.12", "823.7 AUS", "823.7 BRO", "823.70"};
  const std::vector<std::string> lcc = {"P1",           "PR4034 .E5 1815", "PR4034 .E5 1990",
                                        "PR4034.5 .A1", "PR40340",         "PS3515",
                                        "QA9 .B12",     "QA76.73 .C153",   "QA76.9"};
  for (std::size_t i = ddc.size(); i-- > 0;)
    app->book(fmt::format("D{}", i), "A", fmt::format(R"("ddc":"{}","lcc":"{}")", ddc[i], lcc[i]));
  const auto marks = [&](std::string sort) {
    return members(app->anybody().get("/api/v1/books?sort=" + sort).json, sort);
  };
  CHECK(
      marks("ddc") ==
      fmt::format("{}", fmt::join(std::vector<std::string>{"005", "005.1 ABC", "005.13", "005.133 CPP", "823",
                                                           "823.12", "823.7 AUS", "823.7 BRO", "823.70"},
                                  ", ")));
  CHECK(marks("lcc") == fmt::format("{}", fmt::join(lcc, ", ")));
  CHECK(headings(app->anybody().get("/api/v1/browse/lcc?from=QA10&limit=1")) == "QA76.73 .C153");
  CHECK(headings(app->anybody().get("/api/v1/browse/ddc?from=823.5&limit=2")) == "823.7 AUS, 823.7 BRO");
  for (const auto* bad :
       {R"("ddc":"fiction")", R"("ddc":"12")", R"("lcc":"4034 PR")", R"("lcc":"PRXY12")", R"("lcc":"")"})
    CHECK(librarian.post("/api/v1/books", fmt::format(R"({{"title":"X","author":"Y",{}}})", bad)).status ==
          422);
}

TEST_CASE("subjects are many to many, and the drawers open anywhere", "[B18][B19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto emma =
      app->book("Emma", "Jane Austen", R"("subjects":["Courtship -- Fiction","England","england"])");
  app->book("Persuasion", "Austen, Jane", R"("subjects":["England","Sailors"])");
  app->book("Dracula", "Bram Stoker", R"("subjects":["Vampires"])");
  app->book("Faust", "Johann Wolfgang von Goethe");
  app->book("Frankenstein", "Mary Shelley");
  app->book("Beloved", "Toni Morrison");
  CHECK(app->number("SELECT count(*) FROM subjects") == 4);
  CHECK(app->number("SELECT count(*) FROM book_subjects") == 5);
  const auto subjects = app->anybody().get("/api/v1/browse/subjects?from=e");
  CHECK(headings(subjects) == "England, Sailors, Vampires");
  CHECK(subjects["items"].at(0).at("count") == 2);
  CHECK(link(subjects, "next").empty());
  CHECK(headings(app->anybody().get(link(subjects, "prev"))) == "Courtship -- Fiction");
  CHECK(titles(app->anybody().get("/api/v1/books?subject=ENGLAND&sort=title")) == "Emma, Persuasion");
  CHECK(titles(app->anybody().get(std::string(subjects["items"].at(0).at("books").as_string()))) ==
        "Emma, Persuasion");
  CHECK(app->anybody().get("/api/v1/search?q=courtship")["total"] == 1);

  // By family name, both spellings of Austen as one.
  const auto authors = app->anybody().get("/api/v1/browse/authors?limit=2");
  CHECK(members(authors["items"], "key") == "austen, jane, goethe, johann wolfgang von");
  CHECK(authors["items"].at(0).at("count") == 2);
  CHECK(link(authors, "prev").empty());
  const auto next = app->anybody().get(link(authors, "next"));
  CHECK(headings(next) == "Toni Morrison, Mary Shelley");
  const auto last = app->anybody().get(link(next, "next"));
  CHECK(headings(last) == "Bram Stoker");
  CHECK(link(last, "next").empty());
  const auto again = app->anybody().get(link(last, "prev"));
  CHECK(again["items"] == next["items"]);
  CHECK(app->anybody().get(link(again, "prev"))["items"] == authors["items"]);
  CHECK(headings(app->anybody().get(link(again, "next"))) == "Bram Stoker");
  CHECK(headings(app->anybody().get("/api/v1/browse/titles?from=F&limit=2")) == "Faust, Frankenstein");
  const auto behind = app->anybody().get("/api/v1/browse/titles?from=zzz");
  CHECK(headings(behind).empty());
  CHECK(headings(app->anybody().get(link(behind, "prev"))).starts_with("Beloved"));

  REQUIRE(librarian.patch(path_of(emma), R"({"subjects":["England"]})").status == 200);
  CHECK(headings(app->anybody().get("/api/v1/browse/subjects?limit=1")) == "England");
  REQUIRE(librarian.del(path_of(emma)).status == 204);
  CHECK(app->anybody().get("/api/v1/browse/subjects")["items"].at(0).at("count") == 1);
  CHECK(app->anybody().get("/api/v1/browse/colours").status == 422);
  CHECK(app->anybody().get("/api/v1/browse/titles?limit=0").status == 422);
  CHECK(app->anybody().get("/api/v1/browse/titles?from=a&before=b").status == 422);
  CHECK(app->anybody().get("/api/v1/browse/titles/books").status == 422);
  CHECK(titles(app->anybody().get("/api/v1/browse/titles/books?key=nothing")).empty());
}

TEST_CASE("fields of the library's own are kept and filtered on both databases", "[B17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto one = app->book(
      "One", "A",
      R"("metadata":{"lang":"eng","shelf":{"row":7,"new":true},"tongues":["eng","fre"],"none":null})");
  app->book("Two", "A", R"("metadata":{"lang":"fre","shelf":{"row":7}})");
  app->book("Three", "A");
  const auto found = [&](std::string query) {
    return titles(app->anybody().get("/api/v1/books?sort=title&" + query));
  };
  CHECK(found("metadata.lang=eng") == "One");
  CHECK(found("metadata.shelf.row=7") == "One, Two");
  CHECK(found("metadata.shelf.row=7&metadata.lang=fre") == "Two");
  CHECK(found("metadata.shelf.new=true") == "One");
  CHECK(found("metadata.tongues=fre") == "One");
  CHECK(found("metadata.lang=ger").empty());
  CHECK(found("metadata=%7B%22lang%22:%22eng%22%7D") == "One");
  CHECK(app->anybody().get("/api/v1/books/facets?metadata.lang=eng")["total"] == 1);
  CHECK(app->anybody().get("/api/v1/books?metadata.=x").status == 422);
  CHECK(app->anybody().get("/api/v1/books?metadata=x").status == 422);
  // What no database keeps is found nowhere.
  CHECK(app->anybody().get("/api/v1/books?metadata.a=%00").status == 422);
  CHECK(app->anybody().get("/api/v1/books?metadata.a%00b=1").status == 422);
  CHECK(found("metadata=%7B%22a%22:%22%5Cu0000%22%7D").empty());
  CHECK(app->anybody().get("/api/v1/books?metadatum=x").status == 422);

  CHECK(librarian.patch(path_of(one), R"({"metadata":{"lang":null,"shelf":{"row":8}}})").status == 200);
  CHECK(boost::json::serialize(librarian.get(path_of(one))["metadata"].at("shelf")) ==
        R"({"row":8,"new":true})");
  CHECK(found("metadata.lang=eng").empty());
  CHECK(found("metadata.shelf.row=8") == "One");
  CHECK(librarian.patch(path_of(one), R"({"metadata":null})")["metadata"] == boost::json::object());
  CHECK(found("metadata.tongues=eng").empty());
  const std::string large(17 * 1024, 'x');
  CHECK(librarian
            .post("/api/v1/books",
                  fmt::format(R"({{"title":"A","author":"B","metadata":{{"x":"{}"}}}})", large))
            .status == 422);
  for (const auto* bad : {"[]", "1", "\"x\"", "null"})
    CHECK(librarian.post("/api/v1/books", fmt::format(R"({{"title":"A","author":"B","metadata":{}}})", bad))
              .status == 422);
  const auto batch =
      librarian.post("/api/v1/books/batch", R"([{"title":"Four","author":"A","metadata":{"lang":"eng"}}])");
  CHECK(batch["created"] == 1);
  CHECK(found("metadata.lang=eng") == "Four");
  const auto half = librarian.post(
      "/api/v1/books/batch",
      R"([{"title":"Five","author":"A","metadata":[]},{"title":"Six","author":"A","metadata":{"x":1}}])");
  CHECK(half["created"] == 1);
  CHECK(half["failed"].as_array().size() == 1);
}

TEST_CASE("the report finds what is missing and what cannot be, and where to mend it", "[B16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  CHECK(librarian.get("/api/v1/admin/data-quality")["score"] == 100);
  const auto good =
      R"("genre":"Novel","language":"en","year_published":1990,"description":"D","publisher":"P","isbn":"{}",
      "subjects":["S"],"ddc":"823","page_count":100)";
  app->book("Fine", "Jane Austen", fmt::format(fmt::runtime(good), "9780306406157"));
  CHECK(librarian.get("/api/v1/admin/data-quality")["score"] == 100);
  const auto shout = app->book("SHOUTED TITLE", "Unknown");
  app->book("Fine", "Austen, Jane", fmt::format(fmt::runtime(good), "9780441172719"));
  const auto report = librarian.get("/api/v1/admin/data-quality");
  REQUIRE(report.status == 200);
  CHECK(report["books"] == 3);
  CHECK(report["score"].to_number<double>() < 90);
  CHECK(report["duplicate_groups"] == 1);
  CHECK(report["profile"].at(0).at("field") == "isbn");
  CHECK(report["profile"].at(0).at("missing") == 1);
  const auto kinds = members(report["anomalies"], "kind");
  for (const auto* kind : {"missing_isbn", "missing_genre", "author_unknown", "title_in_capitals"})
    CHECK(kinds.find(kind) != std::string::npos);
  for (const auto& anomaly : report["anomalies"].as_array()) {
    const auto list = librarian.get(std::string(anomaly.at("fix").at(0).as_string()));
    CHECK(list.status == 200);
    CHECK(list.header("X-Total-Count") == boost::json::serialize(anomaly.at("count")));
    CHECK(librarian.get(std::string(anomaly.at("fix").at(1).as_string())).status == 200);
  }
  CHECK(librarian.get("/api/v1/admin/data-quality/title_in_capitals")[0].at("id") == shout);
  CHECK(librarian.get("/api/v1/admin/data-quality/nonsense").status == 404);
  CHECK(app->patron().get("/api/v1/admin/data-quality").status == 403);
}
