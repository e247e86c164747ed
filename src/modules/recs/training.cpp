#include "modules/recs/training.hpp"

#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"
#include "core/telemetry/log.hpp"
#include "modules/recs/repository.hpp"
#include "modules/recs/training_report.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace lumina::recs {
namespace {

constexpr auto job_kind = "recommendations.train";
constexpr int attempts = 3, models_kept = 5;
constexpr std::int64_t books_at_once = 2000;
constexpr int people_at_once = 2000;
// Measured on fewer people, one model is not better or worse than another.
constexpr std::size_t enough_people = 30;
constexpr double tolerance = 0.9;  // of the ndcg@10 in use: measurements of a growing library vary
constexpr auto adoption_patience = std::chrono::seconds(10);
constexpr std::string_view trained_well = "Model trained successfully";

struct Payload {
  std::string cause;
  std::optional<bool> search, activate;
  static constexpr std::string_view type_name = "TrainingPayload";
  static std::vector<schema::Field> fields() {
    return {{"cause", &Payload::cause, "Why"},
            {"search", &Payload::search, "Compare parameters first"},
            {"activate", &Payload::activate, "Whether it may be used"}};
  }
};

jobs::NewJob job_of(const Payload& payload) {
  jobs::NewJob job;
  job.kind = job_kind;
  job.payload = json::encode(payload);
  job.unique_key = "train";
  job.max_attempts = attempts;
  return job;
}

Task<void> pause(std::chrono::milliseconds time) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>
      timer(executor, time);
  constexpr boost::asio::use_awaitable_t<IoExecutor> token;
  co_await timer.async_wait(token);
}

// Why a model is kept and not used; nothing: it may be.
std::optional<std::string> weakness_of(const TrainedModel& model, const std::optional<ModelVersion>& active,
                                       double threshold) {
  const auto& m = model.metrics;
  if (m.people < enough_people) return {};
  if (m.ndcg < threshold)
    return fmt::format("ndcg@10 of {:.4f} is below the threshold of {:.4f}", m.ndcg, threshold);
  if (m.ndcg < tolerance * model.popularity.ndcg)
    return fmt::format("ndcg@10 of {:.4f} is worse than {:.4f} of plain popularity", m.ndcg,
                       model.popularity.ndcg);
  if (active && active->ndcg && m.ndcg < tolerance * *active->ndcg)
    return fmt::format("ndcg@10 of {:.4f} is worse than {:.4f} of version {}", m.ndcg, *active->ndcg,
                       active->version);
  return {};
}

TrainingParameters parameters_of(const TrainingOptions& options) {
  TrainingParameters p;
  p.words.dimensions = static_cast<std::size_t>(options.dimensions);
  p.popularity_half_life = std::chrono::days(options.half_life_days);
  if (!options.algorithms.empty()) {
    p.people.algorithms.clear();
    for (const auto& name : options.algorithms)
      if (const auto algorithm = algorithm_named(name)) p.people.algorithms.push_back(*algorithm);
  }
  return p;
}

struct Material {
  std::vector<BookText> books;
  std::vector<Interaction> interactions;
};

Result<Material> gather(jobs::JobContext& job) {
  Material material;
  for (std::int64_t after = 0;;) {
    if (job.cancelled()) return jobs::JobContext::interrupted();
    struct Step {
      std::optional<std::int64_t> last;
      std::vector<LoadedBook> books;
    };
    auto look = [after](db::Transaction& tx) {
      RecommendationRepository all(tx);
      Step step{all.end_of_next(after, books_at_once), {}};
      if (step.last) step.books = all.books(after + 1, *step.last);
      return step;
    };
    auto step = job.database().read_now(std::move(look));
    if (!step) return Failure(std::move(step.error()));
    if (!step->last) break;
    for (auto& book : step->books) material.books.push_back(std::move(book.text));
    after = *step->last;
  }
  for (std::int64_t after = 0;;) {
    if (job.cancelled()) return jobs::JobContext::interrupted();
    auto look = [after, &material](db::Transaction& tx) {
      return RecommendationRepository(tx).interactions(after, people_at_once, material.interactions);
    };
    const auto last = job.database().read_now(std::move(look));
    if (!last) return Failure(last.error());
    if (*last == 0) break;
    after = *last;
  }
  return material;
}

}  // namespace

void TrainingService::set_options(TrainingOptions options) {
  auto fresh = std::make_shared<const TrainingOptions>(std::move(options));
  std::lock_guard lock(mutex_);
  options_ = std::move(fresh);
}
std::shared_ptr<const TrainingOptions> TrainingService::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

void TrainingService::handle_jobs(jobs::Runner& runner) {
  runner.handle(job_kind, {.concurrency = 1}, [this](jobs::JobContext& job) { return train(job); });
}

Result<std::string> TrainingService::train(jobs::JobContext& job) {
  const auto begun = std::chrono::steady_clock::now();
  const auto payload = json::decode<Payload>(job.payload());
  if (!payload) return Failure(payload.error());
  const auto setting = options();
  auto material = gather(job);
  if (!material) return Failure(std::move(material.error()));
  const auto since = [](auto from) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - from);
  };
  std::vector<StepTime> steps{{"gather", since(begun)}};

  const auto now = clock_.now();
  vector::Work work;
  work.progress = [&job](double share) { job.progress(0.05 + 0.85 * share); };
  work.cancelled = [&job] { return job.cancelled(); };
  auto parameters = parameters_of(*setting);
  std::vector<Trial> trials;
  if (payload->search.value_or(false)) {
    const Grid grid{{2, 5, 10, 0}, {5, 20}, {}, {}, {}};
    auto tried = search_parameters(material->books, material->interactions, parameters, grid, moment_of(now),
                                   work.part(0, 0.5));
    if (!tried) return job.cancelled() ? jobs::JobContext::interrupted() : Failure(std::move(tried.error()));
    trials = std::move(*tried);
    if (!trials.empty() && trials.front().metrics.people > 0) parameters.people = trials.front().parameters;
  }
  auto trained = train_all(material->books, material->interactions, parameters, moment_of(now),
                           trials.empty() ? work : work.part(0.5, 1));
  if (!trained)
    return job.cancelled() ? jobs::JobContext::interrupted() : Failure(std::move(trained.error()));
  std::ranges::copy(trained->steps, std::back_inserter(steps));

  const auto keeping = std::chrono::steady_clock::now();
  auto kept = store_.keep(*trained, work.cancelled);
  if (!kept) return job.cancelled() ? jobs::JobContext::interrupted() : Failure(std::move(kept.error()));
  steps.push_back({"keep", since(keeping)});

  TrainingReport report;
  report.status = trained_well;
  report.steps = {steps_json(steps)};
  auto& version = report.model;
  version = described(*trained);
  if (!trials.empty()) add_search(version, trials);
  version.file = kept->file;
  version.sha256 = kept->sha256;
  version.size = kept->size;
  version.cause = payload->cause;
  version.trained_at = now;
  version.duration_ms = since(begun).count();
  std::string result;
  std::vector<std::string> dropped;
  const Caller by = job.caller();
  auto end = [&](db::Transaction& tx) -> Status {
    RecommendationRepository all(tx);
    const auto active = all.active_model();
    version.held_back = payload->activate.value_or(true) ? weakness_of(*trained, active, setting->threshold)
                                                         : std::optional<std::string>("not asked to be used");
    version.version = all.insert(version, by.user);
    version.active = !version.held_back;
    if (version.active) all.activate(version.version);
    dropped = all.prune_models(models_kept);
    const auto about = [&](std::string_view type) {
      journal_.record(tx, by,
                      {.type = type, .resource = "recommendation_model", .resource_id = version.version});
    };
    about("recommendation.model_trained");
    if (version.active) about("recommendation.model_activated");
    result = json::encode(report);
    return job.complete(tx, result);
  };
  if (auto ended = database_.write_now(std::move(end)); !ended) return Failure(std::move(ended.error()));
  store_.drop(dropped);
  if (version.held_back)
    log::warn("a model of recommendations is not used",
              {{"version", version.version}, {"why", *version.held_back}});
  return result;
}

Task<Result<jobs::TaskAccepted>> TrainingService::start(TrainRequest request, Caller by) {
  Payload payload{request.search.value_or(false) ? "search" : "asked", request.search, request.activate};
  auto job = job_of(payload);
  job.priority = jobs::Priority::interactive;
  job.user = by.user;
  co_return co_await queue_.submit(std::move(job));
}

Task<Result<std::optional<std::string>>> TrainingService::wait(std::string task_id,
                                                               std::chrono::seconds patience, Caller by) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto task = co_await tasks_.find(task_id, by);
    if (!task) co_return Failure(std::move(task.error()));
    if (task->status == jobs::TaskStatus::succeeded) {
      auto done = json::decode<TrainingReport>(task->result.text);
      const auto version = done ? done->model.version : 0;
      for (int i = 0; done && done->model.active && i < 100; ++i) {
        const auto engine = live_.engine();
        if (engine && engine->number() >= version) break;
        if (!live_.fault().empty() || std::chrono::steady_clock::now() >= deadline) break;
        co_await pause(std::chrono::milliseconds(50));
      }
      co_return std::move(task->result.text);
    }
    if (task->status == jobs::TaskStatus::failed || task->status == jobs::TaskStatus::cancelled)
      co_return fail(ErrorKind::refused, "training_failed",
                     task->error.value_or("The training was cancelled; ask for it again"));
    if (std::chrono::steady_clock::now() >= deadline) co_return std::nullopt;
    co_await pause(std::chrono::milliseconds(50));
  }
}

Task<Result<std::vector<ModelVersion>>> TrainingService::models() {
  auto look = [](db::Transaction& tx) { return RecommendationRepository(tx).models(); };
  co_return co_await database_.read(std::move(look));
}

Task<Result<ModelVersion>> TrainingService::activate(std::int64_t number, Caller by) {
  auto look = [number](db::Transaction& tx) { return RecommendationRepository(tx).model(number); };
  auto found = co_await database_.read(std::move(look));
  if (!found) co_return Failure(std::move(found.error()));
  if (!*found) co_return not_found("There is no such version");
  const ModelVersion version = std::move(**found);
  auto check = [this, &version]() -> Status {
    auto loaded = store_.load(version);
    if (!loaded) return Failure(std::move(loaded.error()));
    return {};
  };
  if (auto sound = co_await runtime::run_on(pool_, std::move(check)); !sound)
    co_return Failure(std::move(sound.error()));
  auto work = [this, number, by = std::move(by)](db::Transaction& tx) -> Result<ModelVersion> {
    RecommendationRepository all(tx);
    if (!all.model(number)) return not_found("There is no such version");
    all.activate(number);
    journal_.record(tx, by,
                    {.type = "recommendation.model_activated",
                     .resource = "recommendation_model",
                     .resource_id = number});
    return *all.model(number);
  };
  auto done = co_await database_.write(std::move(work));
  if (!done) co_return Failure(std::move(done.error()));
  live_.start();
  const auto deadline = std::chrono::steady_clock::now() + adoption_patience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto engine = live_.engine();
    if (engine && engine->number() == number) break;
    co_await pause(std::chrono::milliseconds(20));
  }
  co_return std::move(*done);
}

Task<Result<EngineStatus>> TrainingService::status() {
  const auto setting = options();
  EngineStatus out;
  out.threshold = setting->threshold;
  struct Read {
    std::optional<ModelVersion> active;
    std::vector<ModelVersion> newest;
    std::vector<VariantFigures> variants;
    std::int64_t since = 0;
  };
  auto look = [this](db::Transaction& tx) {
    RecommendationRepository all(tx);
    Read read;
    read.active = all.active_model();
    read.newest = all.models();
    read.variants = figures_.since(tx, clock_.now() - std::chrono::days(30));
    const auto from = read.active ? read.active->trained_at : Timestamp{-1};
    read.since = all.books_since(from, 1'000'000);
    return read;
  };
  auto read = co_await database_.read(std::move(look));
  if (!read) co_return Failure(std::move(read.error()));
  live_.start();
  const auto engine = live_.engine();
  const auto fault = live_.fault();
  out.index_ready = live_.ready();
  out.books_indexed = static_cast<std::int64_t>(live_.shelf()->size());
  out.variants = std::move(read->variants);
  out.books_since_training = read->since;
  out.state = !fault.empty() ? "damaged" : read->active ? "ready" : "untrained";
  if (!fault.empty()) out.alerts.push_back("The active model cannot be used: " + fault);
  if (!read->newest.empty() && read->newest.front().held_back)
    out.alerts.push_back(fmt::format("Version {} is not used: {}", read->newest.front().version,
                                     *read->newest.front().held_back));
  // What answers, which may be behind the registry for a moment or because the newer one is damaged.
  auto used = engine && engine->version ? engine->version : read->active;
  if (!used) co_return out;
  out.version = used->version;
  out.algorithm = used->algorithm;
  out.trained_at = used->trained_at;
  out.books = used->books;
  out.users = used->people;
  out.interactions = used->interactions;
  if (used->books > 0 && used->people > 0)
    out.sparsity = 1 - static_cast<double>(used->interactions) / static_cast<double>(used->books) /
                           static_cast<double>(used->people);
  if (used->ndcg && *used->ndcg < setting->threshold)
    out.alerts.push_back(fmt::format("ndcg@10 of {:.4f} is below the threshold", *used->ndcg));
  out.weights = std::move(used->weights);
  out.metrics = std::move(used->metrics);
  co_return out;
}

Status TrainingService::enqueue(std::string_view cause) {
  auto work = [this, cause](db::Transaction& tx) -> Result<std::string> {
    return queue_.enqueue(tx, job_of({std::string(cause), {}, {}}));
  };
  auto put = database_.write_now(std::move(work));
  if (!put) return Failure(std::move(put.error()));
  return {};
}

void TrainingService::consider() {
  const auto most = options()->retrain_books;
  if (most <= 0) return;
  auto look = [most](db::Transaction& tx) {
    RecommendationRepository all(tx);
    return all.books_since(all.last_training().value_or(Timestamp{-1}), most);
  };
  const auto came = database_.read_now(std::move(look));
  if (!came || *came < most) return;
  if (auto put = enqueue("new_books"); !put)
    log::warn("a training could not be started", {{"why", put.error().detail}});
}

Result<bool> TrainingService::schedule() {
  auto look = [](db::Transaction& tx) {
    RecommendationRepository all(tx);
    return all.books_since(Timestamp{-1}, 1) > 0;
  };
  const auto wanted = database_.read_now(std::move(look));
  if (!wanted) return Failure(wanted.error());
  if (!*wanted) return false;
  if (auto put = enqueue("schedule"); !put) return Failure(std::move(put.error()));
  return true;
}

void TrainingService::repair() {
  if (auto put = enqueue("repair"); !put)
    log::warn("a training could not be started", {{"why", put.error().detail}});
}

}  // namespace lumina::recs
