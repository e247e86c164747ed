#include "modules/reviews/linear_model.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using namespace lumina;
using namespace lumina::reviews;

namespace {

// Reviews in a made-up language in which "zor" praises and "vek" blames, so that only learning can tell.
std::vector<std::string> invented_reviews(std::size_t count) {
  std::mt19937 random(1);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = i % 2 == 0 ? "zor" : "vek";
    for (int w = 0; w < 6; ++w) text += " word" + std::to_string(random() % 40);
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<Example> labelled(const std::vector<std::string>& texts) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < texts.size(); ++i) examples.push_back({texts[i], i % 2 == 0 ? 1.0 : 0.0, 1});
  return examples;
}

}  // namespace

TEST_CASE("a model learns from the library's own reviews", "[E10]") {
  const auto texts = invented_reviews(200);
  const auto model = LinearModel::train(labelled(texts));
  REQUIRE(model);
  CHECK(model->examples() == 200);
  CHECK(model->accuracy() > 0.9);
  CHECK(model->read("zor word1 word2").logit > 0);
  CHECK(model->read("vek word1 word2").logit < 0);
  CHECK(model->read("nothing of this was ever seen").known == 0);
  CHECK(model->blend().linear > 0);
}

TEST_CASE("training is deterministic", "[E10]") {
  const auto texts = invented_reviews(100);
  CHECK(LinearModel::train(labelled(texts))->save() == LinearModel::train(labelled(texts))->save());
}

TEST_CASE("too few reviews, or reviews of one kind, teach nothing", "[E10]") {
  const auto texts = invented_reviews(100);
  auto examples = labelled(texts);
  CHECK(LinearModel::train({}).error().code == "too_few_examples");
  CHECK(LinearModel::train(std::span(examples).first(LinearModel::min_examples - 2)).error().code ==
        "too_few_examples");
  for (Example& e : examples) e.positive = 1;
  CHECK(LinearModel::train(examples).error().code == "too_few_examples");
}

TEST_CASE("a training can be stopped", "[E10]") {
  const auto texts = invented_reviews(100);
  std::stop_source stop;
  stop.request_stop();
  CHECK(LinearModel::train(labelled(texts), stop.get_token()).error().code == "stopped");
}

TEST_CASE("hostile examples do no harm", "[E10]") {
  auto texts = invented_reviews(100);
  texts[0] = "";
  texts[1] = std::string(100'000, '\0');
  texts[2] = "\xFF\xFE\xC0";
  texts[3] = std::string(200'000, 'a');
  for (int i = 0; i < 20'000; ++i) texts[4] += " w" + std::to_string(i);
  auto examples = labelled(texts);
  examples[5].positive = 17;
  examples[6].weight = -3;
  const auto model = LinearModel::train(examples);
  REQUIRE(model);
  CHECK(model->read("zor").logit > 0);
}

TEST_CASE("saving and loading keep every reading", "[E10]") {
  const auto texts = invented_reviews(120);
  const auto model = LinearModel::train(labelled(texts));
  const auto loaded = LinearModel::load(model->save());
  REQUIRE(loaded);
  for (const std::string& text : texts) {
    CHECK(loaded->read(text).logit == Approx(model->read(text).logit).epsilon(1e-4));
    CHECK(loaded->read(text).known == model->read(text).known);
  }
  CHECK(LinearModel::load(LinearModel().save()));
}

TEST_CASE("damaged bytes are refused", "[E10]") {
  const auto texts = invented_reviews(60);
  const std::string saved = LinearModel::train(labelled(texts))->save();
  CHECK(LinearModel::load("").error().code == "damaged_model");
  CHECK(LinearModel::load("not a model at all").error().code == "damaged_model");
  for (std::size_t i = 0; i < saved.size(); i += 7) {
    CHECK_FALSE(LinearModel::load(saved.substr(0, i)));
    std::string flipped = saved;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    CHECK_FALSE(LinearModel::load(flipped));
  }
}
