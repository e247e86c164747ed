// Makes the vectors of passages: as durable jobs, by whatever embedding model is configured.
//
// A document that became ready starts a job for itself in the same transaction; every minute, after a change
// of models and after a start, one job for all passages without a vector of the model in use does what was
// left. A model that cannot be reached ends the job well with the reason: the next round goes on where it
// stopped. A text that the model refuses is noted as such and not sent again. Without a model nothing
// happens, and passages are found by their words alone. Vectors of an earlier model stay until new ones take
// their place, and are not used meanwhile (passage_vectors.hpp).
#pragma once
#include "core/events/journal.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/llm/embedder.hpp"
#include "modules/ai/model.hpp"
#include "modules/ai/passage_vector_repository.hpp"
#include "modules/ai/passage_vectors.hpp"

#include <atomic>
#include <string>

namespace lumina::ai {

inline constexpr const char* embed_job_kind = "passages.embed";

class PassageEmbedding {
 public:
  PassageEmbedding(db::Database& database, events::Journal& journal, jobs::Queue& queue,
                   llm::Embedder& embedder, PassageVectors& vectors)
      : database_(database), journal_(journal), queue_(queue), embedder_(embedder), vectors_(vectors) {}

  void handle_jobs(jobs::Runner& runner);
  void schedule(jobs::Scheduler& scheduler);
  // In the transaction that made that version of a document ready.
  void start(db::Transaction& tx, std::int64_t version);
  // Whether a job was started for what has no vector; blocking.
  Result<bool> start_missing();

  Task<Result<EmbeddingLine>> status();

 private:
  struct Progress {
    std::int64_t embedded = 0, refused = 0;
    std::string stopped;  // why, when it was
  };
  Result<std::string> run(jobs::JobContext& job);
  Result<PassageModel> model(jobs::JobContext& job, const std::string& name, std::size_t dimensions);
  Result<bool> embed_some(jobs::JobContext& job, const PassageModel& model,
                          const std::vector<BarePassage>& passages, Progress& progress);
  Status keep(jobs::JobContext& job, const PassageModel& model, const std::vector<BarePassage>& passages,
              const llm::Vectors& vectors);

  db::Database& database_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  llm::Embedder& embedder_;
  PassageVectors& vectors_;
};

}  // namespace lumina::ai
