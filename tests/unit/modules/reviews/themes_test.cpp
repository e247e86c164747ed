#include "modules/reviews/themes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace lumina::reviews;

namespace {

const std::vector<ReviewText> reviews = {
    {"The world building is wonderful. I loved the dragons and the humour.", 0.9},
    {"Great world building, but the pacing is slow and boring.", 0.1},
    {"Slow pacing again. The dragon was the best part, a brilliant dragon.", 0.2},
    {"I was bored: terrible pacing. The world building saves it.", -0.2},
    {"Dragons! Lovely dragons, and a superb ending that I did not expect.", 0.9},
};

const Theme* find(const std::vector<Theme>& found, std::string_view term) {
  const auto it = std::find_if(found.begin(), found.end(), [term](const Theme& t) { return t.term == term; });
  return it == found.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("themes are what several reviews mention, with what they say of it", "[E13]") {
  const auto found = themes(reviews, 10);
  const Theme* const dragons = find(found, "dragons");
  REQUIRE(dragons != nullptr);
  CHECK(dragons->count == 3);
  CHECK(dragons->sentiment > 0.3);
  const Theme* const building = find(found, "world building");
  REQUIRE(building != nullptr);
  CHECK(building->count == 3);
  CHECK(find(found, "building") == nullptr);
  const Theme* const pacing = find(found, "pacing");
  REQUIRE(pacing != nullptr);
  CHECK(pacing->count == 3);
  CHECK(pacing->sentiment < 0);
}

TEST_CASE("themes come in order of their mentions, no more than asked for", "[E13]") {
  const auto found = themes(reviews, 2);
  REQUIRE(found.size() == 2);
  CHECK(found[0].count >= found[1].count);
  CHECK(themes(reviews, 0).empty());
  CHECK(themes({}, 10).empty());
}

TEST_CASE("a summary is made of sentences of the reviews, from different ones", "[E13]") {
  const std::string summary = summarize(reviews, 3);
  INFO(summary);
  CHECK(std::count(summary.begin(), summary.end(), '.') >= 2);
  std::size_t quoted = 0;
  for (const std::string sentence :
       {"The world building is wonderful.", "I loved the dragons and the humour.",
        "Great world building, but the pacing is slow and boring.",
        "The dragon was the best part, a brilliant dragon.", "I was bored: terrible pacing.",
        "The world building saves it.", "Lovely dragons, and a superb ending that I did not expect."}) {
    if (summary.find(sentence) != std::string::npos) ++quoted;
  }
  CHECK(quoted == 3);
  CHECK(summarize(reviews, 1).size() < summary.size());
  CHECK(summarize(reviews, 0).empty());
  CHECK(summarize({}, 3).empty());
}

TEST_CASE("a thousand hostile reviews are bounded work", "[E13][E17]") {
  std::vector<std::string> texts;
  for (int i = 0; i < 1500; ++i) {
    texts.push_back("Review " + std::to_string(i) + "\xFF of the dragon, by " + std::to_string(i * 7) +
                    ". \xF0\x9F\x98\x80");
  }
  texts[0] = std::string(100'000, '\0');
  texts[1] = std::string(100'000, 'a');
  for (int i = 0; i < 20'000; ++i) texts[2] += "word" + std::to_string(i) + " ";
  for (int i = 0; i < 20'000; ++i) texts[3] += "a. ";
  std::vector<ReviewText> many;
  for (const std::string& text : texts) many.push_back({text, 0.5});
  const auto found = themes(many, 10);
  CHECK(found.size() <= 10);
  REQUIRE(find(found, "dragon") != nullptr);
  CHECK(find(found, "dragon")->count <= 1000);
  CHECK(summarize(many, 3).size() < 1000);
}
