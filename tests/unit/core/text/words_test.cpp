#include "core/text/words.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina::text;

namespace {
std::string joined(std::string_view text, WordOptions options = {}) {
  std::string all;
  for (const Slice& s : words(text, options)) all += (all.empty() ? "" : "|") + std::string(s.text);
  return all;
}
}  // namespace

TEST_CASE("words are runs of letters and digits of any script") {
  CHECK(joined("Catch-22, by J. Heller (1961)") == "Catch|22|by|J|Heller|1961");
  CHECK(joined("na\xC3\xAFve caf\xC3\xA9") == "na\xC3\xAFve|caf\xC3\xA9");
  CHECK(joined("\xD0\x92\xD0\xBE\xD0\xB9\xD0\xBD\xD0\xB0 \xD0\xB8 \xD0\xBC\xD0\xB8\xD1\x80").find('|') == 10);
  CHECK(joined(" ,.;! \xF0\x9F\x98\x80 ").empty());
}

TEST_CASE("an apostrophe between letters belongs to the word") {
  CHECK(joined("don't 'quote' O\xE2\x80\x99"
               "Brien's rock'n'roll dogs' 5'3") ==
        "don't|quote|O\xE2\x80\x99"
        "Brien's|rock'n'roll|dogs|5|3");
}

TEST_CASE("text without spaces gives pairs when asked") {
  const std::string title = "\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD 2020";
  CHECK(joined(title) == "\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD|2020");
  CHECK(joined(title, {.cjk_bigrams = true}) == "\xE6\x9D\xB1\xE4\xBA\xAC|\xE4\xBA\xAC\xE9\x83\xBD|2020");
  CHECK(joined("\xE6\x9C\xAC", {.cjk_bigrams = true}) == "\xE6\x9C\xAC");
}

TEST_CASE("offsets are bytes of the text that was given") {
  const std::string text = "\xC3\x89mile reads";
  const auto found = words(text);
  REQUIRE(found.size() == 2);
  CHECK(found[1].begin == 7);
  CHECK(found[1].end == 12);
}

TEST_CASE("terms are folded and stemmed") {
  const auto found = terms(
      "The \xC3\x89"
      "ditions, Reading",
      "en");
  REQUIRE(found.size() == 3);
  CHECK(found[1].text == "edit");
  CHECK(found[2].text == "read");
  CHECK(terms("Reading", "").at(0).text == "reading");
}
