// What the API of recommendations takes and answers.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/books/model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::recs {

enum class Method : std::uint8_t { hybrid, collaborative, content, popular };
constexpr std::array<std::string_view, 4> method_names{"hybrid", "collaborative", "content", "popular"};
constexpr auto& enum_names(Method) { return method_names; }

// What somebody did with a recommended book. Dismissed and disliked books never come again.
enum class Action : std::uint8_t { click, like, dislike, dismiss, shown, opened };
constexpr std::array<std::string_view, 6> action_names{"click",   "like",  "dislike",
                                                       "dismiss", "shown", "opened"};
constexpr auto& enum_names(Action) { return action_names; }

// Why a book stands in a list.
enum class Source : std::uint8_t { collaborative, content, preferences, popular, undiscovered };
constexpr std::array<std::string_view, 5> source_names{"collaborative", "content", "preferences", "popular",
                                                       "undiscovered"};
constexpr auto& enum_names(Source) { return source_names; }

// Which books a list may have.
struct Filters {
  std::optional<std::string> genre, language;
  std::optional<std::int64_t> branch;  // has copies there
  std::optional<bool> available;       // a copy can be borrowed now
  std::vector<BookId> exclude;
};

struct ListQuery : Filters {
  std::optional<int> limit;  // 1..100, default 10
  std::optional<bool> exclude_read;
  std::optional<Method> strategy;
  std::optional<double> diversity;  // 0..1
  std::vector<double> weights;      // collaborative, content, popularity; administrators
  static constexpr std::string_view type_name = "RecommendationQuery";
  static std::vector<schema::Field> fields();
};
struct SimilarQuery : Filters {
  std::optional<int> limit;
  static constexpr std::string_view type_name = "SimilarQuery";
  static std::vector<schema::Field> fields();
};
enum class PopularOrder : std::uint8_t { popular, trending };
constexpr std::array<std::string_view, 2> popular_order_names{"popular", "trending"};
constexpr auto& enum_names(PopularOrder) { return popular_order_names; }
struct PopularQuery : Filters {
  std::optional<int> limit;
  std::optional<std::string> window;  // "30d", "12h", "4w"; default 30d
  std::optional<PopularOrder> order;
  static constexpr std::string_view type_name = "PopularQuery";
  static std::vector<schema::Field> fields();
};
struct SessionQuery {
  std::vector<BookId> books;
  std::optional<int> limit;
  std::vector<BookId> exclude;
  std::optional<std::string> genre, language;
  std::optional<bool> available;
  static constexpr std::string_view type_name = "SessionQuery";
  static std::vector<schema::Field> fields();
};
struct BatchQuery {
  std::vector<UserId> users;
  std::optional<int> limit;
  std::optional<Method> strategy;
  static constexpr std::string_view type_name = "RecommendationBatch";
  static std::vector<schema::Field> fields();
};

// 0 to 1; four decimals are more than a ranking knows.
inline double shown_score(double score) { return std::round(std::clamp(score, 0.0, 1.0) * 1e4) / 1e4; }

struct Because {
  BookId id;
  std::string title;
  static constexpr std::string_view type_name = "RecommendedBecause";
  static std::vector<schema::Field> fields();
};
// A book with why it is there.
struct Recommended : books::Book {
  double score = 0;  // 0..1, comparable within one list
  std::string reason;
  Source source = Source::popular;
  std::optional<Because> similar_to;  // the person's book that it follows from
  static constexpr std::string_view type_name = "RecommendedBook";
  static std::vector<schema::Field> fields();
};
struct SimilarBook : books::Book {
  double score = 0;  // 0..1
  static constexpr std::string_view type_name = "SimilarBook";
  static std::vector<schema::Field> fields();
};
struct PopularBook : books::Book {
  std::int64_t readers = 0;  // people who borrowed it in the window
  double score = 0;
  static constexpr std::string_view type_name = "WidelyReadBook";
  static std::vector<schema::Field> fields();
};
struct BatchEntry {
  UserId user_id;
  std::vector<Recommended> books;
  static constexpr std::string_view type_name = "RecommendationBatchEntry";
  static std::vector<schema::Field> fields();
};

struct Feedback {
  BookId book_id;
  Action action = Action::click;
  static constexpr std::string_view type_name = "RecommendationFeedback";
  static std::vector<schema::Field> fields();
};
// How a person wants it. `forget`: what was done before does not count any more.
struct PersonalSettings {
  bool personal = true;
  std::optional<Timestamp> forgotten_at;
  static constexpr std::string_view type_name = "RecommendationSettings";
  static std::vector<schema::Field> fields();
};
struct NewPersonalSettings {
  bool personal = true;
  static constexpr std::string_view type_name = "NewRecommendationSettings";
  static std::vector<schema::Field> fields();
};

// A version of the registry.
struct ModelVersion {
  std::int64_t version = 0;
  std::string algorithm;
  bool active = false;
  std::int64_t books = 0, people = 0, interactions = 0, size = 0;
  schema::RawJson parameters, metrics, weights, report;
  std::string cause;
  std::optional<std::string> held_back;
  Timestamp trained_at;
  std::int64_t duration_ms = 0;
  std::string file, sha256;    // not shown
  std::optional<double> ndcg;  // in metrics
  static constexpr std::string_view type_name = "RecommendationModel";
  static std::vector<schema::Field> fields();
};

struct TrainingReport {
  std::string status;
  ModelVersion model;
  schema::RawJson steps;  // milliseconds of each
  static constexpr std::string_view type_name = "TrainingReport";
  static std::vector<schema::Field> fields();
};
struct TrainRequest {
  std::optional<bool> search;    // compare hyper-parameters first
  std::optional<bool> activate;  // false: only keep it
  static constexpr std::string_view type_name = "TrainRequest";
  static std::vector<schema::Field> fields();
};

struct VariantFigures {
  std::string variant;
  std::int64_t lists = 0, served = 0, shown = 0, clicks = 0;
  std::optional<double> click_rate;  // clicks of what was shown, or served where no page says what it showed
  static constexpr std::string_view type_name = "RecommendationVariant";
  static std::vector<schema::Field> fields();
};
struct EngineStatus {
  std::string state;  // untrained, ready, damaged
  std::optional<std::int64_t> version;
  std::optional<std::string> algorithm;
  std::optional<Timestamp> trained_at;
  std::int64_t books = 0, users = 0, interactions = 0;
  std::optional<double> sparsity;
  schema::RawJson weights, metrics;
  std::int64_t books_indexed = 0, books_since_training = 0;
  bool index_ready = false;
  double threshold = 0;
  std::vector<std::string> alerts;
  std::vector<VariantFigures> variants;  // of the last thirty days
  static constexpr std::string_view type_name = "RecommendationStatus";
  static std::vector<schema::Field> fields();
};

// "30d" as a duration in milliseconds; nothing for what is none or longer than two years.
std::optional<std::int64_t> window_ms(std::string_view text);

}  // namespace lumina::recs
