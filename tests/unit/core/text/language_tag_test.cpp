#include "core/text/language_tag.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace lumina::text;

TEST_CASE("a well-formed language tag gets its canonical form", "[B1]") {
  struct Row {
    const char *text, *expected;
  };
  const std::vector<Row> rows = {
      {"en", "en"},
      {"EN-us", "en-US"},
      {"eng", "en"},
      {"fre", "fr"},
      {"fra", "fr"},
      {"ger", "de"},
      {"deu", "de"},
      {"fil", "fil"},
      {"enm", "enm"},
      {"zh-hant-tw", "zh-Hant-TW"},
      {"ZH-HANS", "zh-Hans"},
      {"es-419", "es-419"},
      {"zh-yue", "yue"},
      {"zh-cmn-hans-cn", "zh-Hans-CN"},
      {"sl-rozaj-biske-1994", "sl-rozaj-biske-1994"},
      {"de-CH-1996", "de-CH-1996"},
      {"en-a-bbb-x-a-ccc", "en-a-bbb-x-a-ccc"},
      {"x-whatever", "x-whatever"},
      {"de-Latf-x-Fraktur", "de-Latf-x-fraktur"},
      {"i-klingon", "tlh"},
      {"en-GB-oed", "en-GB-oxendict"},
      {"art-lojban", "jbo"},
      {"und", "und"},
      {"eng-gb", "en-GB"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_language_tag(row.text) == row.expected);
    CHECK(parse_language_tag(*parse_language_tag(row.text)) == row.expected);
  }
}

TEST_CASE("what is no language tag is refused", "[B1]") {
  for (const char* text : {"",
                           "e",
                           "english",
                           "en_US",
                           "en-",
                           "-en",
                           "en--US",
                           "en US",
                           "en-US-US",
                           "en-x",
                           "en-a",
                           "en-a-",
                           "12",
                           "en-abcdefghi",
                           "x",
                           "x-",
                           "de-1996-1996",
                           "en-a-bb-a-cc",
                           "fran\u00E7ais",
                           "en\n",
                           "en-US-u",
                           "\xFF",
                           "en-aaaa-bbbb",
                           "abcd",
                           "en-u-aaaaaaaa-bbbbbbbb-cccccccc-dddd"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_language_tag(text));
  }
  CHECK_FALSE(parse_language_tag(std::string(100'000, 'a')));
}

TEST_CASE("an imported language may be a name, an old code or the first of a list", "[B13]") {
  struct Row {
    const char *text, *expected;
  };
  const std::vector<Row> rows = {
      {"English", "en"},  {" french ", "fr"}, {"Deutsch", "de"}, {"espa\u00F1ol", "es"},
      {"en_US", "en-US"}, {"eng", "en"},      {"de/en", "de"},   {"eng, fre", "en"},
      {"en;fr", "en"},    {"per", "fa"},      {"rum", "ro"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_imported_language(row.text) == row.expected);
  }
  for (const char* text : {"", "--", "und", "mul", "zxx", "Klingonish", "unknown", ","}) {
    CAPTURE(text);
    CHECK_FALSE(parse_imported_language(text));
  }
}
