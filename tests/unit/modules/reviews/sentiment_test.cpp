#include "modules/reviews/sentiment.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace lumina::reviews;

TEST_CASE("the edges at 0.3 are neutral, beyond them a score takes a side", "[E14]") {
  CHECK(sentiment_sign(0.3) == SentimentSign::neutral);
  CHECK(sentiment_sign(-0.3) == SentimentSign::neutral);
  CHECK(sentiment_sign(0) == SentimentSign::neutral);
  CHECK(sentiment_sign(0.31) == SentimentSign::positive);
  CHECK(sentiment_sign(-0.31) == SentimentSign::negative);
}

TEST_CASE("five bands have a category, a label and a colour each", "[E15]") {
  struct Row {
    double score;
    std::string category, label, color;
  };
  const Row row = GENERATE(values<Row>({
      {-1, "very_negative", "Very Negative", "#ef4444"},
      {-0.5, "very_negative", "Very Negative", "#ef4444"},
      {-0.49, "negative", "Negative", "#f97316"},
      {-0.31, "negative", "Negative", "#f97316"},
      {-0.3, "neutral", "Neutral", "#6b7280"},
      {0, "neutral", "Neutral", "#6b7280"},
      {0.3, "neutral", "Neutral", "#6b7280"},
      {0.31, "positive", "Positive", "#3b82f6"},
      {0.49, "positive", "Positive", "#3b82f6"},
      {0.5, "very_positive", "Very Positive", "#10b981"},
      {1, "very_positive", "Very Positive", "#10b981"},
  }));
  INFO(row.score);
  const auto& style = sentiment_band_style(sentiment_band(row.score));
  CHECK(style.category == row.category);
  CHECK(style.label == row.label);
  CHECK(style.color == row.color);
  CHECK(sentiment_category(row.score) == row.category);
}

TEST_CASE("a rating alone says (rating - 3) / 2", "[E9]") {
  CHECK(rating_score(1) == -1);
  CHECK(rating_score(3) == 0);
  CHECK(rating_score(4.5) == 0.75);
  CHECK(rating_score(5) == 1);
  CHECK(rating_score(-7) == -1);
  CHECK(rating_score(99) == 1);
}

TEST_CASE("scores have two decimals and stay in range", "[E8]") {
  CHECK(rounded_score(0.126) == 0.13);
  CHECK(rounded_score(7) == 1);
  CHECK(rounded_score(-7) == -1);
  CHECK(rounded_score(std::numeric_limits<double>::quiet_NaN()) == 0);
  CHECK_FALSE(std::signbit(rounded_score(-0.001)));
}

TEST_CASE("sources have the names of the contract", "[E12]") {
  for (const auto source : {SentimentSource::llm, SentimentSource::lexicon, SentimentSource::rating}) {
    CHECK(sentiment_source(to_string(source)) == source);
  }
  CHECK(to_string(SentimentSource::llm) == "llm");
  CHECK(to_string(SentimentSource::lexicon) == "lexicon");
  CHECK(to_string(SentimentSource::rating) == "rating");
  CHECK_FALSE(sentiment_source("vader"));
}
