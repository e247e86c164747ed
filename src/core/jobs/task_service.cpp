#include "core/jobs/task_service.hpp"

namespace lumina::jobs {
namespace {

struct Row : TaskState {
  std::int64_t seq = 0;
  std::optional<std::string> result_text;
};
const db::Columns<Row> columns{{"seq", &Row::seq},
                               {"id", &Row::task_id},
                               {"kind", &Row::kind},
                               {"status", &Row::status},
                               {"progress", &Row::progress},
                               {"attempts", &Row::attempts},
                               {"max_attempts", &Row::max_attempts},
                               {"result", &Row::result_text},
                               {"error", &Row::error},
                               {"user_id", &Row::user_id},
                               {"created_at", &Row::created_at},
                               {"run_at", &Row::run_at},
                               {"started_at", &Row::started_at},
                               {"finished_at", &Row::finished_at}};

TaskState finished(Row row) {
  if (row.result_text) row.result.text = std::move(*row.result_text);
  return static_cast<TaskState&&>(row);
}

bool sees(const Caller& by, const TaskState& task) {
  return (task.user_id && task.user_id == by.user) || by.can(Permission::system_inspect);
}

Failure no_task() { return not_found("Task not found"); }

std::optional<Row> row_of(db::Transaction& tx, const std::string& id) {
  return tx.find(columns, "SELECT " + columns.list() + " FROM jobs WHERE id = $1", id);
}

constexpr auto own_rows =
    " FROM jobs WHERE user_id = $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR kind = $3) ";
constexpr auto all_rows =
    " FROM jobs WHERE CAST($1 AS BIGINT) IS NOT NULL AND ($2 = '' OR status = $2) AND ($3 = '' OR kind = "
    "$3) ";
constexpr auto page_of = "ORDER BY seq DESC LIMIT CAST($4 AS BIGINT) OFFSET CAST($5 AS BIGINT)";

}  // namespace

Task<Result<TaskState>> TaskService::find(std::string task_id, Caller by) {
  auto work = [id = std::move(task_id), by = std::move(by)](db::Transaction& tx) -> Result<TaskState> {
    auto row = row_of(tx, id);
    if (!row || !sees(by, *row)) return no_task();
    return finished(std::move(*row));
  };
  return database_.read(std::move(work));
}

Task<Result<Page<TaskState>>> TaskService::list(TaskFilter filter, Caller by, PageRequest page) {
  auto work = [filter = std::move(filter), by = std::move(by),
               page](db::Transaction& tx) -> Result<Page<TaskState>> {
    Page<TaskState> out;
    const std::string status(filter.status ? task_status_names[static_cast<std::size_t>(*filter.status)]
                                           : "");
    const std::string kind = filter.kind.value_or("");
    const bool all = by.can(Permission::system_inspect);
    auto rows = all ? tx.list(columns, "SELECT " + columns.list() + all_rows + page_of, by.id(), status, kind,
                              page.limit, page.skip)
                    : tx.list(columns, "SELECT " + columns.list() + own_rows + page_of, by.id(), status, kind,
                              page.limit, page.skip);
    for (auto& row : rows) out.items.push_back(finished(std::move(row)));
    const auto count = [&](const std::string& statement) {
      return std::get<0>(*tx.one<std::int64_t>(statement, by.id(), status, kind));
    };
    out.total = all ? count(std::string("SELECT count(*)") + all_rows)
                    : count(std::string("SELECT count(*)") + own_rows);
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<TaskState>> TaskService::cancel(std::string task_id, Caller by) {
  auto work = [this, id = std::move(task_id), by = std::move(by)](db::Transaction& tx) -> Result<TaskState> {
    auto row = row_of(tx, id);
    if (!row || !sees(by, *row)) return no_task();
    const auto ended = tx.execute(
        "UPDATE jobs SET status = 'cancelled', finished_at = $2, lease_owner = NULL, lease_until = NULL "
        "WHERE id = $1 AND status IN ('queued', 'running')",
        id, clock_.now());
    if (ended == 0) return finished(std::move(*row));
    journal_.record(
        tx, by,
        {.type = "task.cancelled", .resource = "task", .resource_id = row->seq, .subject = row->user_id});
    tx.after_commit([this, id] { runner_.tell_cancelled(id); });
    return finished(std::move(*row_of(tx, id)));
  };
  return database_.write(std::move(work));
}

Task<Result<TaskState>> TaskService::retry(std::string task_id, Caller by) {
  auto work = [this, id = std::move(task_id), by = std::move(by)](db::Transaction& tx) -> Result<TaskState> {
    const auto row = row_of(tx, id);
    if (!row || !sees(by, *row)) return no_task();
    if (tx.one<std::int64_t>(
            "SELECT o.seq FROM jobs j JOIN jobs o ON o.kind = j.kind AND o.unique_key = j.unique_key "
            "AND o.id <> j.id AND o.status IN ('queued', 'running') WHERE j.id = $1",
            id))
      return fail(ErrorKind::refused, "duplicate_task", "The same work is queued already");
    const auto begun = tx.execute(
        "UPDATE jobs SET status = 'queued', attempts = 0, progress = 0, error = NULL, finished_at = NULL, "
        "run_at = $2 "
        "WHERE id = $1 AND status IN ('failed', 'cancelled')",
        id, clock_.now());
    if (begun == 0)
      return fail(ErrorKind::refused, "task_not_ended",
                  "Only a task that failed or was cancelled can be tried again");
    journal_.record(
        tx, by,
        {.type = "task.retried", .resource = "task", .resource_id = row->seq, .subject = row->user_id});
    tx.after_commit([this] { queue_.wake(); });
    return finished(std::move(*row_of(tx, id)));
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::jobs
