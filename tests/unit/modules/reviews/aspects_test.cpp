#include "modules/reviews/aspects.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <random>

using namespace lumina;
using namespace lumina::reviews;

namespace {

// What a text says of an aspect; nothing when it does not speak of it.
std::optional<double> felt(std::string_view text, Aspect aspect) {
  std::optional<double> out;
  for (const auto& remark : remarks(text))
    if (remark.aspect == aspect) out = out.value_or(0) + remark.sentiment;
  return out;
}

struct Shelf {
  std::deque<std::string> texts;
  std::vector<SpokenReview> reviews;
  void add(std::string text) {
    texts.push_back(std::move(text));
    reviews.push_back({ReviewId{static_cast<std::int64_t>(texts.size())}, texts.back(),
                       std::make_shared<const Remarks>(remarks(texts.back()))});
  }
};

}  // namespace

TEST_CASE("a clause is judged by its own words", "[E22]") {
  const std::string turned = "The plot was gripping but the characters were flat and boring.";
  CHECK(felt(turned, Aspect::plot).value() > 0.2);
  CHECK(felt(turned, Aspect::characters).value() < -0.2);
  const std::string listed = "The plot, the style and the characters are wonderful.";
  for (const auto aspect : {Aspect::plot, Aspect::style, Aspect::characters})
    CHECK(felt(listed, aspect).value() > 0.2);
  CHECK_FALSE(felt(listed, Aspect::pace));
  CHECK(felt("Great plot and characters!", Aspect::characters).value() > 0.2);
  CHECK(felt("Although the prose is beautiful, the pacing is terrible.", Aspect::style).value() > 0);
  CHECK(felt("Although the prose is beautiful, the pacing is terrible.", Aspect::pace).value() < -0.2);
  CHECK(felt("A real page turner, I loved it.", Aspect::pace).value() > 0.2);
}

TEST_CASE("a remark need not be a judgement, and not every word is a remark", "[E22]") {
  CHECK(felt("The plot follows two sisters in Bath.", Aspect::plot) == 0.0);
  CHECK(remarks("I loved it. Would read again.").empty());
  CHECK_FALSE(felt("It was written by my aunt.", Aspect::style));
  CHECK(remarks("").empty());
}

TEST_CASE("remarks are places in the text, whatever bytes it holds", "[E22]") {
  std::mt19937 random(5);
  const std::vector<std::string> pieces{"plot ",    "but ",         "the prose, ", "\xF0\x9F\x98\x80",
                                        "\xC3",     ". ",           "great ",      "awful ",
                                        "pacing; ", "\n\n",         "and ",        "“cast” ",
                                        "slow ",    "page turner ", "Prosa über ", std::string(1, '\0'),
                                        "I loved "};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t n = random() % 60; n > 0; --n) text += pieces[random() % pieces.size()];
    for (const auto& remark : remarks(text)) {
      REQUIRE(remark.begin < remark.end);
      REQUIRE(remark.end <= text.size());
      REQUIRE(remark.sentiment >= -1);
      REQUIRE(remark.sentiment <= 1);
    }
  }
}

TEST_CASE("quotes stand in the reviews that they name, the opposite among them", "[E22]") {
  Shelf shelf;
  shelf.add("The plot is wonderful. I could not put it down.");
  shelf.add("An excellent plot, though the cover is dull.");
  shelf.add("I loved the story and its twists.");
  shelf.add("The plot is terrible and boring.");
  shelf.add("See https://example.org for the best plot in the world!");
  shelf.add("It arrived on Tuesday.");
  const auto found = aspects(shelf.reviews);
  REQUIRE(found.size() == 4);
  const auto& plot = found[0];
  CHECK(plot.aspect == Aspect::plot);
  CHECK(plot.reviews == 5);
  CHECK(plot.sentiment.value() > 0.1);
  REQUIRE(plot.quotes.size() == 3);
  CHECK(plot.quotes[0].sentiment > 0);
  CHECK(plot.quotes[1].sentiment > 0);
  CHECK(plot.quotes[2].sentiment < 0);
  CHECK(plot.quotes[2].review == ReviewId{4});
  for (const auto& quote : plot.quotes) {
    const auto& text = shelf.texts[static_cast<std::size_t>(quote.review.value - 1)];
    CHECK(text.contains(quote.text));
    CHECK_FALSE(quote.text.contains("://"));
  }
  for (const auto& other : {found[1], found[2], found[3]}) {
    CHECK(other.reviews == 0);
    CHECK_FALSE(other.sentiment);
    CHECK(other.quotes.empty());
  }
}

TEST_CASE("a quote is at most 300 bytes and cut between words", "[E22]") {
  Shelf shelf;
  std::string text = "The plot is great because";
  for (int i = 0; i < 60; ++i) text += " every single page delights";
  shelf.add(text + ".");
  const auto found = aspects(shelf.reviews);
  REQUIRE(found[0].quotes.size() == 1);
  const auto quote = found[0].quotes[0].text;
  CHECK(quote.size() <= 300);
  CHECK(quote.size() > 250);
  CHECK(text[quote.size()] == ' ');
}

TEST_CASE("a review is read once for each of its versions", "[E22]") {
  AspectMemory memory;
  const auto first = memory.of(ReviewId{1}, 1, "A great plot.");
  CHECK(memory.of(ReviewId{1}, 1, "not looked at").get() == first.get());
  const auto second = memory.of(ReviewId{1}, 2, "A great cast.");
  REQUIRE(second->size() == 1);
  CHECK(second->front().aspect == Aspect::characters);
  for (int i = 2; i < 25'000; ++i) (void)memory.of(ReviewId{i}, 1, "");
  CHECK(memory.of(ReviewId{1}, 2, "not looked at").get() == second.get());  // of the older generation
}
