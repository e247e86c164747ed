#include "core/vector/lsa.hpp"

#include "core/vector/index.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace lumina::vector {
namespace {

EmbeddingText text_of(std::string words) { return {{{1.0F, std::move(words)}}, "en"}; }

// Two subjects with words of their own, and words that both use.
std::vector<EmbeddingText> two_subjects() {
  const std::vector<std::string> sea = {"ship", "sailor", "storm", "harbour", "captain", "whale"};
  const std::vector<std::string> stars = {"planet", "rocket", "orbit", "galaxy", "alien", "astronaut"};
  std::mt19937 random(3);
  std::vector<EmbeddingText> texts;
  for (int i = 0; i < 60; ++i) {
    const auto& own = i % 2 == 0 ? sea : stars;
    std::string words = "a story of people";
    for (int j = 0; j < 4; ++j) words += ' ' + own[random() % own.size()];
    texts.push_back(text_of(words));
  }
  return texts;
}

LsaParameters small() {
  LsaParameters parameters;
  parameters.dimensions = 8;
  return parameters;
}

TEST_CASE("texts of one subject are nearer than those of two, also by words they do not share", "[H5]") {
  LsaParameters parameters;
  parameters.dimensions = 2;  // as many as there are subjects
  const auto fitted = LsaEmbedder::fit(two_subjects(), parameters).value();
  const auto whale = fitted.embedder->embed(text_of("whale"));
  const auto sailors = fitted.embedder->embed(text_of("the sailors"));
  const auto rocket = fitted.embedder->embed(text_of("Rocket"));
  CHECK(dot(whale, sailors) > 0.3F);
  CHECK(dot(whale, sailors) > dot(whale, rocket) + 0.3F);
}

TEST_CASE("folding a learned text in gives its own vector, of length 1", "[H5]") {
  const auto texts = two_subjects();
  const auto fitted = LsaEmbedder::fit(texts, small()).value();
  const auto size = fitted.embedder->dimensions();
  for (std::size_t i = 0; i < texts.size(); i += 7) {
    const auto vector = fitted.embedder->embed(texts[i]);
    CHECK(dot(vector, vector) == Approx(1.0F).margin(1e-4));
    CHECK(dot(vector, std::span(fitted.vectors).subspan(i * size, size)) == Approx(1.0F).margin(1e-4));
  }
}

TEST_CASE("the number of threads changes nothing") {
  Work one;
  one.threads = 1;
  Work four;
  four.threads = 4;
  const auto a = LsaEmbedder::fit(two_subjects(), small(), one).value();
  const auto b = LsaEmbedder::fit(two_subjects(), small(), four).value();
  CHECK(a.vectors == b.vectors);
  CHECK(a.embedder->id() == b.embedder->id());
}

TEST_CASE("no documents, empty documents and strange bytes make an embedder all the same") {
  for (const auto& texts :
       {std::vector<EmbeddingText>{}, std::vector<EmbeddingText>{text_of(""), text_of("")},
        std::vector<EmbeddingText>{text_of("\xff\xfe"), text_of("one word each")}}) {
    const auto fitted = LsaEmbedder::fit(texts, small()).value();
    CHECK(fitted.vectors.size() == texts.size() * fitted.embedder->dimensions());
    const auto vector = fitted.embedder->embed(text_of("something else"));
    CHECK(vector.size() == fitted.embedder->dimensions());
  }
}

TEST_CASE("fitting can be cancelled") {
  Work work;
  work.cancelled = [] { return true; };
  const auto fitted = LsaEmbedder::fit(two_subjects(), small(), work);
  REQUIRE_FALSE(fitted);
  CHECK(fitted.error().code == "cancelled");
}

TEST_CASE("an embedder comes back from its archive; damaged, cut off and newer ones are errors", "[H24]") {
  const auto fitted = LsaEmbedder::fit(two_subjects(), small()).value();
  const auto bytes = fitted.embedder->save();
  const auto loaded = LsaEmbedder::load(bytes).value();
  CHECK(loaded->id() == fitted.embedder->id());
  CHECK(loaded->embed(text_of("captain in a storm")) ==
        fitted.embedder->embed(text_of("captain in a storm")));

  std::mt19937 random(5);
  for (int i = 0; i < 50; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    CHECK_FALSE(LsaEmbedder::load(damaged));
    CHECK_FALSE(LsaEmbedder::load(std::string_view(bytes).substr(0, random() % bytes.size())));
  }
  CHECK(LsaEmbedder::load("").error().code == "model_damaged");
}

}  // namespace
}  // namespace lumina::vector
