#include "modules/reviews/sentiment_lexicon.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace lumina::reviews;

TEST_CASE("the built-in lexicon is read whole") {
  const auto& lexicon = SentimentLexicon::builtin();
  CHECK(lexicon.size() > 3000);
  CHECK(lexicon.valence(lexicon.find("masterpiece")).value() > 3);
  CHECK(lexicon.valence(lexicon.find("boring")).value() < -1);
  CHECK(lexicon.find("xylophone") == SentimentLexicon::unknown);
}

TEST_CASE("forms follow from the section") {
  const SentimentLexicon lexicon(
      "[2 adjective]\nhappy gentle comic\n[-2 verb]\ndrag bore annoy carry\n[1 noun]\nstory\n");
  for (const char* word : {"happily", "gently", "comically"})
    CHECK(lexicon.valence(lexicon.find(word)) == 2.0);
  for (const char* word :
       {"drags", "dragged", "dragging", "bored", "boring", "annoyed", "annoying", "carries", "carried"}) {
    INFO(word);
    CHECK(lexicon.valence(lexicon.find(word)) == -2.0);
  }
  CHECK(lexicon.valence(lexicon.find("stories")) == 1.0);
}

TEST_CASE("the longest phrase wins, and a star stands for any word") {
  const SentimentLexicon lexicon(
      "[1 phrase]\nput down\nput * down\nput it down again\n[2 wish]\nhoped for\n");
  const auto ids = [&](std::vector<std::string> words) {
    std::vector<SentimentLexicon::WordId> found;
    for (const auto& word : words) found.push_back(lexicon.find(word));
    return found;
  };
  const auto length = [&](const std::vector<SentimentLexicon::WordId>& words) {
    const auto found = lexicon.phrase(words.data(), words.size());
    return found ? found->words : 0;
  };
  CHECK(length(ids({"put", "down"})) == 2);
  CHECK(length(ids({"put", "something", "down"})) == 3);
  CHECK(length(ids({"put", "it", "down", "again"})) == 4);
  CHECK(length(ids({"put", "it"})) == 0);
  CHECK(length(ids({"something"})) == 0);
  CHECK(length({}) == 0);
  CHECK(lexicon.phrase(ids({"hoped", "for"}).data(), 2)->mood == SentimentLexicon::Mood::wish);
}

TEST_CASE("a lexicon that is not in its form is refused with the line") {
  for (const char* source : {"word\n", "[x word]\n", "[2 nonsense]\n", "[2]\n", "[9 word]\n", "[2 word\nx"}) {
    INFO(source);
    CHECK_THROWS_WITH(SentimentLexicon(source), Catch::Contains("line 1"));
  }
}
