#include "modules/ai/summary_jobs.hpp"

#include "core/json/codec.hpp"
#include "core/json/parse.hpp"
#include "core/runtime/block_on.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace lumina::ai {
namespace {

constexpr int books_a_round = 50;

}  // namespace

void handle_summary_jobs(jobs::Runner& runner, SummaryService& summaries) {
  runner.handle(std::string(summary_job), {}, [&summaries](jobs::JobContext& job) -> Result<std::string> {
    const auto payload = json::parse(job.payload());
    if (!payload) return Failure(payload.error());
    const auto& object = payload->value.as_object();
    const BookId book{object.at("book_id").as_int64()};
    Wish wish;
    wish.language = std::string(object.at("language").as_string());
    wish.refresh = object.at("refresh").as_bool();
    wish.lane = llm::Lane::bulk;
    wish.user = job.user() ? job.user()->value : 0;
    wish.on_token = [&job](std::string_view) { return !job.cancelled(); };
    std::string report;
    const auto complete = [&](db::Transaction& tx, const BookSummary& summary) -> lumina::Status {
      report = json::encode(summary);
      return job.complete(tx, report);
    };
    auto made = runtime::block_on(summaries.make(book, std::move(wish), job.caller(), complete));
    if (!made) return Failure(std::move(made.error()));
    return report;
  });
}

void schedule_summaries(jobs::Scheduler& scheduler, SummaryService& summaries) {
  scheduler.add("ai.summaries", "Starts summaries of books that are new or have changed",
                jobs::Cadence::every(std::chrono::seconds(15)),
                [&summaries](jobs::JobContext&) -> Result<std::string> {
                  auto started = summaries.start_due(books_a_round);
                  if (!started) return Failure(std::move(started.error()));
                  return fmt::format(R"({{"started":{}}})", *started);
                });
}

}  // namespace lumina::ai
