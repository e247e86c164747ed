#include "core/jobs/runner.hpp"

#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"

namespace lumina::jobs {
namespace {

constexpr std::int64_t heartbeat_ms = 1'000, dead_after_ms = 120'000;

struct Row : TaskState {
  std::optional<std::string> result_text;
};
const db::Columns<Row> columns{{"id", &Row::task_id},          {"kind", &Row::kind},
                               {"status", &Row::status},       {"progress", &Row::progress},
                               {"result", &Row::result_text},  {"error", &Row::error},
                               {"user_id", &Row::user_id},     {"created_at", &Row::created_at},
                               {"started_at", &Row::started_at}, {"finished_at", &Row::finished_at}};

TaskState finished(Row row) {
  if (row.result_text) row.result.text = std::move(*row.result_text);
  return static_cast<TaskState&&>(row);
}

bool sees(const Caller& by, const TaskState& task) {
  return task.user_id == by.user || by.can(Permission::system_inspect);
}

Failure no_task() { return not_found("Task not found"); }

}  // namespace

std::vector<schema::Field> TaskState::fields() {
  return {{"task_id", &TaskState::task_id, "Identifier"},
          {"kind", &TaskState::kind, "What is done"},
          {"status", &TaskState::status, "How it stands"},
          {"progress", &TaskState::progress, "0 to 1"},
          {"result", &TaskState::result, "What came of it"},
          {"error", &TaskState::error, "Why it failed"},
          {"created_at", &TaskState::created_at, "When it was asked for"},
          {"started_at", &TaskState::started_at, "When it began"},
          {"finished_at", &TaskState::finished_at, "When it ended"}};
}
std::vector<schema::Field> TaskAccepted::fields() {
  return {{"task_id", &TaskAccepted::task_id, "Ask GET /api/v1/tasks/{task_id}"},
          {"status", &TaskAccepted::status, "processing"}};
}

void Progress::at(double part) {
  const auto now = runner_.clock_.now();
  cancelled_ = cancelled_ || runner_.stopping_;
  if (now.ms - written_ms_ < heartbeat_ms) return;
  written_ms_ = now.ms;
  auto work = [&](db::Transaction& tx) -> Result<bool> {
    tx.execute("UPDATE tasks SET progress = $2, heartbeat_at = $3 WHERE id = $1", task_id_, std::clamp(part, 0.0, 1.0), now);
    return tx.one<std::int64_t>("SELECT 1 FROM tasks WHERE id = $1 AND status = 'cancelled'", task_id_).has_value();
  };
  // A report that cannot be written is not worth ending the work for; the next one tries again.
  if (auto ended = runner_.database_.write_now(std::move(work))) cancelled_ = cancelled_ || *ended;
}

Task<Result<TaskAccepted>> Runner::start(std::string kind, Caller by, Work work) {
  const std::string id = security::opaque_token();
  auto insert = [this, id, kind, user = by.user](db::Transaction& tx) -> Status {
    tx.execute("INSERT INTO tasks (id, kind, status, user_id, created_at, heartbeat_at) VALUES ($1, $2, 'queued', $3, $4, $4)",
               id, kind, user, clock_.now());
    return {};
  };
  if (auto done = co_await database_.write(std::move(insert)); !done) co_return Failure(std::move(done.error()));
  if (!pool_.try_submit([this, id, work = std::move(work)] { run(id, work); })) {
    auto drop = [id](db::Transaction& tx) -> Status {
      tx.execute("DELETE FROM tasks WHERE id = $1", id);
      return {};
    };
    (void)co_await database_.write(std::move(drop));
    co_return Failure(Error{ErrorKind::unavailable, "overloaded", "Too much work is waiting; try again later", {}, 10});
  }
  co_return TaskAccepted{id};
}

void Runner::run(const std::string& id, const Work& work) {
  auto begin = [&](db::Transaction& tx) -> Status {
    tx.execute("UPDATE tasks SET status = 'running', started_at = $2, heartbeat_at = $2 WHERE id = $1 AND status = 'queued'",
               id, clock_.now());
    return {};
  };
  (void)database_.write_now(std::move(begin));
  Progress progress(*this, id);
  Result<std::string> outcome;
  try {
    outcome = work(progress);
  } catch (const std::exception& e) {
    log::error("a task failed", {{"task", id}, {"what", e.what()}});
    outcome = fail(ErrorKind::unavailable, "task_failed", "The work failed on our side; the task id finds it in the log");
  }
  auto end = [&](db::Transaction& tx) -> Status {
    if (outcome)
      tx.execute(
          "UPDATE tasks SET status = 'succeeded', progress = 1, result = $2, finished_at = $3 WHERE id = $1 AND status = 'running'",
          id, *outcome, clock_.now());
    else
      tx.execute("UPDATE tasks SET status = 'failed', error = $2, finished_at = $3 WHERE id = $1 AND status = 'running'", id,
                 outcome.error().detail, clock_.now());
    return {};
  };
  if (auto done = database_.write_now(std::move(end)); !done)
    log::error("the end of a task could not be written", {{"task", id}, {"why", done.error().detail}});
}

Task<Result<TaskState>> Runner::find(std::string task_id, Caller by) {
  auto work = [id = std::move(task_id), by = std::move(by)](db::Transaction& tx) -> Result<TaskState> {
    auto row = tx.find(columns, "SELECT " + columns.list() + " FROM tasks WHERE id = $1", id);
    if (!row || !sees(by, *row)) return no_task();
    return finished(std::move(*row));
  };
  return database_.read(std::move(work));
}

Task<Result<Page<TaskState>>> Runner::list(Caller by, PageRequest page) {
  auto work = [by = std::move(by), page](db::Transaction& tx) -> Result<Page<TaskState>> {
    Page<TaskState> out;
    const bool all = by.can(Permission::system_inspect);
    const std::string where = all ? " WHERE CAST($1 AS BIGINT) IS NOT NULL " : " WHERE user_id = $1 ";
    for (auto& row : tx.list(columns, "SELECT " + columns.list() + " FROM tasks" + where +
                                          "ORDER BY created_at DESC, id LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)",
                             by.id(), page.limit, page.skip))
      out.items.push_back(finished(std::move(row)));
    out.total = all ? std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM tasks"))
                    : std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM tasks WHERE user_id = $1", by.id()));
    return out;
  };
  return database_.read(std::move(work));
}

Task<Status> Runner::cancel(std::string task_id, Caller by) {
  auto work = [this, id = std::move(task_id), by = std::move(by)](db::Transaction& tx) -> Status {
    auto row = tx.find(columns, "SELECT " + columns.list() + " FROM tasks WHERE id = $1", id);
    if (!row || !sees(by, *row)) return no_task();
    tx.execute("UPDATE tasks SET status = 'cancelled', finished_at = $2 WHERE id = $1 AND status IN ('queued', 'running')", id,
               clock_.now());
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<std::int64_t>> Runner::bury_interrupted() {
  auto work = [this](db::Transaction& tx) -> Result<std::int64_t> {
    const auto now = clock_.now();
    return tx.execute(
        "UPDATE tasks SET status = 'failed', finished_at = $1, "
        "error = 'The server stopped before this was done; it can be started again' "
        "WHERE status IN ('queued', 'running') AND heartbeat_at < $2",
        now, now.ms - dead_after_ms);
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::jobs
