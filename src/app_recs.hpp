// The parts of recommending, in the order in which they are made, and how settings reach them.
#pragma once
#include "core/config/config.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/runtime/pool.hpp"
#include "modules/recs/routes.hpp"

#include <string>

namespace lumina {

struct Recommending {
  // What it is made of; all of it outlives this.
  struct Around {
    db::Database& database;
    const Clock& clock;
    events::Journal& journal;
    events::Bus& bus;
    metrics::Registry& registry;
    jobs::Queue& queue;
    jobs::TaskService& tasks;
    books::BookService& books;
  };
  Recommending(const Around& around, const config::Config& config);

  void make_schedules(jobs::Scheduler& scheduler, const std::string& time_zone);
  void reload(const config::Config& fresh);
  // The pools; nobody may ask for lists any more.
  void stop();

  runtime::Pool pool, slow;  // lists; files of models
  recs::People people;
  recs::ModelStore store;
  recs::Live live;
  recs::ListFigures figures;
  recs::RecommendationService lists;
  recs::TrainingService training;
};

}  // namespace lumina
