#include "app_recs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

namespace lumina {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t people_in_memory = 20'000;

recs::ListOptions list_options(const config::Config& c) {
  recs::ListOptions options;
  options.half_life_days = static_cast<double>(c.recs_half_life_days);
  options.algorithms = c.recs_algorithms;
  options.experiment_percent = c.recs_experiment_percent;
  options.experiment_method = static_cast<recs::Method>(c.recs_experiment_method);
  return options;
}
recs::TrainingOptions training_options(const config::Config& c) {
  recs::TrainingOptions options;
  options.algorithms = c.recs_algorithms;
  options.dimensions = c.recs_dimensions;
  options.half_life_days = c.recs_half_life_days;
  options.retrain_books = c.recs_retrain_books;
  options.threshold = static_cast<double>(c.recs_threshold) / 1000;
  return options;
}
recs::Live::Options live_options(const config::Config& c) {
  recs::Live::Options options;
  options.half_life_days = c.recs_half_life_days;
  return options;
}

}  // namespace

Recommending::Recommending(const Around& a, const config::Config& config)
    : pool("recs", std::max(2U, std::thread::hardware_concurrency()), 256),
      slow("models", 1, 16),
      people(people_in_memory),
      store(a.database, std::filesystem::path(config.data_dir) / "models"),
      live(a.database, a.clock, a.bus, people, store, live_options(config)),
      figures(a.database, a.clock, a.registry),
      lists(a.database, a.clock, a.journal, a.books, people, live, figures, pool, list_options(config)),
      training(a.database, a.clock, a.journal, a.queue, a.tasks, live, store, figures, slow,
               training_options(config)) {
  live.when_books_came([this] { training.consider(); });
  live.when_damaged([this] { training.repair(); });
  live.when_idle([this] { return lists.warm_one(); });
}

void Recommending::make_schedules(jobs::Scheduler& scheduler, const std::string& time_zone) {
  scheduler.add("recommendations.retrain", "Trains the model of recommendations",
                jobs::Cadence::daily(3, 30, time_zone), [this](jobs::JobContext&) -> Result<std::string> {
                  const auto begun = training.schedule();
                  if (!begun) return Failure(begun.error());
                  return fmt::format(R"({{"started":{}}})", *begun);
                });
  scheduler.add("recommendations.figures", "Writes down how lists did, without persons",
                jobs::Cadence::every(1min), [this](jobs::JobContext&) -> Result<std::string> {
                  const auto rows = figures.flush();
                  if (!rows) return Failure(rows.error());
                  return fmt::format(R"({{"rows":{}}})", *rows);
                });
}

void Recommending::reload(const config::Config& fresh) {
  lists.set_options(list_options(fresh));
  training.set_options(training_options(fresh));
}

void Recommending::stop() {
  live.stop();
  pool.stop();
  slow.stop();
}

}  // namespace lumina
