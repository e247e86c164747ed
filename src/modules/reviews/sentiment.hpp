// What a review feels: the analyser that reviews ask, its answer, and the bands that pages show.
//
// A score is -1 (hates it) to 1 (loves it), rounded to two decimals. Other modules may implement
// SentimentAnalyzer (a language model does); BuiltinSentiment (sentiment_builtin.hpp) is always there. All
// functions are pure and thread-safe.
#pragma once
#include <optional>
#include <string_view>

namespace lumina::reviews {

// Who found the score: a language model, the built-in analysis of the text, or the rating because the text
// says nothing.
enum class SentimentSource { llm, lexicon, rating };
// "llm", "lexicon", "rating": as stored and as sent.
std::string_view to_string(SentimentSource source);
std::optional<SentimentSource> sentiment_source(std::string_view name);

struct Sentiment {
  double score = 0;  // -1..1, two decimals
  SentimentSource source = SentimentSource::lexicon;
  bool operator==(const Sentiment&) const = default;
};

// Thread-safe; any bytes are welcome as text. `rating` is 1..5, clamped.
class SentimentAnalyzer {
 public:
  virtual ~SentimentAnalyzer() = default;
  virtual Sentiment analyze(std::string_view text, std::optional<double> rating) const = 0;
};

// (rating - 3) / 2, rounded and kept in -1..1: what a rating says where nothing else does.
double rating_score(double rating);
// Rounded to two decimals and kept in -1..1; what is no number becomes 0.
double rounded_score(double score);

// very_negative up to -0.5, negative below -0.3, positive above 0.3, very_positive from 0.5; neutral between,
// -0.3 and 0.3 included.
enum class SentimentBand { very_negative, negative, neutral, positive, very_positive };
SentimentBand sentiment_band(double score);

struct SentimentBandStyle {
  std::string_view category;  // "very_negative": stable, for programs
  std::string_view label;     // "Very Negative": for people
  std::string_view color;     // "#ef4444"
};
const SentimentBandStyle& sentiment_band_style(SentimentBand band);
inline std::string_view sentiment_category(double score) {
  return sentiment_band_style(sentiment_band(score)).category;
}

// Three bins for distributions: above 0.3, below -0.3, between.
enum class SentimentSign { negative, neutral, positive };
SentimentSign sentiment_sign(double score);

}  // namespace lumina::reviews
