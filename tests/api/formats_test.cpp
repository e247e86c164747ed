// How the catalogue comes in and goes out in the formats of others.
#include "core/marc/reader.hpp"
#include "core/marc/writer.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer import(Client& librarian, const std::string& file, const std::string& type) {
  const auto taken = librarian.post("/api/v1/books/import", file, {{"Content-Type", type}});
  REQUIRE(taken.status == 202);
  const auto path = taken.header("Location");
  for (int i = 0; i < 1000; ++i) {
    auto task = librarian.get(path);
    if (task["status"] == "succeeded" || task["status"] == "failed") return task;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("the import did not end");
  return {};
}

std::string record(std::string title, std::string author, std::string isbn = "") {
  marc::Record r;
  r.leader = "00000nam a2200000 a 4500";
  r.control("001", title);
  if (!isbn.empty()) r.add("020", ' ', ' ', {{'a', isbn}});
  r.add("100", '1', ' ', {{'a', author}});
  r.add("245", '1', '0', {{'a', title + " /"}});
  std::string out;
  REQUIRE(marc::write_iso2709(r, out));
  return out;
}

// What an import can bring of a book, by title.
std::map<std::string, std::string> books_of(Client& anybody) {
  std::map<std::string, std::string> out;
  for (int skip = 0;; skip += 100) {
    const auto page = anybody.get(fmt::format(
        "/api/v1/books?skip={}&fields=title,author,isbn,genre,year_published,description,language,publisher,"
        "page_count,tags,cover_url,copies_total",
        skip));
    REQUIRE(page.status == 200);
    if (page.size() == 0) return out;
    for (const auto& book : page.json.as_array())
      out[std::string(book.at("title").as_string())] = boost::json::serialize(book);
  }
}

void fill(TestApp& app, int plain) {
  auto librarian = app.librarian();
  const auto add = [&](const std::string& body) {
    const auto made = librarian.post("/api/v1/books", body);
    INFO(made.body);
    REQUIRE(made.status == 201);
  };
  add(R"({"title":"=Moby-Dick; or, \"The Whale\"","author":"Herman Melville","isbn":"9780306406157",
          "genre":"Fiction","year_published":1851,"description":"Call me Ishmael.\n\n<Some> years & ago",
          "language":"pt-BR","publisher":"Harper & Brothers","page_count":635,
          "tags":["sea","whales, and more","Łódź"],"cover_url":"https://example.org/c.jpg?a=1&b=2","copies":3})");
  add(R"({"title":"Iliad","author":"Homer","year_published":-750,"copies":0})");
  add(R"({"title":"源氏物語","author":"紫式部","language":"ja"})");
  for (int i = 0; i < plain; ++i) add(fmt::format(R"({{"title":"Book {}","author":"Some Body"}})", i));
}

}  // namespace

TEST_CASE("a file of MARC records is imported, damaged ones are named by their place", "[L4][B13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const std::string file = record("Emma", "Austen, Jane, 1775-1817.", "0306406152") + "what is this\x1D" +
                           record("Persuasion", "Austen, Jane");
  const auto first = import(librarian, file, "application/marc");
  CHECK(first["status"] == "succeeded");
  CHECK(first["result"].at("format") == "marc21");
  CHECK(first["result"].at("rows") == 3);
  CHECK(first["result"].at("created") == 2);
  CHECK(first["result"].at("failed").at(0).at("index") == 2);
  const auto second = import(librarian, file, "application/marc");
  CHECK(second["result"].at("created") == 0);
  CHECK(second["result"].at("unchanged") == 2);
  const auto emma = app->anybody().get("/api/v1/books?isbn=9780306406157");
  REQUIRE(emma.size() == 1);
  CHECK(emma[0].at("author") == "Jane Austen");
  CHECK(emma[0].at("title") == "Emma");

  const auto bomb =
      import(librarian,
             "<!DOCTYPE collection [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><collection "
             "xmlns=\"http://www.loc.gov/MARC21/slim\"><record><leader>&x;</leader></record></collection>",
             "application/marcxml+xml");
  CHECK(bomb["result"].at("created") == 0);
  CHECK(bomb["result"].at("failed_count") == 1);
}

TEST_CASE("what is exported in any format comes back equal", "[B14][L4]") {
  const auto kind = GENERATE(from_databases());
  auto from = TestApp::on(kind);
  fill(*from, 5);
  auto reader = from->anybody();
  const auto before = books_of(reader);
  REQUIRE(before.size() == 8);
  for (const auto& [format, type] :
       std::map<std::string, std::string>{{"csv", "text/csv"},
                                          {"jsonl", "application/x-ndjson"},
                                          {"marc", "application/marc"},
                                          {"marcxml", "application/marcxml+xml"}}) {
    CAPTURE(format);
    const auto file = from->librarian().get("/api/v1/books/export?format=" + format);
    CHECK(file.status == 200);
    CHECK(file.header("Content-Type").starts_with(type));
    CHECK(file.header("Content-Disposition").starts_with("attachment; filename=\"books-2026-11-22."));
    auto to = TestApp::on(kind);
    auto librarian = to->librarian();
    const auto task = import(librarian, file.body, type);
    CHECK(task["result"].at("created") == 8);
    CHECK(task["result"].at("warnings") == 0);
    auto again = to->anybody();
    CHECK(books_of(again) == before);
  }
}

TEST_CASE("an export of many pieces has every book once, and only staff may have it", "[B14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  std::string batch;
  for (int i = 0; i < 900; ++i) batch += fmt::format("{{\"title\":\"Book {}\",\"author\":\"A\"}}\n", i);
  REQUIRE(librarian.post("/api/v1/books/batch", batch, {{"Content-Type", "application/x-ndjson"}}).status ==
          200);
  const auto file = librarian.get("/api/v1/exports/books?format=jsonl");
  std::set<std::string> lines;
  std::istringstream in(file.body);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  CHECK(lines.size() == 900);
  CHECK(app->patron().get("/api/v1/books/export").status == 403);
  CHECK(app->anybody().get("/api/v1/exports/books?format=csv").status == 401);
  CHECK(librarian.get("/api/v1/books/export?format=pdf").status == 422);
}

TEST_CASE("a book is cited as BibTeX, RIS and CSL", "[L12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto id = app->book("Emma & other % tales", "Jane Austen, Fiona Stafford",
                            R"("isbn":"9780306406157","year_published":1815,"publisher":"Example Press")");
  auto anybody = app->anybody();
  const auto path = fmt::format("/api/v1/books/{}", id);
  const auto bibtex = anybody.get(path + "/citation?format=bibtex");
  CHECK(bibtex.status == 200);
  CHECK(bibtex.header("Content-Type").starts_with("application/x-bibtex"));
  CHECK(bibtex.body.starts_with("@book{austen1815emma_"));
  CHECK(bibtex.body.find("author = {Austen, Jane and Stafford, Fiona}") != std::string::npos);
  CHECK(bibtex.body.find("title = {{Emma \\& other \\% tales}}") != std::string::npos);
  CHECK(anybody.get(path + "?format=bibtex").body == bibtex.body);
  const auto ris = anybody.get(path + "/citation?format=ris");
  CHECK(ris.body.starts_with("TY  - BOOK\r\n"));
  CHECK(ris.body.find("AU  - Austen, Jane\r\nAU  - Stafford, Fiona\r\n") != std::string::npos);
  CHECK(ris.body.ends_with("ER  - \r\n"));
  const auto csl = anybody.get(path + "/citation?format=csl");
  REQUIRE(csl.size() == 1);
  CHECK(csl[0].at("author").at(1).at("family") == "Stafford");
  CHECK(csl[0].at("issued").at("date-parts").at(0).at(0) == 1815);
  CHECK(anybody.get(path + "/citation?format=mla").status == 422);
  CHECK(anybody.get("/api/v1/books/999/citation").status == 404);
  CHECK(anybody.get(path + "/citation", {{"If-None-Match", bibtex.header("ETag")}}).status == 304);
}

TEST_CASE("a book is linked data for who asks so", "[L11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto id = app->book("Iliad", "Homer", R"("year_published":-750,"tags":["epic"])");
  auto anybody = app->anybody();
  const auto path = fmt::format("/api/v1/books/{}", id);
  const auto plain = anybody.get(path);
  CHECK(plain["title"] == "Iliad");
  const auto linked = anybody.get(path, {{"Accept", "application/ld+json"}});
  CHECK(linked.header("Content-Type") == "application/ld+json");
  CHECK(linked["@type"] == "Book");
  CHECK(linked["@id"].as_string() == "http://library.example" + path);
  CHECK(linked["datePublished"] == "-0750");
  CHECK(linked["author"].at(0).at("name") == "Homer");
  CHECK(anybody.get(path + "?format=jsonld").body == linked.body);
  CHECK(anybody.get(path + "?format=json").body == plain.body);
  CHECK(anybody.get(path + "?format=marcxml").body.find("<datafield tag=\"245\"") != std::string::npos);
  CHECK(anybody.get(path + "?format=word").status == 422);
  CHECK(anybody.get("/api/v1/books/999?format=jsonld").status == 404);
  CHECK(anybody.get("/api/v1/books/x?format=jsonld").status == 422);
  CHECK(anybody.get(path).body == plain.body);
}

TEST_CASE("the sitemap names every book once", "[L11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto anybody = app->anybody();
  CHECK(anybody.get("/sitemap.xml").body.find("<sitemap>") == std::string::npos);
  const auto first = app->book("A & B", "C"), gone = app->book("Gone", "C"), last = app->book("D", "E");
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", gone)).status == 204);
  const auto index = anybody.get("/sitemap.xml");
  CHECK(index.header("Content-Type").starts_with("application/xml"));
  CHECK(index.body.find("<loc>http://library.example/sitemaps/1</loc>") != std::string::npos);
  const auto map = anybody.get("/sitemaps/1");
  for (const auto id : {first, last})
    CHECK(map.body.find(fmt::format("<loc>http://library.example/api/v1/books/{}</loc>", id)) !=
          std::string::npos);
  CHECK(map.body.find(fmt::format("/books/{}<", gone)) == std::string::npos);
  CHECK(map.body.ends_with("</urlset>\n"));
  CHECK(anybody.get("/sitemaps/2").status == 404);
  CHECK(anybody.get("/sitemaps/0").status == 404);
}
