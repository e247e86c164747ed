// Reviews and what they add up to, free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/reviews/aspects.hpp"
#include "modules/reviews/sentiment.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reviews {

constexpr std::array<std::string_view, 3> sentiment_source_names{"llm", "lexicon", "rating"};
constexpr auto& enum_names(SentimentSource) { return sentiment_source_names; }

struct Reviewer {
  UserId id;
  std::string full_name;
  static constexpr std::string_view type_name = "Reviewer";
  static std::vector<schema::Field> fields();
};

// Whether a review is seen: shown and cleared ones are. Three reports make a shown one pending; staff hides
// or clears.
enum class Standing : std::uint8_t { shown, pending, hidden, cleared };
constexpr std::array<std::string_view, 4> standing_names{"shown", "pending", "hidden", "cleared"};
constexpr auto& enum_names(Standing) { return standing_names; }

struct Review {
  ReviewId id;
  UserId user_id;
  BookId book_id;
  std::string review_text;
  double rating = 0;           // 1.0 to 5.0
  double sentiment_score = 0;  // -1 to 1
  SentimentSource sentiment_source = SentimentSource::lexicon;
  std::optional<std::string> sentiment_model;  // when a language model found the score
  int helpful_count = 0;
  int reply_count = 0;
  bool spoiler = false;  // the text is given only to who asks for spoilers
  Standing standing = Standing::shown;
  bool unusual = false;  // waits as one of many at once (unusual.hpp)
  Timestamp created_at, updated_at;
  Reviewer user;
  std::int64_t version = 1;  // part of the ETag, not of the body

  bool seen() const { return standing == Standing::shown || standing == Standing::cleared; }

  static constexpr std::string_view type_name = "Review";
  static std::vector<schema::Field> fields();
};

struct NewReview {
  BookId book_id;
  std::string review_text;  // 10..5000 code points
  double rating = 0;        // 1.0..5.0
  std::optional<bool> spoiler;
  static constexpr std::string_view type_name = "NewReview";
  static std::vector<schema::Field> fields();
};

struct ReviewChanges {
  std::optional<std::string> review_text;
  std::optional<double> rating;
  std::optional<bool> spoiler;
  static constexpr std::string_view type_name = "ReviewChanges";
  static std::vector<schema::Field> fields();
};

struct ReviewOrder {
  std::optional<std::string> sort;
  std::optional<std::string> order;  // helpful or newest: another spelling of the usual two
  std::optional<bool> spoilers;
  static constexpr std::string_view type_name = "ReviewOrder";
  static std::vector<schema::Field> fields();
};

struct SpoilerChoice {
  std::optional<bool> spoilers;
  static constexpr std::string_view type_name = "SpoilerChoice";
  static std::vector<schema::Field> fields();
};

// In the place of a text that gives the plot away.
constexpr std::string_view spoiler_notice =
    "This review gives away what happens; ask with spoilers=1 to read it.";

struct SentimentDistribution {
  int positive = 0, neutral = 0, negative = 0;
  static constexpr std::string_view type_name = "SentimentDistribution";
  static std::vector<schema::Field> fields();
};
struct RatingCount {
  double rating = 0;
  int count = 0;
  static constexpr std::string_view type_name = "RatingCount";
  static std::vector<schema::Field> fields();
};
struct ThemeLine {
  std::string term;
  int count = 0;
  double sentiment = 0;
  static constexpr std::string_view type_name = "Theme";
  static std::vector<schema::Field> fields();
};

struct EvidenceLine {
  ReviewId review_id;
  std::string quote;
  double sentiment = 0;
  static constexpr std::string_view type_name = "AspectEvidence";
  static std::vector<schema::Field> fields();
};
struct AspectLine {
  Aspect aspect = Aspect::plot;
  int reviews = 0;
  std::optional<double> sentiment;
  std::vector<EvidenceLine> evidence;
  static constexpr std::string_view type_name = "AspectOfReviews";
  static std::vector<schema::Field> fields();
};

struct Analysis {
  BookId book_id;
  std::string book_title;
  double average_sentiment = 0;  // two decimals
  SentimentDistribution sentiment_distribution;
  std::string category, label, color;
  int total_reviews = 0;
  double average_rating = 0;
  std::vector<RatingCount> rating_histogram;
  std::vector<ThemeLine> themes;
  std::vector<AspectLine> aspects;
  std::string summary, summary_source;
  Timestamp generated_at;
  static constexpr std::string_view type_name = "Analysis";
  static std::vector<schema::Field> fields();
};

struct SentimentRequest {
  std::string text;
  std::optional<double> rating;
  static constexpr std::string_view type_name = "SentimentRequest";
  static std::vector<schema::Field> fields();
};
struct SentimentAnswer {
  double score = 0;
  std::string category, label, color;
  SentimentSource source = SentimentSource::lexicon;
  static constexpr std::string_view type_name = "Sentiment";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::reviews
