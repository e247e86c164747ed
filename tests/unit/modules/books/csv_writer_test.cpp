#include "modules/books/csv_writer.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace lumina::books;

TEST_CASE("fields are quoted only where RFC 4180 needs it", "[B14]") {
  std::string out;
  CsvWriter writer(out);
  writer.text("plain")
      .text("a,b")
      .text("say \"hi\"")
      .text("two\nlines")
      .text("")
      .number(-750)
      .empty()
      .text(" x");
  writer.end_row();
  writer.text("next").end_row();
  CHECK(out == "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,-750,,\" x\"\r\nnext\r\n");

  std::string tabs;
  CsvWriter tab_writer(tabs, '\t');
  tab_writer.text("a,b").text("c\td").end_row();
  CHECK(tabs == "a,b\t\"c\td\"\r\n");
}

TEST_CASE("text that a spreadsheet would run is disarmed, and only that", "[B14][security]") {
  for (const char* text : {"=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0",
                           "\uFF1D1", "\uFF0B1", "\uFF0D1", "\uFF20x"}) {
    CAPTURE(text);
    CHECK(guard_formula(text) == std::string("'") + text);
    CHECK(unguard_formula(guard_formula(text)) == text);
  }
  for (const char* text : {"Emma", "", "1984", "a=b", "'Salem's Lot", "'", "Catch-22", "\u2013 dash"}) {
    CAPTURE(text);
    CHECK(guard_formula(text) == text);
    CHECK(unguard_formula(text) == text);
  }
  CHECK(guard_formula("'=1") == "''=1");
  CHECK(unguard_formula(guard_formula("'=1")) == "'=1");
  CHECK(unguard_formula("=1") == "=1");
}

TEST_CASE("tags are joined so that the import parts them again", "[B14]") {
  const auto join = [](std::vector<std::string> tags) { return join_tags(tags); };
  CHECK(join({}).empty());
  CHECK(join({"sea"}) == "sea");
  CHECK(join({"sea", "whales"}) == "sea;whales");
  CHECK(join({"History, British"}) == "History, British;");
  CHECK(join({"a;b", "c"}) == "a,b;c");
}
