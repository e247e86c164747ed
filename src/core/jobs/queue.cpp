#include "core/jobs/queue.hpp"

#include "core/security/random.hpp"

namespace lumina::jobs {
namespace {

// The turn: behind the person's own last one, but never before the one that is next, so that who was away
// gets no credit and who has ten thousand waiting holds nobody up.
constexpr auto insert_job =
    "INSERT INTO jobs (id, kind, payload, priority, fair_key, turn, unique_key, status, run_at, "
    "max_attempts, user_id, "
    "created_at) VALUES ($1, $2, $3, $4, $5, "
    "(SELECT max(t) FROM (SELECT 0 AS t "
    "UNION ALL SELECT min(turn) FROM jobs WHERE status = 'queued' AND priority = $4 AND run_at <= $10 "
    "UNION ALL SELECT max(turn) + 1 FROM jobs WHERE status = 'queued' AND priority = $4 AND fair_key = $5) "
    "turns), "
    "$6, 'queued', $7, $8, $9, $10) ON CONFLICT DO NOTHING";

}  // namespace

std::string Queue::enqueue(db::Transaction& tx, const NewJob& job) {
  const auto now = clock_.now();
  const auto due = job.run_at.value_or(now);
  const std::string id = security::opaque_token();
  // The other job may end between the insert and the look: then there is room for ours.
  for (int round = 0; round < 10; ++round) {
    const auto made =
        tx.execute(insert_job, id, job.kind, job.payload, static_cast<std::int64_t>(job.priority),
                   job.user.value_or(UserId{}), job.unique_key, due, job.max_attempts, job.user, now);
    if (made == 1) {
      tx.after_commit([this] { wake(); });
      return id;
    }
    const auto there = tx.one<std::string>(
        "SELECT id FROM jobs WHERE kind = $1 AND unique_key = $2 AND status IN ('queued', 'running')",
        job.kind, job.unique_key);
    if (there) return std::get<0>(*there);
  }
  throw std::runtime_error("a job could be neither made nor found: " + job.kind);
}

Task<Result<TaskAccepted>> Queue::submit(NewJob job) {
  auto work = [this, job = std::move(job)](db::Transaction& tx) -> Result<TaskAccepted> {
    return TaskAccepted{enqueue(tx, job)};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::jobs
