#include "core/jobs/scheduler.hpp"

#include "core/telemetry/log.hpp"

#include <chrono>
#include <pthread.h>

namespace lumina::jobs {
namespace {

const db::Columns<Schedule> columns{{"name", &Schedule::name},
                                    {"cadence", &Schedule::cadence},
                                    {"next_at", &Schedule::next_at},
                                    {"last_at", &Schedule::last_at},
                                    {"last_task_id", &Schedule::last_task_id}};

}  // namespace

std::vector<schema::Field> Schedule::fields() {
  return {{"name", &Schedule::name, "Also the kind of its tasks"},
          {"description", &Schedule::description, "What it does"},
          {"cadence", &Schedule::cadence, "When it comes round"},
          {"next_at", &Schedule::next_at, "The next tick"},
          {"last_at", &Schedule::last_at, "The last tick or run"},
          {"last_task_id", &Schedule::last_task_id, "The task of that"}};
}

Scheduler::~Scheduler() { stop(); }

void Scheduler::add(std::string name, std::string description, Cadence cadence, Handler work) {
  runner_.handle(name, {.concurrency = 1}, std::move(work));
  entries_.emplace(std::move(name), Entry{std::move(description), std::move(cadence), {}});
}

void Scheduler::prepare() {
  auto work = [this](db::Transaction& tx) -> Result<std::map<std::string, Timestamp>> {
    std::map<std::string, Timestamp> next;
    for (const auto& [name, entry] : entries_) {
      tx.execute(
          "INSERT INTO schedules (name, cadence, next_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
          "SET cadence = excluded.cadence, next_at = excluded.next_at WHERE schedules.cadence <> "
          "excluded.cadence",
          name, entry.cadence.text(), entry.cadence.next(clock_.now()));
      next[name] = std::get<0>(*tx.one<Timestamp>("SELECT next_at FROM schedules WHERE name = $1", name));
    }
    return next;
  };
  const auto next = database_.write_now(std::move(work));
  if (!next) throw std::runtime_error(next.error().detail);
  std::lock_guard lock(mutex_);
  for (auto& [name, entry] : entries_) entry.next_at = next->at(name);
}

std::string Scheduler::fire(db::Transaction& tx, const std::string& name, Timestamp now,
                            std::optional<UserId> user) {
  NewJob job;
  job.kind = name;
  job.unique_key = "tick";
  job.user = user;
  auto id = queue_.enqueue(tx, job);
  tx.execute("UPDATE schedules SET last_at = $2, last_task_id = $3 WHERE name = $1", name, now, id);
  return id;
}

std::size_t Scheduler::tick() {
  const auto now = clock_.now();
  std::vector<std::pair<std::string, Cadence>> due;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_)
      if (entry.next_at <= now) due.emplace_back(name, entry.cadence);
  }
  std::size_t fired = 0;
  for (const auto& [name, cadence] : due) {
    struct Outcome {
      bool ours = false;
      Timestamp next;
    };
    auto work = [&](db::Transaction& tx) -> Result<Outcome> {
      const auto ours = tx.execute("UPDATE schedules SET next_at = $3 WHERE name = $1 AND next_at <= $2",
                                   name, now, cadence.next(now)) == 1;
      if (ours) fire(tx, name, now, {});
      return Outcome{ours,
                     std::get<0>(*tx.one<Timestamp>("SELECT next_at FROM schedules WHERE name = $1", name))};
    };
    const auto outcome = database_.write_now(std::move(work));
    if (!outcome) continue;  // the database is away: the tick is still due when it is back
    if (outcome->ours) ++fired;
    std::lock_guard lock(mutex_);
    entries_.at(name).next_at = outcome->next;
  }
  return fired;
}

void Scheduler::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      try {
        tick();
      } catch (const std::exception& e) {
        log::error("a schedule could not be looked at", {{"what", e.what()}});
      }
      lock.lock();
      wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
    }
  });
  pthread_setname_np(thread_.native_handle(), "jobs/schedule");
}

void Scheduler::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Task<Result<std::vector<Schedule>>> Scheduler::list() {
  auto work = [this](db::Transaction& tx) {
    auto rows = tx.list(columns, "SELECT " + columns.list() + " FROM schedules ORDER BY name");
    // What an older or newer release left behind comes round no more.
    std::erase_if(rows, [this](const Schedule& row) { return !entries_.contains(row.name); });
    for (auto& row : rows) row.description = entries_.at(row.name).description;
    return rows;
  };
  return database_.read(std::move(work));
}

Task<Result<TaskAccepted>> Scheduler::run_now(std::string name, Caller by) {
  auto work = [this, name = std::move(name),
               by = std::move(by)](db::Transaction& tx) -> Result<TaskAccepted> {
    if (!entries_.contains(name)) return not_found("Schedule not found");
    auto id = fire(tx, name, clock_.now(), by.user);
    journal_.record(tx, by, {.type = "schedule.run", .resource = "schedule"});
    return TaskAccepted{std::move(id)};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::jobs
