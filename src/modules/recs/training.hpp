// Training as a durable job, the registry of what it made, and the decision which model is in use.
//
// The job reads books and interactions, trains (trainer.hpp), keeps the file, and in one transaction writes
// the version, puts it in use if it is good enough, and ends. A model that measures worse than the one in
// use, or below the threshold, is kept and not used; an administrator can put any version in use. Trainings
// that are asked for while one is queued or running join it.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/task_service.hpp"
#include "core/runtime/pool.hpp"
#include "modules/recs/list_figures.hpp"
#include "modules/recs/live.hpp"
#include "modules/recs/model.hpp"
#include "modules/recs/model_store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lumina::recs {

struct TrainingOptions {
  std::vector<std::string> algorithms;  // of the collaborative model; empty: the usual ones
  std::int64_t dimensions = 128;
  std::int64_t half_life_days = 30;  // of popularity
  std::int64_t retrain_books = 100;  // new books after which training starts by itself; 0: never
  double threshold = 0;              // ndcg@10 below which a model is not used by itself
};

class TrainingService {
 public:
  // `pool` is for reading models, never for lists.
  TrainingService(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
                  jobs::TaskService& tasks, Live& live, ModelStore& store, ListFigures& figures,
                  runtime::Pool& pool, TrainingOptions options)
      : database_(database),
        clock_(clock),
        journal_(journal),
        queue_(queue),
        tasks_(tasks),
        live_(live),
        store_(store),
        figures_(figures),
        pool_(pool),
        options_(std::make_shared<const TrainingOptions>(std::move(options))) {}

  void set_options(TrainingOptions options);
  void handle_jobs(jobs::Runner& runner);

  // The task, which may be one that is at it already.
  Task<Result<jobs::TaskAccepted>> start(TrainRequest request, Caller by);
  // The report as JSON when that task ends within `patience` and its model, if it is used, answers; nothing
  // when it takes longer. Refused: training_failed.
  Task<Result<std::optional<std::string>>> wait(std::string task_id, std::chrono::seconds patience,
                                                Caller by);
  Task<Result<std::vector<ModelVersion>>> models();
  // Refused: model_damaged, model_newer.
  Task<Result<ModelVersion>> activate(std::int64_t version, Caller by);
  Task<Result<EngineStatus>> status();

  // Starts a training when enough books came since the last one. Blocking.
  void consider();
  // The daily round: starts a training when there is something to learn. Blocking; gives whether it did.
  Result<bool> schedule();
  // Blocking: the file of the active model is of no use.
  void repair();

 private:
  std::shared_ptr<const TrainingOptions> options() const;
  Result<std::string> train(jobs::JobContext& job);
  Status enqueue(std::string_view cause);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  jobs::TaskService& tasks_;
  Live& live_;
  ModelStore& store_;
  ListFigures& figures_;
  runtime::Pool& pool_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TrainingOptions> options_;
};

}  // namespace lumina::recs
