// Makes the vectors of passages and of books: as durable jobs, by whatever embedding model is configured.
//
// A document that became ready starts a job for itself in the same transaction; every minute, and after a
// change of models, one job for all passages and one for all books without a vector of the model in use, or
// with one of an earlier text, does what was left. A model that cannot be reached ends the job well with the
// reason: the next round goes on where it stopped. A text that the model refuses is noted as such and not
// sent again. Without a model nothing happens. Vectors of an earlier model stay until new ones take their
// place, and are not used meanwhile (kept_vectors.hpp).
#pragma once
#include "core/events/journal.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/llm/embedder.hpp"
#include "modules/ai/kept_vectors.hpp"
#include "modules/ai/model.hpp"

#include <string>

namespace lumina::ai {

class VectorJobs {
 public:
  // Subscribes to what makes the kept vectors old.
  VectorJobs(db::Database& database, events::Journal& journal, jobs::Queue& queue, llm::Embedder& embedder,
             KeptVectors& passages, KeptVectors& books);

  void handle_jobs(jobs::Runner& runner);
  void schedule(jobs::Scheduler& scheduler);
  // In the transaction that made that version of a document ready.
  void start(db::Transaction& tx, std::int64_t version);
  // How many jobs were started for what has no vector; blocking.
  Result<int> start_missing();

  Task<Result<EmbeddingLine>> status();

 private:
  struct Progress {
    std::int64_t embedded = 0, refused = 0;
    std::string stopped;  // why, when it was
  };
  Result<std::string> run(jobs::JobContext& job, Embedded what);
  Result<bool> start_missing(Embedded what, const std::string& name);
  Result<VectorModel> model(jobs::JobContext& job, const std::string& name, std::size_t dimensions);
  Result<bool> embed_some(jobs::JobContext& job, Embedded what, const VectorModel& model,
                          const std::vector<BareText>& texts, Progress& progress);
  lumina::Status keep(jobs::JobContext& job, Embedded what, const VectorModel& model,
                      const std::vector<BareText>& texts, const llm::Vectors& vectors);

  db::Database& database_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  llm::Embedder& embedder_;
  KeptVectors &passages_, &books_;
};

}  // namespace lumina::ai
