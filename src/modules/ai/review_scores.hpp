// What a language model makes of single reviews: a score from -1 to 1 in two decimals, in the place of the
// built-in one.
//
// A model is asked once for each state of a review, by a durable job that is started with the change, or by
// whoever writes the review and waits. Reviews that no job reached (an outage, a model that is new) are
// judged a piece at a time by score_due(). What stands is the built-in score until the model's is there. The
// model's is refused when it is no plain number, or when it contradicts the stars and the built-in analysis
// alike: so a review that orders a score does not get it. Every score is kept with its model and prompt.
//
// Errors of score(): those of llm::LanguageModel that pass by themselves (unavailable, rate_limited); not a
// word of a model is an error. Public functions are awaited on an io thread, or under runtime::block_on.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/llm/language_model.hpp"
#include "core/llm/prompts.hpp"
#include "modules/reviews/service.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::ai {

inline constexpr std::string_view score_job = "ai.review_score";

// Strictly a number from -1 to 1 with white space around it; rounded to two decimals.
std::optional<double> read_score(std::string_view reply);
// Whether a model's score goes with the rating (1..5) or, when it is not its opposite, with the built-in
// score.
bool is_believable(double score, double rating, double builtin);

enum class ScoreOutcome : std::uint8_t { taken, refused, superseded, no_model };
constexpr std::array<std::string_view, 4> score_outcome_names{"taken", "refused", "superseded", "no_model"};

struct ScoreWish {
  llm::Lane lane = llm::Lane::bulk;
  std::chrono::milliseconds budget{30'000};
  std::int64_t user = 0;  // whose budget of calls; 0: the library's own work
  std::function<bool()> cancelled{};
};

class ReviewScores {
 public:
  ReviewScores(db::Database& database, const Clock& clock, jobs::Queue& queue, llm::LanguageModel& model,
               const llm::PromptBook& prompts, const reviews::SentimentAnalyzer& builtin,
               reviews::ReviewService& reviews)
      : database_(database),
        clock_(clock),
        queue_(queue),
        model_(model),
        prompts_(prompts),
        builtin_(builtin),
        reviews_(reviews) {}

  // Starts the job for a review as it stands; nothing without a model.
  void start(db::Transaction& tx, const reviews::Review& review);
  // `and_then` runs in the transaction that keeps the outcome.
  using AndThen = std::function<lumina::Status(db::Transaction&, ScoreOutcome)>;
  Task<Result<ScoreOutcome>> score(ReviewId id, std::int64_t version, ScoreWish wish, Caller by,
                                   AndThen and_then = {});
  // For the person who waits: whether the model's score stands now.
  Task<bool> score_now(ReviewId id, std::int64_t version, std::chrono::milliseconds wait, UserId user);
  // Blocking. Ends at the first sign that the model is away; gives the number judged, at most `most`.
  Result<std::int64_t> score_due(int most, const std::function<bool()>& go_on);

 private:
  std::string made_with() const;

  db::Database& database_;
  const Clock& clock_;
  jobs::Queue& queue_;
  llm::LanguageModel& model_;
  const llm::PromptBook& prompts_;
  const reviews::SentimentAnalyzer& builtin_;
  reviews::ReviewService& reviews_;
};

void handle_score_jobs(jobs::Runner& runner, ReviewScores& scores);
void schedule_scores(jobs::Scheduler& scheduler, ReviewScores& scores);

}  // namespace lumina::ai
