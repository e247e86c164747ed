#include "core/jobs/dead_letters.hpp"

#include <stdexcept>

namespace lumina::jobs {
namespace {

constexpr std::size_t most_kinds = 4;

struct Row : DeadLetter {
  std::string payload;
};
const db::Columns<Row> columns{{"id", &Row::task_id},           {"kind", &Row::kind},
                               {"payload", &Row::payload},      {"attempts", &Row::attempts},
                               {"error", &Row::error},          {"created_at", &Row::created_at},
                               {"finished_at", &Row::failed_at}};

constexpr auto dead = " FROM jobs WHERE status = 'failed' AND kind IN ($1, $2, $3, $4) ";

}  // namespace

std::vector<schema::Field> DeadLetter::fields() {
  return {{"task_id", &DeadLetter::task_id, "The task that failed for good"},
          {"kind", &DeadLetter::kind, "What was to be done"},
          {"about", &DeadLetter::about, "What it was to be done with"},
          {"attempts", &DeadLetter::attempts, "Tries"},
          {"error", &DeadLetter::error, "Why the last one failed"},
          {"created_at", &DeadLetter::created_at, "When the work was asked for"},
          {"failed_at", &DeadLetter::failed_at, "When it was given up"}};
}

DeadLetters::DeadLetters(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
                         std::vector<std::string> kinds)
    : database_(database), clock_(clock), journal_(journal), queue_(queue), kinds_(std::move(kinds)) {
  if (kinds_.size() > most_kinds) throw std::logic_error("dead letters are of at most four kinds");
  kinds_.resize(most_kinds);
}

Task<Result<Page<DeadLetter>>> DeadLetters::list(PageRequest page) {
  auto work = [this, page](db::Transaction& tx) -> Result<Page<DeadLetter>> {
    Page<DeadLetter> out;
    static const std::string some = "SELECT " + columns.list() + dead +
                                    "ORDER BY finished_at DESC, seq DESC LIMIT CAST($5 AS BIGINT) OFFSET "
                                    "CAST($6 AS BIGINT)";
    for (auto& row :
         tx.list(columns, some, kinds_[0], kinds_[1], kinds_[2], kinds_[3], page.limit, page.skip)) {
      row.about.text = std::move(row.payload);
      out.items.push_back(static_cast<DeadLetter&&>(row));
    }
    static const std::string all = std::string("SELECT count(*)") + dead;
    out.total = std::get<0>(*tx.one<std::int64_t>(all, kinds_[0], kinds_[1], kinds_[2], kinds_[3]));
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<TaskAccepted>> DeadLetters::retry(std::string task_id, Caller by) {
  auto work = [this, id = std::move(task_id),
               by = std::move(by)](db::Transaction& tx) -> Result<TaskAccepted> {
    // The same work may have been asked for again since, and be on its way: then there is nothing to revive.
    const auto row = tx.one<std::int64_t>(
        "UPDATE jobs SET status = 'queued', attempts = 0, progress = 0, error = NULL, finished_at = NULL, "
        "run_at = $2 WHERE id = $1 AND status = 'failed' AND kind IN ($3, $4, $5, $6) AND NOT EXISTS "
        "(SELECT 1 FROM jobs o WHERE o.kind = jobs.kind AND o.unique_key = jobs.unique_key "
        "AND o.status IN ('queued', 'running')) RETURNING seq",
        id, clock_.now(), kinds_[0], kinds_[1], kinds_[2], kinds_[3]);
    if (!row) return not_found("No such dead letter");
    journal_.record(tx, by, {.type = "task.retried", .resource = "task", .resource_id = std::get<0>(*row)});
    tx.after_commit([this] { queue_.wake(); });
    return TaskAccepted{id};
  };
  return database_.write(std::move(work));
}

bool DeadLetters::holds(db::Transaction& tx, const std::string& kind, const std::string& unique_key) {
  return tx
      .one<std::int64_t>(
          "SELECT seq FROM jobs WHERE kind = $1 AND unique_key = $2 AND status = 'failed' LIMIT 1", kind,
          unique_key)
      .has_value();
}

}  // namespace lumina::jobs
