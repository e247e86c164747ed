#include "modules/reviews/valence.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina::reviews;

namespace {
double score(std::string_view text) { return valence(text).score(); }
}  // namespace

TEST_CASE("negation turns a word, wherever it is written", "[E10]") {
  for (const std::string text : {"It is not good.", "It isn't good.", "It isnt good.", "It was never good.",
                                 "I don't think it is good.", "No good at all.",
                                 "I can\xE2\x80\x99t recommend it.", "Nobody enjoyed it."}) {
    INFO(text);
    CHECK(score(text) < 0);
  }
  CHECK(score("It is not bad.") > 0);
  CHECK(score("Never boring.") > 0);
  CHECK(score("Not only clever, it is also funny.") > 0);
  // A negation does not reach over a pause.
  CHECK(score("No, it is wonderful.") > 0);
}

TEST_CASE("intensifiers, capitals and exclamations strengthen, diminishers weaken", "[E10]") {
  const double plain = score("It is a clever book.");
  CHECK(score("It is a very clever book.") > plain);
  CHECK(score("It is an extremely clever book.") > score("It is a very clever book."));
  CHECK(score("It is a slightly clever book.") < plain);
  CHECK(score("It is a CLEVER book.") > plain);
  CHECK(score("It is a clever book!!!") > plain);
  CHECK(score("IT IS A CLEVER BOOK.") == Approx(plain));
}

TEST_CASE("what follows but outweighs what comes before it", "[E10]") {
  CHECK(score("It is funny, but dull.") < 0);
  CHECK(score("It is dull, but funny.") > score("It is funny, but dull."));
  CHECK(score("Although the start is dull, the rest is brilliant.") > 0);
}

TEST_CASE("conditions and unfulfilled wishes are no praise", "[E10]") {
  CHECK(score("It could have been a great book.") < 0);
  CHECK(score("I wanted to love this.") < 0);
  CHECK(score("It was supposed to be funny.") < 0);
  CHECK(valence("If you love long books, buy a lamp.").evidence < valence("I love long books.").evidence);
}

TEST_CASE("phrases say what their words do not", "[E10]") {
  CHECK(score("I couldn't put it down.") > 0);
  CHECK(score("A waste of time.") < 0);
  CHECK(score("A real page-turner.") > 0);
  CHECK(score("It left me cold.") < 0);
  CHECK(score("You can't go wrong with it.") > 0);
}

TEST_CASE("smileys and emoji speak", "[E10]") {
  CHECK(score("The ending :)") > 0);
  CHECK(score("The ending :(") < 0);
  CHECK(score("\xF0\x9F\x91\x8D") > 0);
  CHECK(score("\xF0\x9F\x98\xA1") < 0);
}

TEST_CASE("what a plot is made of is no verdict", "[E10]") {
  const auto found = valence("Murder, war, death, grief and a funeral follow.");
  CHECK(found.evidence == 0);
  CHECK(found.score() == 0);
}

TEST_CASE("lukewarm words make a verdict smaller", "[E10]") {
  CHECK(valence("okay").score() == 0);
  CHECK(valence("okay").lukewarm > 0);
  CHECK(score("It is clever, but it was okay, nothing special.") < score("It is clever."));
}

TEST_CASE("a sentence alone reads as a text of one sentence", "[E10]") {
  CHECK(sentence_valence("A clever book.") > 0);
  CHECK(sentence_valence("") == 0);
}
