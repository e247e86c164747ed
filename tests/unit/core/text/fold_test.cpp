#include "core/text/fold.hpp"

#include <catch2/catch.hpp>

#include <string>

using lumina::text::fold;

TEST_CASE("spellings that a reader takes for one word fold to one") {
  struct Row {
    std::string given, folded;
  };
  const Row row = GENERATE(values<Row>({
      {"", ""},
      {"The Hobbit", "the hobbit"},
      {"\xC3\x89mile Zola", "emile zola"},
      {"E\xCC\x81mile", "emile"},
      {"Stra\xC3\x9F"
       "e",
       "strasse"},
      {"STRASSE", "strasse"},
      {"\xC3\x98ystein", "oystein"},
      {"\xC5\x81\xC3\xB3"
       "d\xC5\xBA",
       "lodz"},
      {"\xC3\x86sop", "aesop"},
      {"\xC3\x9E\xC3\xB3rr", "thorr"},
      {"\xEF\xAC\x81sh", "fish"},
      {"O\xE2\x80\x99"
       "Brien",
       "o'brien"},
      {"\xCE\x9F\xCE\xB4\xCF\x8D\xCF\x83\xCF\x83\xCE\xB5\xCE\xB9\xCE\xB1",
       "\xCE\xBF\xCE\xB4\xCF\x85\xCF\x83\xCF\x83\xCE\xB5\xCE\xB9\xCE\xB1"},
      {"\xD0\x92\xD0\xBE\xD0\xB9\xD0\xBD\xD0\xB0", "\xD0\xB2\xD0\xBE\xD0\xB8\xD0\xBD\xD0\xB0"},
      {"\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\xA3", "abc"},
      {"soft\xC2\xADhyphen", "softhyphen"},
      {"nul\xFFl", "nul\xEF\xBF\xBDl"},
  }));
  CHECK(fold(row.given) == row.folded);
}

TEST_CASE("marks that spell the word stay") {
  CHECK(fold("\xE3\x81\x8C") == "\xE3\x81\x8C");                                            // が is not か
  CHECK(fold("\xE0\xB8\x99\xE0\xB9\x89\xE0\xB8\xB3") != fold("\xE0\xB8\x99\xE0\xB8\xB3"));  // Thai tone
  CHECK(fold("\xED\x95\x9C\xEA\xB8\x80") == "\xED\x95\x9C\xEA\xB8\x80");  // Hangul stays composed
}
