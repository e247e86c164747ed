#include "core/search/query.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace lumina::search;

namespace {

bool knows(std::string_view name) { return name == "title" || name == "author" || name == "year"; }

std::string read(std::string_view text) {
  const auto query = parse_query(text, &knows);
  if (!query) return "fault at " + std::to_string(query.error().position) + ": " + query.error().message;
  return (query->plain ? "plain " : "") + to_text(query->root);
}

}  // namespace

TEST_CASE("the query language is read as its grammar says", "[C4]") {
  CHECK(read("") == "plain ()");
  CHECK(read("  war   peace ") == "plain (war AND peace)");
  CHECK(read("war AND peace") == "(war AND peace)");
  CHECK(read("war OR peace love") == "(((war) OR (peace AND love)))");
  CHECK(read("a OR b OR c") == "(((a) OR (b) OR (c)))");
  CHECK(read("war -peace") == "(war AND NOT peace)");
  CHECK(read("war NOT peace") == "(war AND NOT peace)");
  CHECK(read("NOT NOT war") == "(war)");
  CHECK(read("(a b) OR c") == "((((a AND b)) OR (c)))");
  CHECK(read("\"to be\" or") == "(\"to be\" AND or)");
  CHECK(read("title:dune") == "(title:dune)");
  CHECK(read("TITLE:\"le guin\"") == "(title:\"le guin\")");
  CHECK(read("author:(a OR b)") == "(((author:a) OR (author:b)))");
  CHECK(read("dun*") == "(dun*)");
  CHECK(read("*") == "plain (*)");
  CHECK(read("time sharing (TSS), at last") == "plain (time AND sharing AND (TSS) AND , AND at AND last)");
  CHECK(read("jean-paul") == "plain (jean-paul)");
  CHECK(read("re:zero 5: author: x") == "plain (re:zero AND 5: AND author: AND x)");
  CHECK(read("year:>1990") == "(year:>1990)");
}

TEST_CASE("a fault says where", "[C4]") {
  CHECK(read("\"war") == "fault at 0: a quote is not closed");
  CHECK(read("é \"war") == "fault at 2: a quote is not closed");
  CHECK(read("(war").starts_with("fault at 0"));
  CHECK(read("war)").starts_with("fault at 3"));
  CHECK(read("()").starts_with("fault at 0"));
  CHECK(read("war AND").starts_with("fault at 7"));
  CHECK(read("OR war").starts_with("fault at 0"));
  CHECK(read("title:(author:x)").starts_with("fault at 7"));
  CHECK(read(std::string(1001, 'a')).starts_with("fault at 1000"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "a ";
  CHECK(read(many).starts_with("plain "));
  CHECK(read(many + "-b") == "fault at 128: has more than 64 words");
  CHECK(read(std::string(30, '(') + "a" + std::string(30, ')')).starts_with("fault at"));
}

TEST_CASE("any bytes are a query or a fault within it, and what is read reads the same again", "[C4]") {
  std::mt19937 random(4);
  const std::vector<std::string> pieces = {
      "a", "b ", " ",      "\"",    "(",        ")",    "AND ", " OR ", "NOT ", "-",
      "*", ":",  "title:", "year:", "\xC3\xA9", "\xFF", "\x80", "..",   "\t",   "c\"d"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = random() % 14; n > 0; --n) text += pieces[random() % pieces.size()];
    CAPTURE(text);
    const auto query = parse_query(text, &knows);
    if (!query) {
      REQUIRE(query.error().position <= text.size());
      REQUIRE(!query.error().message.empty());
      continue;
    }
    if (query->root.children.empty()) continue;
    const auto once = to_text(query->root);
    if (once.size() > 400) continue;
    const auto again = parse_query(once, &knows);
    if (!again) {
      // Words such as ":" or "*" can stand beside other signs only as they were typed.
      REQUIRE(text.find_first_of(":*-\xFF\x80") != std::string::npos);
      continue;
    }
    if (text.find_first_of(":*-") == std::string::npos) {
      const auto flat = [](std::string s) {
        std::erase_if(s, [](char c) { return c == '(' || c == ')'; });
        return s;
      };
      REQUIRE(flat(to_text(again->root)) == flat(once));
    }
  }
}
