#include "modules/books/normalize.hpp"

#include "core/base/text.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace lumina;
using namespace lumina::books;

TEST_CASE("a line of text is trimmed, composed and freed of what cannot be seen", "[B15]") {
  struct Row {
    std::string text;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"Emma", "Emma"},
      {"  The \t Subtle\r\n Knife ", "The Subtle Knife"},
      {"Doe, John", "Doe, John"},
      {"E\u0301mile", "\u00C9mile"},
      {"no\u00A0break\u3000space", "no break space"},
      {"soft\u00ADhyphen\uFEFF", "softhyphen"},
      {"evil\u202Etxt", "eviltxt"},
      {std::string("nul\0l bell\a", 11), "null bell"},
      {"\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645",
       "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645"},
      {"\xC9mile", "\u00C9mile"},
      {"\x93quoted\x94 \x96 \x80", "\u201Cquoted\u201D \u2013 \u20AC"},
      {" \u2003 ", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(clean_line(row.text) == row.expected);
    CHECK(clean_line(clean_line(row.text)) == clean_line(row.text));
  }
}

TEST_CASE("a description keeps its paragraphs", "[B15]") {
  CHECK(clean_paragraphs(" a  b \r\n c\r\n\r\n\r\n\r\nd\n") == "a b\nc\n\nd");
  CHECK(clean_paragraphs("a\rb\u2029c") == "a\nb\nc");
  CHECK(clean_paragraphs("\n\n").empty());
}

TEST_CASE("spellings of one book share a key", "[B13][B15]") {
  struct Row {
    const char *title, *author, *other_title, *other_author;
  };
  const std::vector<Row> rows = {
      {"Emma", "Doe, John", "Emma", "John Doe"},
      {"The Hobbit", "J. R. R. Tolkien", "Hobbit, The", "Tolkien, J.R.R., 1892-1973"},
      {"Les Mis\u00E9rables", "Victor Hugo", "les  miserables!", "HUGO, Victor"},
      {"Moby-Dick; or, The Whale", "Herman Melville", "Moby Dick: Or the Whale", "Melville, Herman"},
      {"Don't Look", "O'Brien, Ann", "Don\u2019t look", "Ann O\u2019Brien"},
      {"Stra\u00DFe", "G\u00FCnter Gra\u00DF", "STRASSE", "Gunter Grass"},
      {"War & Peace", "Leo Tolstoy", "War and Peace", "Tolstoy, Leo, graf (Lev)"},
      {"Good Omens", "Terry Pratchett, Neil Gaiman", "Good Omens", "Neil Gaiman and Terry Pratchett"},
      {"Speech", "Kennedy, John F. (John Fitzgerald)", "Speech", "John F. Kennedy"},
      {"\u00C9mile", "Rousseau", "E\u0301mile", "Rousseau"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.title, row.other_title, row.author, row.other_author);
    if (std::string_view(row.title) == "War & Peace") {
      CHECK(title_key(row.title) == title_key(row.other_title));
      continue;
    }
    CHECK(match_key(row.title, row.author) == match_key(row.other_title, row.other_author));
  }
}

TEST_CASE("different books have different keys", "[B13][B15]") {
  struct Row {
    const char *title, *author, *other_title, *other_author;
  };
  const std::vector<Row> rows = {
      {"Emma", "Jane Austen", "Emma", "Charlotte Austen"},
      {"C", "Kernighan", "C++", "Kernighan"},
      {"C++", "Kernighan", "C#", "Kernighan"},
      {"Henry IV, Part 1", "Shakespeare", "Henry IV, Part 2", "Shakespeare"},
      {"ab", "c", "a", "bc"},
      {"!!!", "x", "???", "x"},
      {"\u6211\u7A7F\u6211\u81EA\u5DF1", "\u7405\u4FE8", "\u6211\u7A7F", "\u7405\u4FE8"},
      {"1984", "George Orwell", "1985", "George Orwell"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.title, row.other_title);
    CHECK(match_key(row.title, row.author) != match_key(row.other_title, row.other_author));
  }
  CHECK_FALSE(match_key("!!!", "").empty());
  CHECK(match_key("", "").empty());
}

TEST_CASE("any bytes are cleaned to well-formed text without control characters", "[B15][K25]") {
  std::mt19937 random(15);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<int> length(0, 40);
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (int n = length(random); n > 0; --n) text += static_cast<char>(byte(random));
    CAPTURE(text);
    for (const std::string& clean : {clean_line(text), clean_paragraphs(text), match_key(text, text)}) {
      REQUIRE(is_valid_utf8(clean));
      REQUIRE(clean.find_first_of(std::string_view("\0\x01\x02\x1B\x7F\r\t", 7)) == std::string::npos);
    }
    REQUIRE(clean_line(clean_line(text)) == clean_line(text));
    REQUIRE(is_valid_utf8(windows_1252_to_utf8(text)));
  }
}
