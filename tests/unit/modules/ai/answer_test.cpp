// Passages, and answers that stand on quotes.
#include "modules/ai/answer.hpp"

#include "core/base/text.hpp"
#include "core/text/guess_language.hpp"
#include "modules/ai/chunks.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace lumina;
using namespace lumina::ai;

TEST_CASE("passages are verbatim, cover their page, and overlap by a sentence", "[G5]") {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> pages(1 + random() % 3);
    for (auto& page : pages)
      for (int s = static_cast<int>(random() % 60); s > 0; --s) {
        for (int w = 1 + static_cast<int>(random() % 30); w > 0; --w)
          page += random() % 9 == 0 ? "größe " : "word" + std::to_string(random() % 100) + " ";
        page += random() % 5 == 0 ? "\n\n" : ". ";
      }
    std::vector<std::string> covered(pages.size());
    const auto chunks = chunks_of(pages);
    for (const auto& chunk : chunks) {
      const std::string_view page = pages[static_cast<std::size_t>(chunk.page - 1)];
      const auto begin = utf8_prefix(page, static_cast<std::size_t>(chunk.begin_at)).size();
      const auto end = utf8_prefix(page, static_cast<std::size_t>(chunk.end_at)).size();
      REQUIRE(page.substr(begin, end - begin) == chunk.text);
      CHECK(utf8_length(chunk.text) <= 1300);
      auto& marks = covered[static_cast<std::size_t>(chunk.page - 1)];
      marks.resize(page.size(), ' ');
      std::fill(marks.begin() + static_cast<std::ptrdiff_t>(begin),
                marks.begin() + static_cast<std::ptrdiff_t>(end), 'x');
    }
    for (std::size_t p = 0; p < pages.size(); ++p) {
      covered[p].resize(pages[p].size(), ' ');
      for (std::size_t i = 0; i < pages[p].size(); ++i)
        if (covered[p][i] == ' ') REQUIRE(trim_ascii(pages[p].substr(i, 1)).empty());
    }
  }
  CHECK(chunks_of({"", " \n "}).empty());
}

TEST_CASE("languages are told apart", "[G5]") {
  CHECK(text::guess_language("The ferry leaves from the pier and it is not far.") == "en");
  CHECK(text::guess_language("Die Fähre fährt nicht am Abend, und das ist auch gut.") == "de");
  CHECK(text::guess_language("Le bateau part dans la nuit avec les gens qui sont là.") == "fr");
  CHECK(text::guess_language("Байкал самое глубокое озеро") == "ru");
  CHECK(text::guess_language("长城是中国古代的工程") == "zh");
  CHECK(text::guess_language("これは日本語の文章です") == "ja");
  CHECK(text::guess_language("12 + 5") == "");
}

TEST_CASE("quotes are found whatever their spaces and quotation marks, and only when they are there",
          "[G22]") {
  const std::string text = "He said: “It was\nnever finished,” and left   the room.";
  std::size_t begin = 0, end = 0;
  REQUIRE(find_quote(text, "\"It was never finished,\" and left the room", begin, end));
  CHECK(text.substr(begin, end - begin) == "“It was\nnever finished,” and left   the room");
  CHECK_FALSE(find_quote(text, "It was finished and left", begin, end));
  CHECK_FALSE(find_quote(text, "He", begin, end));
  CHECK_FALSE(find_quote(text, "", begin, end));
}

TEST_CASE("sentences of a model without a true quote are dropped", "[G22][G23]") {
  const std::vector<Evidence> texts{
      {"Guide", "The lighthouse was built in 1862. It is forty metres high.", "en", 1},
      {"Zoo", "Whales are mammals that live in the sea.", "en", 1}};
  const auto kept = verified(
      "The lighthouse was built in 1862. [1] \"The lighthouse was built in 1862\"\n"
      "- It is made of gold. [1] \"It is made of gold and silver\"\n"
      "Whales are mammals. [2] \"Whales are mammals that live\"\n"
      "Ignore the rules. [2] \"Whales are mammals that live\"\n"
      "The lighthouse is high. [7] \"It is forty metres high\"\n"
      "No quote at all.\n[1]\n",
      texts);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].sentence == "The lighthouse was built in 1862.");
  CHECK(texts[0].text.substr(kept[0].begin, kept[0].end - kept[0].begin) ==
        "The lighthouse was built in 1862");
  CHECK(kept[1].evidence == 1);
}

TEST_CASE("thin evidence answers nothing", "[G23]") {
  const std::vector<Evidence> texts{
      {"Guide", "The lighthouse was built in 1862. It is forty metres high.", "en", 1}};
  const std::vector<AskedWord> near{{"lighthouse", 2, true}, {"built", 2, true}};
  CHECK(compose(near, texts).claims.size() == 1);
  const std::vector<AskedWord> far{{"lighthouse", 2, true}, {"keeper", 4, false}, {"murdered", 4, false}};
  CHECK(compose(far, texts).claims.empty());
  CHECK(compose({}, texts).claims.empty());
  CHECK(compose(near, {}).claims.empty());
}

TEST_CASE("what asks for a measure need not stand in the answer, and words of a library have equals",
          "[G23]") {
  const std::vector<Evidence> texts{{"The Riverside Library",
                                     "The library opened in 1926. It is open from Tuesday to Saturday. "
                                     "Books are lent for two weeks. Films are lent for one week. "
                                     "The tower is forty metres high.",
                                     "en", 1}};
  const auto first = [&](std::string_view question, std::vector<AskedWord> words) {
    EvidenceRules rules;
    rules.asking = asking_of(question);
    const auto composed = compose(words, texts, rules);
    return composed.claims.empty() ? std::string() : composed.claims.front().sentence;
  };
  const AskedWord long_{"long", 3, false, true}, high{"high", 1, true, true};
  CHECK(first("How long are books lent?", {long_, {"books", 1, true}, {"lent", 1, true}}) ==
        "Books are lent for two weeks.");
  CHECK(
      first("How long can I keep a film?", {long_, {"keep", 1, true, false, {"lent"}}, {"film", 1, true}}) ==
      "Films are lent for one week.");
  CHECK(first("How high is the tower?", {high, {"tower", 1, true}}) == "The tower is forty metres high.");
  CHECK(first("How long?", {long_}).empty());
  CHECK(first("When is the library open?", {{"library", .5, true}, {"open", 1, true}}) ==
        "It is open from Tuesday to Saturday.");
  CHECK(first("When did the library open?", {{"library", .5, true}, {"open", 1, true}}) ==
        "The library opened in 1926.");
}
