// Summaries of books and of texts: who writes them, when they are written anew, and what happens without a
// model.
//
// A summary is made from what the catalogue says of a book and its most helpful reviews. Its key is the hash
// of that material, the prompt's version and the model: while the key is the same, nobody is asked again. The
// model writes; when there is none, or it fails, the built-in method (extractive.hpp) takes its place, and
// the source says so. A person's text is locked: nothing overwrites it until it is unlocked. What is longer
// than 200 words is cut at a sentence.
//
// Public functions are awaited on an io thread, or under runtime::block_on in a job.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/llm/language_model.hpp"
#include "core/llm/prompts.hpp"
#include "core/runtime/pool.hpp"
#include "modules/ai/model.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace lumina::ai {

struct Material;

inline constexpr int summary_words = 200;
inline constexpr std::size_t most_summary_letters = 400'000;  // of a text, in code points
inline constexpr std::string_view summary_job = "ai.summary";

// How a text is wanted: by whom, how long the caller waits, who hears the pieces.
struct Wish {
  std::string language;  // empty: the book's
  bool refresh = false;
  llm::Lane lane = llm::Lane::interactive;
  std::chrono::milliseconds budget{30'000};
  std::int64_t user = 0;
  llm::OnToken on_token{};
};

class SummaryService {
 public:
  SummaryService(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
                 llm::LanguageModel& model, const llm::PromptBook& prompts, runtime::Pool& cpu)
      : database_(database),
        clock_(clock),
        journal_(journal),
        queue_(queue),
        model_(model),
        prompts_(prompts),
        cpu_(cpu) {}

  // not_found: no such book; not_found "no_summary": none yet.
  Task<Result<BookSummary>> find(BookId book, SummaryChoice choice);
  // Starts a task; the one that is at it already, when there is one.
  Task<Result<jobs::TaskAccepted>> request(BookId book, SummaryWish wish, Caller by);
  // Now. What is there when it was made from the same, or is locked.
  Task<Result<BookSummary>> make(BookId book, Wish wish, Caller by);
  // `and_then` runs in the transaction that keeps the summary.
  using AndThen = std::function<lumina::Status(db::Transaction&, const BookSummary&)>;
  Task<Result<BookSummary>> make(BookId book, Wish wish, Caller by, AndThen and_then);

  Task<Result<BookSummary>> edit(BookId book, SummaryChoice choice, SummaryEdit edit, Caller by);
  // not_found when there is nothing that is locked. A new one is made soon after.
  Task<Result<jobs::TaskAccepted>> unlock(BookId book, SummaryChoice choice, Caller by);

  // too_large: more than most_summary_letters.
  static lumina::Status check(const SummaryRequest& request);
  // A text of the caller's; long ones are read in parts whose summaries are summed up.
  Task<Result<TextSummary>> summarize(SummaryRequest request, Wish wish);

  // Starts tasks for books that are new or have changed, and have been quiet for a moment; blocking. Their
  // number, at most `most`.
  Result<std::int64_t> start_due(int most);

  std::int64_t cache_hits() const { return hits_; }
  std::int64_t cache_misses() const { return misses_; }

 private:
  struct Written {
    std::string text, language;
    Source source = Source::extractive;
    Trace trace;
  };
  // `own`: what the material is most likely written in.
  Task<Written> write(llm::Prompt prompt, const Wish& wish, std::string material, std::string language,
                      std::string own, int words);
  std::string key_of(const Material& material, const std::string& language) const;
  jobs::NewJob job_for(BookId book, const std::string& language, bool refresh,
                       std::optional<UserId> user) const;

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  llm::LanguageModel& model_;
  const llm::PromptBook& prompts_;
  runtime::Pool& cpu_;
  std::atomic<std::int64_t> hits_{0}, misses_{0};

  // Summaries of texts, the last ones: texts are not kept in the database.
  std::mutex mutex_;
  std::list<std::pair<std::string, TextSummary>> texts_;
};

}  // namespace lumina::ai
