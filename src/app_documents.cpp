// Documents among the other parts: what they are allowed, their jobs, what searches and figures show of them.
#include "app_parts.hpp"
#include "core/llm/fence.hpp"

namespace lumina {
namespace {

using namespace std::chrono_literals;

constexpr auto conversations_kept = std::chrono::days(90);

}  // namespace

ai::DocumentRules document_rules(const config::Config& config) {
  ai::DocumentRules rules;
  rules.most_bytes = config.document_max_bytes;
  rules.kinds.clear();
  for (std::size_t k = 0; k < extract::kind_names.size(); ++k)
    if (std::ranges::find(config.document_kinds, extract::kind_names.at(k)) != config.document_kinds.end())
      rules.kinds.push_back(static_cast<extract::Kind>(k));
  return rules;
}

void App::Parts::add_documents() {
  document_processor.handle_jobs(runner, documents);
  document_processor.when_ready(
      [this](db::Transaction& tx, std::int64_t version) { vector_jobs.start(tx, version); });
  vector_jobs.handle_jobs(runner);
  vector_jobs.schedule(scheduler);
  models.when_exchanged([this] {
    if (const auto started = vector_jobs.start_missing(); !started)
      log::warn("vectors of the new model are not begun yet", {{"why", started.error().detail}});
  });
  questions.use_vectors(models.embedder(), passage_vectors);
  people.also_erase(&ai::forget_documents_of);
  search.also_find(
      "documents",
      [this](std::string q, int limit, Caller by) -> Task<Result<std::pair<std::int64_t, std::string>>> {
        return found_documents(std::move(q), limit, std::move(by));
      });
  questions.use_writer([this](std::string question, std::vector<ai::Evidence> texts, UserId by) {
    return written_answer(std::move(question), std::move(texts), by);
  });
  questions.use_catalogue([this](std::string question) { return books_asked_about(std::move(question)); });
  const auto counted = [](std::string_view name, auto&& count) -> Result<std::string> {
    if (!count) return Failure(std::move(count.error()));
    return fmt::format(R"({{"{}":{}}})", name, *count);
  };
  scheduler.add("blobs.sweep", "Removes files that nothing refers to", jobs::Cadence::every(1h),
                [this, counted](jobs::JobContext&) { return counted("files", blobs.sweep()); });
  scheduler.add("blobs.verify", "Compares every kept file with its digest",
                jobs::Cadence::daily(4, 20, config.time_zone),
                [this](jobs::JobContext& job) -> Result<std::string> {
                  auto seen = blobs.verify([&job] { return !job.cancelled(); });
                  if (!seen) return Failure(std::move(seen.error()));
                  for (const auto& damage : seen->damages)
                    log::error("a kept file is damaged", {{"sha256", damage.sha256}, {"what", damage.what}});
                  return fmt::format(R"({{"files":{},"bytes":{},"damaged":{}}})", seen->blobs, seen->bytes,
                                     seen->damages.size());
                });
  scheduler.add("qa.prune", "Forgets conversations after ninety days",
                jobs::Cadence::daily(3, 40, config.time_zone), [this, counted](jobs::JobContext&) {
                  return counted("sessions", questions.prune(clock->now() - conversations_kept));
                });
  registry.gauge("luminalib_passages", "Passages of documents that can be searched.", {},
                 [this] { return static_cast<double>(passages.size()); });
  registry.gauge("luminalib_passage_vectors", "Vectors of passages that this instance searches.", {},
                 [this] { return static_cast<double>(passage_vectors.figures().vectors); });
  const auto count = [this](std::string_view name, std::string_view help,
                            std::uint64_t (ai::QaService::*read)() const) {
    registry.counter(name, help, {}, [this, read] { return static_cast<double>((questions.*read)()); });
  };
  count("luminalib_questions_total", "Questions asked.", &ai::QaService::questions);
  count("luminalib_questions_refused_total", "Questions without an answer.", &ai::QaService::refusals);
  count("luminalib_passage_searches_total", "Searches in documents.", &ai::QaService::searches);
  count("luminalib_passages_by_meaning_total", "Questions and searches that vectors were asked for too.",
        &ai::QaService::by_meaning);
  for (const std::string_view type : {"document.created", "document.processed", "document.deleted"}) {
    auto& counter =
        registry.counter("luminalib_events_total", "Things that happened.", {{"type", std::string(type)}});
    bus.subscribe(std::string(type), [&counter](const events::Event&) { counter.add(); });
  }
}

// What a person asks is as little to be trusted as what a document says.
Task<Result<ai::Written>> App::Parts::written_answer(std::string question, std::vector<ai::Evidence> texts,
                                                     UserId by) {
  constexpr std::size_t most_of_passage = 2400, most_of_question = 2000;
  std::string fenced;
  for (std::size_t i = 0; i < texts.size(); ++i)
    fenced +=
        llm::fence(fmt::format("passage {}", i + 1), texts[i].title + "\n" + texts[i].text, most_of_passage) +
        "\n";
  auto prompt = prompts.make(
      "grounded_answer",
      {{"passages", std::move(fenced)}, {"question", llm::fence("question", question, most_of_question)}});
  prompt.user_id = by.value;
  auto generated = co_await models.language().generate(std::move(prompt));
  if (!generated) co_return Failure(std::move(generated.error()));
  co_return ai::Written{std::move(generated->text), std::move(generated->model)};
}

// For searches of several kinds.
Task<Result<std::pair<std::int64_t, std::string>>> App::Parts::found_documents(std::string q, int limit,
                                                                               Caller by) {
  auto found = co_await questions.best(std::move(q), limit, std::move(by));
  if (!found) co_return Failure(std::move(found.error()));
  co_return std::pair(found->first, json::encode(found->second));
}

}  // namespace lumina
