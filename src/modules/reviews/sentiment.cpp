#include "modules/reviews/sentiment.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace lumina::reviews {
namespace {

constexpr double mild = 0.3;
constexpr double strong = 0.5;

constexpr std::array<SentimentBandStyle, 5> styles = {{
    {"very_negative", "Very Negative", "#ef4444"},
    {"negative", "Negative", "#f97316"},
    {"neutral", "Neutral", "#6b7280"},
    {"positive", "Positive", "#3b82f6"},
    {"very_positive", "Very Positive", "#10b981"},
}};

}  // namespace

std::string_view to_string(SentimentSource source) {
  switch (source) {
    case SentimentSource::llm:
      return "llm";
    case SentimentSource::lexicon:
      return "lexicon";
    case SentimentSource::rating:
      return "rating";
  }
  return "rating";
}

std::optional<SentimentSource> sentiment_source(std::string_view name) {
  for (const auto source : {SentimentSource::llm, SentimentSource::lexicon, SentimentSource::rating}) {
    if (name == to_string(source)) return source;
  }
  return std::nullopt;
}

double rounded_score(double score) {
  if (!std::isfinite(score)) return 0;
  const double rounded = std::round(std::clamp(score, -1.0, 1.0) * 100) / 100;
  return rounded == 0 ? 0 : rounded;  // never -0
}

double rating_score(double rating) { return rounded_score((rating - 3) / 2); }

SentimentBand sentiment_band(double score) {
  if (score <= -strong) return SentimentBand::very_negative;
  if (score < -mild) return SentimentBand::negative;
  if (score >= strong) return SentimentBand::very_positive;
  if (score > mild) return SentimentBand::positive;
  return SentimentBand::neutral;
}

const SentimentBandStyle& sentiment_band_style(SentimentBand band) {
  return styles[static_cast<std::size_t>(band)];
}

SentimentSign sentiment_sign(double score) {
  return score > mild    ? SentimentSign::positive
         : score < -mild ? SentimentSign::negative
                         : SentimentSign::neutral;
}

}  // namespace lumina::reviews
