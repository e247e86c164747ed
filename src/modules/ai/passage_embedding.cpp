#include "modules/ai/passage_embedding.hpp"

#include "core/json/parse.hpp"
#include "core/runtime/block_on.hpp"
#include "core/telemetry/log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <map>

namespace lumina::ai {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t passages_at_once = 64;

// What the text is the cause of, not the model.
bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::refused && error.code == "llm_refused";
}

std::int64_t version_in(std::string_view payload) {
  const auto parsed = json::parse(payload);
  if (!parsed || !parsed->value.is_object()) return 0;
  const auto* version = parsed->value.get_object().if_contains("version");
  return version != nullptr && version->is_int64() ? version->get_int64() : 0;
}

}  // namespace

void PassageEmbedding::handle_jobs(jobs::Runner& runner) {
  runner.handle(embed_job_kind, {.concurrency = 1}, [this](jobs::JobContext& job) { return run(job); });
}

void PassageEmbedding::schedule(jobs::Scheduler& scheduler) {
  scheduler.add("passages.vectors", "Starts vectors of passages that have none of the model in use",
                jobs::Cadence::every(1min), [this](jobs::JobContext&) -> Result<std::string> {
                  const auto started = start_missing();
                  if (!started) return Failure(started.error());
                  return fmt::format(R"({{"started":{}}})", *started);
                });
  scheduler.add("passages.archive", "Keeps the vectors of passages for the next start",
                jobs::Cadence::every(10min), [this](jobs::JobContext&) -> Result<std::string> {
                  if (auto saved = vectors_.save(); !saved) return Failure(std::move(saved.error()));
                  return fmt::format(R"({{"vectors":{}}})", vectors_.figures().vectors);
                });
}

void PassageEmbedding::start(db::Transaction& tx, std::int64_t version) {
  if (!embedder_.configured()) return;
  jobs::NewJob job;
  job.kind = embed_job_kind;
  job.payload = fmt::format(R"({{"version":{}}})", version);
  queue_.enqueue(tx, job);
}

Result<bool> PassageEmbedding::start_missing() {
  if (!embedder_.configured()) return false;
  const auto name = embedder_.model();
  auto look = [&](db::Transaction& tx) {
    PassageVectorRepository vectors(tx);
    const auto known = vectors.model(name);
    const bool other = known && embedder_.dimensions() != 0 &&
                       static_cast<std::size_t>(known->dimensions) != embedder_.dimensions();
    return other || !vectors.missing(known ? known->id : 0, 0, 0, 1).empty();
  };
  const auto wanted = database_.read_now(std::move(look));
  if (!wanted) return Failure(wanted.error());
  if (!*wanted) return false;
  auto begin = [this](db::Transaction& tx) -> Status {
    jobs::NewJob job;
    job.kind = embed_job_kind;
    job.unique_key = "all";
    queue_.enqueue(tx, job);
    return {};
  };
  if (auto begun = database_.write_now(std::move(begin)); !begun) return Failure(std::move(begun.error()));
  return true;
}

// The row of the model, which becomes the one in use when it is not.
Result<PassageModel> PassageEmbedding::model(jobs::JobContext& job, const std::string& name,
                                             std::size_t dimensions) {
  const auto by = job.caller();
  auto choose = [&](db::Transaction& tx) -> Result<PassageModel> {
    if (auto ours = job.guard(tx); !ours) return Failure(std::move(ours.error()));
    PassageVectorRepository vectors(tx);
    const auto known = vectors.model(name);
    if (known && static_cast<std::size_t>(known->dimensions) == dimensions) return *known;
    auto chosen = vectors.choose(name, static_cast<std::int64_t>(dimensions));
    journal_.record(tx, by,
                    {.type = "passage_model.chosen", .resource = "passage_model", .resource_id = chosen.id});
    return chosen;
  };
  return job.database().write_now(std::move(choose));
}

Status PassageEmbedding::keep(jobs::JobContext& job, const PassageModel& model,
                              const std::vector<BarePassage>& passages, const llm::Vectors& vectors) {
  const auto by = job.caller();
  auto write = [&](db::Transaction& tx) -> Status {
    if (auto ours = job.guard(tx); !ours) return Failure(std::move(ours.error()));
    PassageVectorRepository repository(tx);
    std::map<std::int64_t, std::optional<UserId>> documents;
    for (std::size_t i = 0; i < passages.size(); ++i) {
      repository.put(model, passages[i], vectors[i]);
      documents[passages[i].document.value] = passages[i].owner;
    }
    for (const auto& [document, owner] : documents)
      journal_.record(
          tx, by,
          {.type = "document.embedded", .resource = "document", .resource_id = document, .subject = owner});
    return {};
  };
  return job.database().write_now(std::move(write));
}

// False when the model cannot go on now.
Result<bool> PassageEmbedding::embed_some(jobs::JobContext& job, const PassageModel& model,
                                          const std::vector<BarePassage>& passages, Progress& progress) {
  std::vector<std::string> texts;
  for (const auto& passage : passages) texts.push_back(passage.text);
  auto made = runtime::block_on(embedder_.embed(std::move(texts), {llm::Lane::bulk, 10min}));
  if (!made && is_refusal(made.error())) {
    if (passages.size() == 1) {
      ++progress.refused;
      if (auto kept = keep(job, model, passages, {{}}); !kept) return Failure(std::move(kept.error()));
      return true;
    }
    // One of them; the others are not to suffer from it.
    for (const auto& passage : passages) {
      if (job.cancelled()) return jobs::JobContext::interrupted();
      auto one = embed_some(job, model, {passage}, progress);
      if (!one || !*one) return one;
    }
    return true;
  }
  if (!made) {
    progress.stopped = made.error().code;
    return false;
  }
  if (static_cast<std::int64_t>(made->front().size()) != model.dimensions) {
    progress.stopped = "model_exchanged";  // the next round chooses anew
    return false;
  }
  if (auto kept = keep(job, model, passages, *made); !kept) return Failure(std::move(kept.error()));
  progress.embedded += static_cast<std::int64_t>(passages.size());
  return true;
}

Result<std::string> PassageEmbedding::run(jobs::JobContext& job) {
  Progress progress;
  const auto report = [&progress] {
    return fmt::format(R"({{"embedded":{},"refused":{},"stopped":"{}"}})", progress.embedded,
                       progress.refused, progress.stopped);
  };
  if (!embedder_.configured()) {
    progress.stopped = "llm_not_configured";
    return report();
  }
  const auto name = embedder_.model();
  if (embedder_.dimensions() == 0) {
    // A server tells the length of its vectors with the first of them.
    const auto probe = runtime::block_on(embedder_.embed({"library"}, {llm::Lane::bulk, 10min}));
    if (!probe) {
      progress.stopped = probe.error().code;
      return report();
    }
  }
  const auto model = this->model(job, name, embedder_.dimensions());
  if (!model) return Failure(model.error());
  const auto version = version_in(job.payload());
  auto count = [&](db::Transaction& tx) { return PassageVectorRepository(tx).counts(model->id); };
  const auto counts = job.database().read_now(std::move(count));
  if (!counts) return Failure(counts.error());
  const auto wanted = std::max<std::int64_t>(1, counts->passages - counts->embedded);
  for (std::int64_t after = 0;;) {
    if (job.cancelled()) return jobs::JobContext::interrupted();
    auto look = [&](db::Transaction& tx) {
      return PassageVectorRepository(tx).missing(model->id, version, after, passages_at_once);
    };
    const auto passages = job.database().read_now(std::move(look));
    if (!passages) return Failure(passages.error());
    if (passages->empty()) break;
    if (embedder_.model() != name) {
      progress.stopped = "model_exchanged";
      break;
    }
    const auto went_on = embed_some(job, *model, *passages, progress);
    if (!went_on) return Failure(went_on.error());
    if (!*went_on) break;
    after = passages->back().id;
    if (version == 0)
      job.progress(std::min(1.0, static_cast<double>(progress.embedded) / static_cast<double>(wanted)));
  }
  if (!progress.stopped.empty())
    log::warn("vectors of passages are not complete", {{"why", std::string_view(progress.stopped)}});
  return report();
}

Task<Result<EmbeddingLine>> PassageEmbedding::status() {
  EmbeddingLine line;
  line.model = embedder_.model();
  auto look = [name = line.model](db::Transaction& tx) {
    PassageVectorRepository vectors(tx);
    const auto known = vectors.model(name);
    return std::pair(known, vectors.counts(known ? known->id : 0));
  };
  auto seen = co_await database_.read(std::move(look));
  if (!seen) co_return Failure(std::move(seen.error()));
  const auto& [known, counts] = *seen;
  if (known) line.dimensions = known->dimensions;
  line.passages = counts.passages;
  line.embedded = counts.embedded;
  line.in_memory = vectors_.figures().vectors;
  bool reachable = false;
  for (const auto& one : embedder_.status().providers) {
    line.providers.push_back(line_of(one));
    reachable = reachable || one.available;
  }
  line.state = !embedder_.configured()             ? "off"
               : !reachable                        ? "unavailable"
               : counts.embedded < counts.passages ? "working"
                                                   : "ready";
  co_return line;
}

}  // namespace lumina::ai
