// Hostile bytes for every function of core/text, and the properties that hold for all of them.
#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/stem.hpp"
#include "core/text/words.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace lumina::text;

namespace {

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += piece;
  return out;
}

std::vector<std::string> hostile_texts() {
  std::vector<std::string> texts = {
      "",
      std::string(1, '\0'),
      std::string("nul\0inside", 10),
      "\xFF\xFE\xFD",
      "cut short \xE2\x82",
      "\xC0\xAF overlong \xED\xA0\x80 surrogate \xF5\x80\x80\x80 too high",
      std::string(100'000, '\x80'),
      std::string(100'000, '.'),
      std::string(100'000, '\''),
      std::string(100'000, '\n'),
      std::string(100'000, 'a'),
      repeated("\xF0\x9F\x98\x80", 100'000),
      repeated("e\xCC\x81\xCC\x81\xCC\x81", 100'000),
      repeated(". ", 100'000),
      repeated(".\" (", 100'000),
      repeated("!a", 100'000),
      repeated("\xE3\x80\x82", 100'000),
      repeated("\xEF\xB7\xBA", 30'000),  // one character that NFKC makes eighteen
      repeated("\xE2\x80\x8D", 100'000),
  };
  std::mt19937 random(20261122);
  for (int i = 0; i < 300; ++i) {
    std::string bytes(random() % 400, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 128));
    texts.push_back(std::move(bytes));
  }
  return texts;
}

bool inside(const std::vector<Slice>& slices, std::string_view text) {
  std::size_t floor = 0;
  for (const Slice& s : slices) {
    if (s.begin < floor || s.end <= s.begin || s.end > text.size()) return false;
    if (s.text != text.substr(s.begin, s.end - s.begin)) return false;
    floor = s.begin;
  }
  return true;
}

}  // namespace

TEST_CASE("any bytes can be folded, and folding again changes nothing") {
  for (const std::string& text : hostile_texts()) {
    const std::string once = fold(text);
    REQUIRE(fold(once) == once);
  }
}

TEST_CASE("words and sentences are slices of the text in order, whatever the bytes") {
  for (const std::string& text : hostile_texts()) {
    REQUIRE(inside(words(text), text));
    REQUIRE(inside(words(text, {.cjk_bigrams = true}), text));
    const auto found = sentences(text);
    REQUIRE(inside(found, text));
    for (std::size_t i = 1; i < found.size(); ++i) REQUIRE(found[i].begin >= found[i - 1].end);
  }
}

TEST_CASE("no byte but white space is lost between sentences") {
  std::mt19937 random(7);
  constexpr std::string_view signs = "ab AB.!?\"'()\n\t1.  ";
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 60, ' ');
    for (char& c : text) c = signs[random() % signs.size()];
    std::string left = text;
    for (const Slice& s : sentences(text)) {
      for (std::size_t at = s.begin; at < s.end; ++at) left[at] = ' ';
    }
    INFO(text);
    REQUIRE(left.find_first_not_of(" \n\t") == std::string::npos);
  }
}

TEST_CASE("any bytes can be stemmed in any language") {
  for (const std::string& text : hostile_texts()) {
    for (const std::string_view language : {"en", "de", "fr", "ru", "ar", "xx", ""})
      (void)stem(text, language);
  }
}

TEST_CASE("eight threads fold and stem the same text to the same terms") {
  const std::string text =
      "R\xC3\xA9"
      "sum\xC3\xA9s of the reading groups, re-read daily";
  const auto shape = [&] {
    std::string all;
    for (const Term& t : terms(text, "en")) all += t.text + "|";
    return all;
  };
  const std::string expected = shape();
  CHECK(expected == "resum|of|the|read|group|re|read|daili|");
  std::vector<std::string> seen(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& mine : seen) {
      threads.emplace_back([&mine, &shape] {
        for (int i = 0; i < 200; ++i) mine = shape();
      });
    }
  }
  for (const std::string& mine : seen) CHECK(mine == expected);
}
