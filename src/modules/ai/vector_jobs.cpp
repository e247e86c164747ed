#include "modules/ai/vector_jobs.hpp"

#include "core/json/parse.hpp"
#include "core/runtime/block_on.hpp"
#include "core/telemetry/log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <map>

namespace lumina::ai {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t texts_at_once = 64;

// Of jobs.
std::string kind_of(Embedded what) { return what == Embedded::passages ? "passages.embed" : "books.embed"; }

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

VectorJobs::VectorJobs(db::Database& database, events::Journal& journal, jobs::Queue& queue,
                       llm::Embedder& embedder, KeptVectors& passages, KeptVectors& books)
    : database_(database),
      journal_(journal),
      queue_(queue),
      embedder_(embedder),
      passages_(passages),
      books_(books) {
  auto& bus = journal.bus();
  bus.subscribe("document.", [this](const events::Event& event) {
    // Others change neither text nor vectors.
    if (event.type == "document.embedded" || event.type == "document.processed" ||
        event.type == "document.deleted")
      passages_.mark(event.resource_id);
  });
  bus.subscribe("book_vectors.made", [this](const events::Event& event) {
    const auto made = json::parse(event.payload);
    if (!made || !made->value.is_object()) return;
    if (const auto* ids = made->value.get_object().if_contains("books"); ids != nullptr && ids->is_array())
      for (const auto& id : ids->get_array())
        if (id.is_int64()) books_.mark(id.get_int64());
  });
  bus.subscribe("embedding_model.chosen", [this](const events::Event&) {
    passages_.mark_model();
    books_.mark_model();
  });
}

void VectorJobs::handle_jobs(jobs::Runner& runner) {
  for (const auto what : {Embedded::passages, Embedded::books})
    runner.handle(kind_of(what), {.concurrency = 1},
                  [this, what](jobs::JobContext& job) { return run(job, what); });
}

void VectorJobs::schedule(jobs::Scheduler& scheduler) {
  scheduler.add("vectors.make", "Starts vectors of passages and books that have none of the model in use",
                jobs::Cadence::every(1min), [this](jobs::JobContext&) -> Result<std::string> {
                  const auto started = start_missing();
                  if (!started) return Failure(started.error());
                  return fmt::format(R"({{"started":{}}})", *started);
                });
  scheduler.add("vectors.archive", "Keeps the vectors of passages and books for the next start",
                jobs::Cadence::every(10min), [this](jobs::JobContext&) -> Result<std::string> {
                  for (auto* kept : {&passages_, &books_})
                    if (auto saved = kept->save(); !saved) return Failure(std::move(saved.error()));
                  return fmt::format(R"({{"passages":{},"books":{}}})", passages_.figures().vectors,
                                     books_.figures().vectors);
                });
}

void VectorJobs::start(db::Transaction& tx, std::int64_t version) {
  if (!embedder_.configured()) return;
  jobs::NewJob job;
  job.kind = kind_of(Embedded::passages);
  job.payload = fmt::format(R"({{"version":{}}})", version);
  queue_.enqueue(tx, job);
}

Result<int> VectorJobs::start_missing() {
  if (!embedder_.configured()) return 0;
  const auto name = embedder_.model();
  int started = 0;
  for (const auto what : {Embedded::passages, Embedded::books}) {
    const auto one = start_missing(what, name);
    if (!one) return Failure(one.error());
    started += *one ? 1 : 0;
  }
  return started;
}

Result<bool> VectorJobs::start_missing(Embedded what, const std::string& name) {
  auto look = [&](db::Transaction& tx) {
    VectorRows rows(tx, what);
    const auto known = rows.model(name);
    if (known && embedder_.dimensions() != 0 &&
        static_cast<std::size_t>(known->dimensions) != embedder_.dimensions())
      return rows.counts(known->id).all > 0;
    return !rows.missing(known ? known->id : 0, 0, 0, 1).empty();
  };
  const auto wanted = database_.read_now(std::move(look));
  if (!wanted) return Failure(wanted.error());
  if (!*wanted) return false;
  auto begin = [this, what](db::Transaction& tx) -> lumina::Status {
    jobs::NewJob job;
    job.kind = kind_of(what);
    job.unique_key = "all";
    queue_.enqueue(tx, job);
    return {};
  };
  if (auto begun = database_.write_now(std::move(begin)); !begun) return Failure(std::move(begun.error()));
  return true;
}

// The row of the model, which becomes the one in use when it is not.
Result<VectorModel> VectorJobs::model(jobs::JobContext& job, const std::string& name,
                                      std::size_t dimensions) {
  const auto by = job.caller();
  auto choose = [&](db::Transaction& tx) -> Result<VectorModel> {
    if (auto ours = job.guard(tx); !ours) return Failure(std::move(ours.error()));
    VectorRows rows(tx, Embedded::passages);
    const auto known = rows.model(name);
    if (known && static_cast<std::size_t>(known->dimensions) == dimensions) return *known;
    auto chosen = rows.choose(name, static_cast<std::int64_t>(dimensions));
    journal_.record(
        tx, by, {.type = "embedding_model.chosen", .resource = "embedding_model", .resource_id = chosen.id});
    return chosen;
  };
  return job.database().write_now(std::move(choose));
}

lumina::Status VectorJobs::keep(jobs::JobContext& job, Embedded what, const VectorModel& model,
                                const std::vector<BareText>& texts, const llm::Vectors& vectors) {
  const auto by = job.caller();
  auto write = [&](db::Transaction& tx) -> lumina::Status {
    if (auto ours = job.guard(tx); !ours) return Failure(std::move(ours.error()));
    VectorRows rows(tx, what);
    std::map<std::int64_t, std::optional<UserId>> owners;
    std::string ids;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      rows.put(model, texts[i], vectors[i]);
      owners[texts[i].owner] = texts[i].user;
      ids += (ids.empty() ? "" : ",") + std::to_string(texts[i].id);
    }
    if (what == Embedded::books)
      journal_.record(tx, by,
                      {.type = "book_vectors.made",
                       .resource = "book_vectors",
                       .resource_id = model.id,
                       .payload = "{\"books\":[" + ids + "]}"});
    else
      for (const auto& [document, user] : owners)
        journal_.record(
            tx, by,
            {.type = "document.embedded", .resource = "document", .resource_id = document, .subject = user});
    return {};
  };
  return job.database().write_now(std::move(write));
}

// False when the model cannot go on now.
Result<bool> VectorJobs::embed_some(jobs::JobContext& job, Embedded what, const VectorModel& model,
                                    const std::vector<BareText>& texts, Progress& progress) {
  std::vector<std::string> sent;
  for (const auto& one : texts) sent.push_back(one.text);
  auto made = runtime::block_on(embedder_.embed(std::move(sent), {llm::Lane::bulk, 10min}));
  if (!made && is_refusal(made.error())) {
    if (texts.size() == 1) {
      ++progress.refused;
      if (auto kept = keep(job, what, model, texts, {{}}); !kept) return Failure(std::move(kept.error()));
      return true;
    }
    // One of them; the others are not to suffer from it.
    for (const auto& text : texts) {
      if (job.cancelled()) return jobs::JobContext::interrupted();
      auto one = embed_some(job, what, model, {text}, progress);
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
  if (auto kept = keep(job, what, model, texts, *made); !kept) return Failure(std::move(kept.error()));
  progress.embedded += static_cast<std::int64_t>(texts.size());
  return true;
}

Result<std::string> VectorJobs::run(jobs::JobContext& job, Embedded what) {
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
  auto count = [&](db::Transaction& tx) { return VectorRows(tx, what).counts(model->id); };
  const auto counts = job.database().read_now(std::move(count));
  if (!counts) return Failure(counts.error());
  const auto wanted = std::max<std::int64_t>(1, counts->all - counts->embedded);
  for (std::int64_t after = 0;;) {
    if (job.cancelled()) return jobs::JobContext::interrupted();
    auto look = [&](db::Transaction& tx) {
      return VectorRows(tx, what).missing(model->id, version, after, texts_at_once);
    };
    const auto texts = job.database().read_now(std::move(look));
    if (!texts) return Failure(texts.error());
    if (texts->empty()) break;
    if (embedder_.model() != name) {
      progress.stopped = "model_exchanged";
      break;
    }
    const auto went_on = embed_some(job, what, *model, *texts, progress);
    if (!went_on) return Failure(went_on.error());
    if (!*went_on) break;
    after = texts->back().id;
    if (version == 0)
      job.progress(std::min(1.0, static_cast<double>(progress.embedded) / static_cast<double>(wanted)));
  }
  if (!progress.stopped.empty())
    log::warn("vectors are not complete", {{"why", std::string_view(progress.stopped)}});
  return report();
}

Task<Result<EmbeddingLine>> VectorJobs::status() {
  EmbeddingLine line;
  line.model = embedder_.model();
  struct Seen {
    std::optional<VectorModel> model;
    VectorRows::Counts passages, books;
  };
  auto look = [name = line.model](db::Transaction& tx) {
    VectorRows passages(tx, Embedded::passages), books(tx, Embedded::books);
    Seen seen;
    seen.model = passages.model(name);
    const auto id = seen.model ? seen.model->id : 0;
    seen.passages = passages.counts(id);
    seen.books = books.counts(id);
    return seen;
  };
  auto seen = co_await database_.read(std::move(look));
  if (!seen) co_return Failure(std::move(seen.error()));
  if (seen->model) line.dimensions = seen->model->dimensions;
  line.passages = seen->passages.all;
  line.embedded = seen->passages.embedded;
  line.in_memory = passages_.figures().vectors;
  line.books = seen->books.all;
  line.books_embedded = seen->books.embedded;
  bool reachable = false;
  for (const auto& one : embedder_.status().providers) {
    line.providers.push_back(line_of(one));
    reachable = reachable || one.available;
  }
  const bool complete = line.embedded == line.passages && line.books_embedded == line.books;
  line.state = !embedder_.configured() ? "off" : !reachable ? "unavailable" : complete ? "ready" : "working";
  co_return line;
}

}  // namespace lumina::ai
