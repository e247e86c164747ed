#include "modules/books/search_sentence.hpp"

#include "modules/books/search_document.hpp"
#include "modules/books/search_run.hpp"

#include <catch2/catch.hpp>

using namespace lumina;
using namespace lumina::books;

namespace {

std::string meaning(std::string_view sentence) {
  const auto read = interpret(sentence);
  if (!read) return "words";
  std::string out = "'" + read->rest + "'";
  for (const auto& f : read->filters) out += " " + f.name + "=" + f.value;
  return out;
}

}  // namespace

TEST_CASE("a sentence that asks for kinds of books is read by rule", "[C18]") {
  CHECK(meaning("short french novels after 1990") == "'novels' pages_to=200 language=fr year_from=1991");
  CHECK(meaning("books by Jane Austen before 1816") == "'' author=Jane Austen year_to=1815");
  CHECK(meaning("german books about gardens since 2001") == "'gardens' language=de year_from=2001");
  CHECK(meaning("available poems from the 1920s") == "'poems' available=true year=1920..1929");
  CHECK(meaning("novels between 1800 and 1850") == "'novels' year=1800..1850");
  CHECK(meaning("show me long stories in spanish") == "'stories' pages_from=500 language=es");
  CHECK(meaning("gardening after 1990") == "'gardening' year_from=1991");
}

TEST_CASE("titles stay titles", "[C18]") {
  for (const auto* title :
       {"The French Lieutenant's Woman", "A Short History of Nearly Everything", "Long Walk to Freedom",
        "Emma", "German for beginners", "Nineteen Eighty-Four", "1984", "The English Patient", "",
        "History of the Decline and Fall of the Roman Empire", "After Dark"}) {
    CAPTURE(title);
    CHECK(meaning(title) == "words");
  }
}

TEST_CASE("ranges of years and other conditions of the query language", "[C4]") {
  const auto range = [](std::string_view text) -> std::string {
    const auto c = field_condition("year", text);
    if (!c) return "fault";
    return (c->least == search::Condition{}.least ? "" : std::to_string(c->least)) + ".." +
           (c->most == INT64_MAX ? "" : std::to_string(c->most));
  };
  CHECK(range("1990") == "1990..1990");
  CHECK(range(">1990") == "1991..");
  CHECK(range(">=1990") == "1990..");
  CHECK(range("<1990") == "..1989");
  CHECK(range("<=1990") == "..1990");
  CHECK(range("1990..2000") == "1990..2000");
  CHECK(range("1990-2000") == "1990..2000");
  CHECK(range("..2000") == "..2000");
  CHECK(range("1990..") == "1990..");
  CHECK(range("-300") == "-300..-300");
  for (const auto* bad : {"", "..", "soon", "19x", "1..2..3", ">", "--"}) CHECK(range(bad) == "fault");
  CHECK_FALSE(field_condition("available", "maybe"));
  CHECK(language_code("French") == "fr");
}

TEST_CASE("lists are fused by their ranks", "[C16]") {
  const auto fused = fuse({{1, 2, 3}, {3, 4}});
  REQUIRE(fused.size() == 4);
  CHECK(fused[0].first == 3);  // in both
  CHECK(fused[0].second == Approx(1.0 / 63 + 1.0 / 61));
  CHECK(fused[1].first == 1);
  CHECK(fuse({}).empty());
}

TEST_CASE("a search by meaning is fused with one by words, and keeps its filters", "[C16]") {
  search::Index index(search_schema());
  const auto book = [](std::int64_t id, std::string title, std::string language) {
    IndexedBook b;
    b.id = {id};
    b.title = std::move(title);
    b.author = "X";
    b.language = std::move(language);
    return document_of(b);
  };
  index.put({book(1, "Grief", "en"), book(2, "On mourning", "en"), book(3, "Le deuil", "fr")});
  SearchQuery query;
  query.q = "grief";
  query.mode = SearchMode::hybrid;
  const std::vector<BookId> near{BookId{2}, BookId{1}, BookId{3}, BookId{77}};
  const auto ids = [&](const SearchQuery& q) {
    std::string out;
    const auto found = run_search(index.snapshot(), {}, q, &near);
    REQUIRE(found);
    for (const auto& b : found->books) out += std::to_string(b.id.value) + " ";
    return out;
  };
  CHECK(ids(query) == "1 2 3 ");
  query.language = "en";
  CHECK(ids(query) == "1 2 ");
  query.mode = SearchMode::semantic;
  CHECK(ids(query) == "2 1 ");
}
