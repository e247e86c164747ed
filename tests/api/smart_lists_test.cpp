// Smart lists: their books are what the catalogue answers now.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <vector>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string titles(const Answer& list) {
  std::string out;
  if (!list.json.is_array()) return "not a list: " + list.body;
  for (const auto& item : list.json.as_array())
    out += (out.empty() ? "" : ", ") + std::string(item.at("book").at("title").as_string());
  return out;
}

}  // namespace

TEST_CASE("a smart list is right after inserts, edits and deletions", "[B27]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto reader = app->patron();
  app->book("Emma", "Jane Austen", R"("genre":"Novel","language":"en","page_count":400)");
  app->book("Faust", "Goethe", R"("genre":"Play","language":"de")");
  const auto list =
      reader.post("/api/v1/collections",
                  R"({"name":"Novels","query":{"genre":"Novel","sort":"title"},"is_public":true})");
  REQUIRE(list.status == 201);
  CHECK(list["items"] == 1);
  const auto path = fmt::format("/api/v1/collections/{}", list.id());
  const auto shown = [&] { return titles(app->anybody().get(path + "/books")); };
  CHECK(shown() == "Emma");
  const auto added = app->book("Adam Bede", "George Eliot", R"("genre":"Novel","page_count":600)");
  CHECK(shown() == "Adam Bede, Emma");
  CHECK(app->anybody().get(path)["items"] == 2);
  CHECK(reader.get("/api/v1/collections?mine=true")[0].at("items") == 2);
  const auto stats = app->anybody().get(path + "/stats");
  CHECK(stats["items"] == 2);
  CHECK(stats["available"] == 2);
  CHECK(stats["pages"] == 1000);
  REQUIRE(librarian.patch(fmt::format("/api/v1/books/{}", added), R"({"genre":"Play"})").status == 200);
  CHECK(shown() == "Emma");
  CHECK(reader.patch(path, R"({"query":{"genre":"Play","sort":"-title"}})")["items"] == 2);
  CHECK(shown() == "Faust, Adam Bede");
  REQUIRE(librarian.del(fmt::format("/api/v1/books/{}", added)).status == 204);
  CHECK(shown() == "Faust");
  CHECK(app->anybody().get(path + "/books?limit=1&skip=1").size() == 0);
  const auto link = reader.post(path + "/link");
  if (link.status == 200)
    CHECK(app->anybody().get(std::string(link["link"].as_string()))["books"].as_array().size() == 1);

  const auto emma = app->book("Persuasion");
  CHECK(reader.post(fmt::format("/api/v1/collections/{}/books/{}", list.id(), emma)).code() == "smart_list");
  CHECK(reader.del(fmt::format("/api/v1/collections/{}/books/{}", list.id(), emma)).code() == "smart_list");
  CHECK(reader.put(path + "/books", R"({"book_ids":[]})").status >= 400);
  for (const auto* bad : {R"({"colour":"red"})", R"({"genre":5})", R"([])", R"({"sort":"colour"})",
                          R"({"year_from":"x"})", "7"})
    CHECK(reader.post("/api/v1/collections", fmt::format(R"({{"name":"X","query":{}}})", bad)).status == 422);
  CHECK(reader.post("/api/v1/collections", R"({"name":"W","kind":"wishlist","query":{"genre":"Novel"}})")
            .status == 422);
  CHECK(reader.patch(path, R"({"query":null})").status == 422);
  const auto plain = reader.post("/api/v1/collections", R"({"name":"Plain"})");
  CHECK(reader.patch(fmt::format("/api/v1/collections/{}", plain.id()), R"({"query":{"genre":"Novel"}})")
            .status == 422);
}

TEST_CASE("a smart list always equals the listing of its filters", "[B27]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  std::mt19937 random(11);
  const std::vector<std::string> genres{"Novel", "Play", "Essay"};
  std::vector<std::int64_t> books;
  const auto list = librarian.post(
      "/api/v1/collections",
      R"({"name":"N","kind":"curated","query":{"genre":"Novel","year_from":1900,"sort":"title"}})");
  REQUIRE(list.status == 201);
  for (int step = 0; step < 30; ++step) {
    const auto& genre = genres[random() % genres.size()];
    const auto year = 1880 + random() % 40;
    if (books.empty() || random() % 2 == 0)
      books.push_back(app->book(fmt::format("Book {}", step), "A",
                                fmt::format(R"("genre":"{}","year_published":{})", genre, year)));
    else
      REQUIRE(librarian
                  .patch(fmt::format("/api/v1/books/{}", books[random() % books.size()]),
                         fmt::format(R"({{"genre":"{}","year_published":{}}})", genre, year))
                  .status == 200);
    const auto wanted = app->anybody().get("/api/v1/books?genre=Novel&year_from=1900&sort=title");
    std::string expected;
    for (const auto& book : wanted.json.as_array())
      expected += (expected.empty() ? "" : ", ") + std::string(book.at("title").as_string());
    CHECK(titles(app->anybody().get(fmt::format("/api/v1/collections/{}/books", list.id()))) == expected);
  }
}
