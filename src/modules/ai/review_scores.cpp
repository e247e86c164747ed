#include "modules/ai/review_scores.hpp"

#include "core/base/text.hpp"
#include "core/json/parse.hpp"
#include "core/llm/fence.hpp"
#include "core/runtime/block_on.hpp"
#include "core/telemetry/log.hpp"
#include "modules/ai/review_mind_repository.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace lumina::ai {
namespace {

constexpr std::size_t review_bytes = 6000;
constexpr int reviews_a_round = 100;
constexpr auto quiet_for = std::chrono::seconds(60);  // a review's own job has had its turn by then

// Of the distance between a model's score and what the stars say, which are -1, -0.5, 0, 0.5 and 1.
constexpr double near_stars = 1.2, opposite_of_stars = 1.5, near_builtin = 0.4;

bool passes_by_itself(const Error& why) {
  return why.kind == ErrorKind::unavailable || why.kind == ErrorKind::rate_limited;
}

}  // namespace

std::optional<double> read_score(std::string_view reply) {
  const auto text = trim_ascii(reply);
  double score = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), score, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (!std::isfinite(score) || score < -1 || score > 1) return {};
  return reviews::rounded_score(score);
}

bool is_believable(double score, double rating, double builtin) {
  const double from_stars = std::abs(score - reviews::rating_score(rating));
  if (from_stars <= near_stars) return true;
  return from_stars < opposite_of_stars && std::abs(score - builtin) <= near_builtin;
}

std::string ReviewScores::made_with() const { return model_.model() + '\n' + prompts_.version("sentiment"); }

void ReviewScores::start(db::Transaction& tx, const reviews::Review& review) {
  if (!model_.configured()) return;
  jobs::NewJob job;
  job.kind = score_job;
  // No unique key: a job that runs has read an older text, and sees that it has by the version.
  job.payload = fmt::format(R"({{"review_id":{},"version":{}}})", review.id.value, review.version);
  job.max_attempts = 3;
  queue_.enqueue(tx, job);
}

Task<Result<ScoreOutcome>> ReviewScores::score(ReviewId id, std::int64_t version, ScoreWish wish, Caller by,
                                               AndThen and_then) {
  auto outcome = ScoreOutcome::no_model;
  std::optional<double> score;
  std::string model, prompt_version;
  const std::string with = made_with();
  if (model_.configured()) {
    auto read = [id](db::Transaction& tx) -> Result<std::optional<JudgedReview>> {
      return ReviewScoreRepository(tx).review(id);
    };
    auto found = co_await database_.read(std::move(read));
    if (!found) co_return Failure(std::move(found.error()));
    const auto& review = *found;
    if (!review || review->version != version) {
      outcome = ScoreOutcome::superseded;
    } else {
      auto prompt =
          prompts_.make("sentiment", {{"review", llm::fence("review", review->text, review_bytes)}});
      prompt.lane = wish.lane;
      prompt.budget = wish.budget;
      prompt.user_id = wish.user;
      prompt_version = prompt.version;
      llm::OnToken on_token;
      if (wish.cancelled) on_token = [cancelled = wish.cancelled](std::string_view) { return !cancelled(); };
      auto written = co_await model_.generate(std::move(prompt), std::move(on_token));
      if (!written && (passes_by_itself(written.error()) || written.error().code == "cancelled"))
        co_return Failure(std::move(written.error()));
      outcome = ScoreOutcome::refused;
      if (written) {
        model = written->model;
        score = read_score(written->text);
        const auto builtin = builtin_.analyze(review->text, review->rating);
        if (score && is_believable(*score, review->rating, builtin.score)) outcome = ScoreOutcome::taken;
      }
      if (outcome == ScoreOutcome::refused)
        log::info("a model's score of a review is not taken", {{"review", std::to_string(id.value)}});
    }
  }
  auto keep = [this, id, version, outcome, score, model, prompt_version, with, by,
               and_then](db::Transaction& tx) mutable -> Result<ScoreOutcome> {
    ReviewScoreRepository scores(tx);
    if (outcome == ScoreOutcome::taken || outcome == ScoreOutcome::refused) {
      const auto before = scores.review_locked(id);
      if (!before || before->version != version) {
        outcome = ScoreOutcome::superseded;
      } else if (outcome == ScoreOutcome::refused) {
        scores.mark(id, version, with);
      } else if (const auto now = reviews_.take_model_score(tx, id, version, *score, model, by)) {
        if (!scores.has_history(id))
          scores.add(id, {before->score, before->source, "", "", before->updated_at});
        scores.add(id, {now->sentiment_score, "llm", model, prompt_version, clock_.now()});
        scores.mark(id, now->version, with);
      } else {
        outcome = ScoreOutcome::superseded;
      }
    }
    if (and_then)
      if (auto done = and_then(tx, outcome); !done) return Failure(std::move(done.error()));
    return outcome;
  };
  co_return co_await database_.write(std::move(keep));
}

Task<bool> ReviewScores::score_now(ReviewId id, std::int64_t version, std::chrono::milliseconds wait,
                                   UserId user) {
  ScoreWish wish;
  wish.lane = llm::Lane::interactive;
  wish.budget = wait;
  wish.user = user.value;
  const auto done = co_await score(id, version, std::move(wish), Caller::system("review scores"));
  if (!done) log::info("a review keeps its built-in score for now", {{"why", done.error().code}});
  co_return done && *done == ScoreOutcome::taken;
}

Result<std::int64_t> ReviewScores::score_due(int most, const std::function<bool()>& go_on) {
  if (!model_.configured()) return 0;
  auto read = [this, most](db::Transaction& tx) -> Result<std::vector<VersionedReview>> {
    return ReviewScoreRepository(tx).due(made_with(), clock_.now() - quiet_for, most);
  };
  auto due = runtime::block_on(database_.read(std::move(read)));
  if (!due) return Failure(std::move(due.error()));
  std::int64_t judged = 0;
  for (const auto& review : *due) {
    if (!go_on()) break;
    ScoreWish wish;
    wish.cancelled = [&go_on] { return !go_on(); };
    const auto done =
        runtime::block_on(score(review.id, review.version, std::move(wish), Caller::system("review scores")));
    if (!done) break;  // the next round goes on
    ++judged;
  }
  return judged;
}

void handle_score_jobs(jobs::Runner& runner, ReviewScores& scores) {
  runner.handle(std::string(score_job), {}, [&scores](jobs::JobContext& job) -> Result<std::string> {
    const auto payload = json::parse(job.payload());
    if (!payload) return Failure(payload.error());
    const auto& object = payload->value.as_object();
    const auto said = [](std::string_view outcome) { return fmt::format(R"({{"outcome":"{}"}})", outcome); };
    ScoreWish wish;
    wish.cancelled = [&job] { return job.cancelled(); };
    const auto complete = [&](db::Transaction& tx, ScoreOutcome outcome) -> lumina::Status {
      return job.complete(tx, said(score_outcome_names[static_cast<std::size_t>(outcome)]));
    };
    auto done = runtime::block_on(scores.score(ReviewId{object.at("review_id").as_int64()},
                                               object.at("version").as_int64(), std::move(wish), job.caller(),
                                               complete));
    if (done) return said(score_outcome_names[static_cast<std::size_t>(*done)]);
    if (done.error().code == "cancelled") return jobs::JobContext::interrupted();
    // The rounds ask again when the model is back; the review has its built-in score meanwhile.
    if (passes_by_itself(done.error()) && job.last_attempt()) return said("kept_builtin");
    return Failure(std::move(done.error()));
  });
}

void schedule_scores(jobs::Scheduler& scheduler, ReviewScores& scores) {
  scheduler.add("ai.review_scores", "Lets the language model judge reviews that it has not seen",
                jobs::Cadence::every(std::chrono::minutes(1)),
                [&scores](jobs::JobContext& job) -> Result<std::string> {
                  auto judged = scores.score_due(reviews_a_round, [&job] { return !job.cancelled(); });
                  if (!judged) return Failure(std::move(judged.error()));
                  return fmt::format(R"({{"judged":{}}})", *judged);
                });
}

}  // namespace lumina::ai
