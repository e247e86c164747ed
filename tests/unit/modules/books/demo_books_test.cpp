#include "modules/books/demo_books.hpp"

#include "modules/books/normalize.hpp"
#include "modules/books/record_reader.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <sstream>
#include <string>

using namespace lumina::books;

TEST_CASE("the demo library has a thousand different books without a fault or warning", "[K28]") {
  std::istringstream in{std::string(demo_books_csv())};
  const auto source = RecordSource::open(in, "books.csv", {.newest_year = 2026});
  CHECK(source->format().unused_columns == std::vector<std::string>{"gutenberg_id"});
  std::set<std::string> keys;
  std::map<std::string, int> languages;
  int described = 0;
  while (const auto record = source->next()) {
    CAPTURE(record->line);
    REQUIRE(record->book);
    CHECK(record->warnings.empty());
    const NewBook& book = *record->book;
    CAPTURE(book.title);
    CHECK(keys.insert(match_key(book.title, book.author)).second);
    CHECK(book.genre);
    CHECK(book.copies.value_or(0) >= 1);
    if (book.year_published) CHECK(*book.year_published < 1935);
    ++languages[book.language.value()];
    described += book.description ? 1 : 0;
  }
  CHECK(keys.size() == 1'000);
  CHECK(described >= 100);
  CHECK(languages["en"] > 700);
  CHECK(languages.size() >= 15);
}

TEST_CASE("the demo library's fifty people have addresses that nobody can own", "[K28]") {
  std::istringstream in{std::string(demo_people_csv())};
  std::string line;
  std::getline(in, line);
  CHECK(line == "full_name,email,favorite_genres");
  std::set<std::string> emails;
  while (std::getline(in, line)) {
    CAPTURE(line);
    const std::size_t first = line.find(',');
    const std::size_t second = line.find(',', first + 1);
    REQUIRE(second != std::string::npos);
    const std::string email = line.substr(first + 1, second - first - 1);
    CHECK(email.ends_with("@demo.example"));
    emails.insert(email);
  }
  CHECK(emails.size() == 50);
}

TEST_CASE("reviews are composed of thirty or more sentences for every mood and place", "[K28]") {
  std::istringstream in{std::string(demo_review_phrases())};
  std::map<std::string, std::set<std::string>> sections;
  std::string line;
  std::string section;
  while (std::getline(in, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      section = line;
      continue;
    }
    CAPTURE(line);
    CHECK((line.ends_with('.') || line.ends_with('!')));
    CHECK(sections[section].insert(line).second);
  }
  for (const std::string mood : {"positive", "neutral", "negative"}) {
    for (const std::string place : {"opener", "middle", "closer"}) {
      CAPTURE(mood, place);
      CHECK(sections["[" + mood + " " + place + "]"].size() >= 30);
    }
  }
  CHECK(sections.size() == 9);
}
