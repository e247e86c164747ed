#include "core/text/sentences.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina::text;

namespace {
std::string joined(std::string_view text) {
  std::string all;
  for (const Slice& s : sentences(text)) all += (all.empty() ? "" : "|") + std::string(s.text);
  return all;
}
}  // namespace

TEST_CASE("sentences end where a reader ends them") {
  struct Row {
    std::string text, split;
  };
  const Row row = GENERATE(values<Row>({
      {"", ""},
      {"  One.  Two!  Three?  ", "One.|Two!|Three?"},
      {"No end", "No end"},
      {"Dr. Watson met Mr. Holmes. They left.", "Dr. Watson met Mr. Holmes.|They left."},
      {"By J. R. R. Tolkien. Read it.", "By J. R. R. Tolkien.|Read it."},
      {"By J.R.R. Tolkien it is.", "By J.R.R. Tolkien it is."},
      {"So am I. Then she left.", "So am I.|Then she left."},
      {"Some, e.g. Dune, are long, etc. but good.", "Some, e.g. Dune, are long, etc. but good."},
      {"It costs 3.50 euros. Cheap.", "It costs 3.50 euros.|Cheap."},
      {"See vol. 2 of it. No. It is out.", "See vol. 2 of it.|No.|It is out."},
      {"\"Stop!\" he said. \"Why?\" She ran.", "\"Stop!\" he said.|\"Why?\"|She ran."},
      {"He said (quietly.) Then left.", "He said (quietly.)|Then left."},
      {"Well... it was fine. Wait... What?", "Well... it was fine.|Wait...|What?"},
      {"Loved it!Read it twice.Blessed be.", "Loved it!|Read it twice.|Blessed be."},
      {"Buy at www.example.com today. Yes.", "Buy at www.example.com today.|Yes."},
      {"1. First point. 2. Second point.", "1. First point.|2. Second point."},
      {"A title\n\nThe text goes\non here.", "A title|The text goes\non here."},
      {"One\r\n\r\nTwo", "One|Two"},
      {"\xE5\xA5\xBD\xE3\x80\x82\xE5\x9D\x8F\xE3\x80\x82",
       "\xE5\xA5\xBD\xE3\x80\x82|\xE5\x9D\x8F\xE3\x80\x82"},
      {"Really?! Yes.", "Really?!|Yes."},
  }));
  INFO(row.text);
  CHECK(joined(row.text) == row.split);
}
