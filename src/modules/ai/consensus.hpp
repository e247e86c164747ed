// What the reviews of a book agree on, in two or three sentences of a language model.
//
// It is made from the most helpful and newest reviews that fit a budget of tokens, whatever their number, and
// is shown only while it was made from exactly what these say now, with the same prompt and model. Who asks
// when there is none gets nothing and starts a job, one a book: the reader never waits, and fifty readers
// are one call. The job waits some seconds for the next review; the answers that show the book are dropped
// when it is done. Without a model, or while it is away, the extractive summary of modules/reviews stands.
//
// Public functions are awaited on an io thread, or under runtime::block_on in a job.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/llm/language_model.hpp"
#include "core/llm/prompts.hpp"
#include "modules/ai/review_mind_repository.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

inline constexpr std::string_view consensus_job = "ai.consensus";

// The first reviews that fit the budget; each is cut to a share of it.
std::vector<QuotedReview> within_budget(std::vector<QuotedReview> reviews);
// At most three sentences of at most 100 words; empty when a model said nothing that can be shown.
std::string read_consensus(std::string_view reply);

class ConsensusService {
 public:
  ConsensusService(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
                   llm::LanguageModel& model, const llm::PromptBook& prompts)
      : database_(database),
        clock_(clock),
        journal_(journal),
        queue_(queue),
        model_(model),
        prompts_(prompts) {}

  // The consensus on what the reviews say now; else nothing, and a job is on its way.
  Task<std::optional<std::string>> find_or_start(BookId book);

  using AndThen = std::function<lumina::Status(db::Transaction&)>;
  // True when a model wrote one, or there is one of the same; false when there is nothing to write from or
  // nothing to show. Errors: the model's; all of them leave what is there.
  Task<Result<bool>> write(BookId book, std::function<bool()> cancelled, Caller by, AndThen and_then);

 private:
  struct Material {
    std::string title;
    std::vector<QuotedReview> reviews;
    std::string key;
    std::optional<std::string> kept;
  };
  std::optional<Material> material(db::Transaction& tx, BookId book) const;

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  llm::LanguageModel& model_;
  const llm::PromptBook& prompts_;
};

void handle_consensus_jobs(jobs::Runner& runner, ConsensusService& consensus);

}  // namespace lumina::ai
