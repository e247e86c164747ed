#include "core/jobs/repository.hpp"

#include <algorithm>
#include <tuple>

namespace lumina::jobs {
namespace {

const db::Columns<Claim> columns{
    {"id", &Claim::id},       {"kind", &Claim::kind},         {"payload", &Claim::payload},
    {"seq", &Claim::seq},     {"priority", &Claim::priority}, {"turn", &Claim::turn},
    {"lease", &Claim::lease}, {"attempts", &Claim::attempt},  {"max_attempts", &Claim::max_attempts},
    {"user_id", &Claim::user}};

const db::Columns<JobRepository::Count> counts{{"kind", &JobRepository::Count::kind},
                                               {"count(*)", &JobRepository::Count::jobs}};

constexpr auto candidates =
    " FROM jobs WHERE status = 'queued' AND kind = $1 AND run_at <= $2 ORDER BY priority, turn, seq "
    "LIMIT CAST($3 AS BIGINT)";
constexpr auto next_candidate = " FROM jobs WHERE status = 'queued' AND kind = $1 AND run_at <= $2";
constexpr auto in_turn = " ORDER BY priority, turn, seq LIMIT 1";

}  // namespace

std::optional<Timestamp> JobRepository::next_due() {
  const auto row = tx_.one<std::optional<Timestamp>>("SELECT min(run_at) FROM jobs WHERE status = 'queued'");
  return row ? std::get<0>(*row) : std::nullopt;
}

// One after the other, because each one taken may make its person have enough.
std::vector<Claim> JobRepository::shared_out(const std::string& kind, const Room& room, int most,
                                             Timestamp now) {
  std::vector<Claim> found;
  auto held = room.held;
  std::vector<std::string> taken, people;
  for (const auto& [person, jobs] : held)
    if (jobs >= room.of_person) people.push_back(std::to_string(person.value));
  while (static_cast<int>(found.size()) < most) {
    auto next = tx_.postgresql()
                    ? tx_.list(columns,
                               "SELECT " + columns.list() + next_candidate +
                                   " AND fair_key NOT IN (SELECT CAST(jsonb_array_elements_text(CAST($3 AS "
                                   "jsonb)) AS BIGINT)) AND seq NOT IN (SELECT "
                                   "CAST(jsonb_array_elements_text(CAST($4 AS jsonb)) AS BIGINT))" +
                                   in_turn + " FOR UPDATE SKIP LOCKED",
                               kind, now, people, taken)
                    : tx_.list(columns,
                               "SELECT " + columns.list() + next_candidate +
                                   " AND fair_key NOT IN (SELECT CAST(value AS INTEGER) FROM json_each($3)) "
                                   "AND seq NOT IN (SELECT CAST(value AS INTEGER) FROM json_each($4))" +
                                   in_turn,
                               kind, now, people, taken);
    if (next.empty()) break;
    auto& claim = next.front();
    taken.push_back(std::to_string(claim.seq));
    if (claim.user && ++held[*claim.user] >= room.of_person)
      people.push_back(std::to_string(claim.user->value));
    found.push_back(std::move(claim));
  }
  return found;
}

std::vector<Claim> JobRepository::claim(const std::map<std::string, Room>& room, int most,
                                        std::string_view owner, Timestamp now, Timestamp lease_until) {
  std::vector<Claim> found;
  for (const auto& [kind, left] : room) {
    if (left.jobs <= 0) continue;
    const int wanted = std::min(left.jobs, most);
    auto some = left.of_person > 0 ? shared_out(kind, left, wanted, now)
                : tx_.postgresql()
                    ? tx_.list(columns, "SELECT " + columns.list() + candidates + " FOR UPDATE SKIP LOCKED",
                               kind, now, wanted)
                    : tx_.list(columns, "SELECT " + columns.list() + candidates, kind, now, wanted);
    std::ranges::move(some, std::back_inserter(found));
  }
  std::ranges::sort(found, {}, [](const Claim& c) { return std::tuple(c.priority, c.turn, c.seq); });
  if (found.size() > static_cast<std::size_t>(most)) found.resize(static_cast<std::size_t>(most));
  if (found.empty()) return found;
  std::vector<std::string> ids;
  for (auto& c : found) {
    ids.push_back(c.id);
    ++c.lease;
    ++c.attempt;
  }
  const std::string which = tx_.postgresql() ? "(SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))"
                                             : "(SELECT value FROM json_each($1))";
  tx_.execute(
      "UPDATE jobs SET status = 'running', lease = lease + 1, lease_owner = $2, lease_until = $3, "
      "attempts = attempts + 1, started_at = coalesce(started_at, $4) WHERE id IN " +
          which,
      ids, owner, lease_until, now);
  return found;
}

std::vector<std::pair<std::string, std::int64_t>> JobRepository::renew(std::string_view owner,
                                                                       const std::vector<std::string>& ids,
                                                                       Timestamp lease_until) {
  std::vector<std::pair<std::string, std::int64_t>> held;
  if (ids.empty()) return held;
  const std::string which = tx_.postgresql() ? "(SELECT jsonb_array_elements_text(CAST($3 AS jsonb)))"
                                             : "(SELECT value FROM json_each($3))";
  tx_.each<std::string, std::int64_t>(
      [&](std::string id, std::int64_t lease) { held.emplace_back(std::move(id), lease); },
      "UPDATE jobs SET lease_until = $2 WHERE status = 'running' AND lease_owner = $1 AND id IN " + which +
          " RETURNING id, lease",
      owner, lease_until, ids);
  return held;
}

std::vector<JobRepository::Freed> JobRepository::take_over(Timestamp now) {
  std::vector<Freed> freed;
  tx_.each<std::string, std::string, std::int64_t, std::optional<UserId>, TaskStatus>(
      [&](std::string id, std::string kind, std::int64_t seq, std::optional<UserId> user, TaskStatus status) {
        Claim job;
        job.id = std::move(id);
        job.kind = std::move(kind);
        job.seq = seq;
        job.user = user;
        freed.push_back({std::move(job), status});
      },
      "UPDATE jobs SET status = CASE WHEN attempts < max_attempts THEN 'queued' ELSE 'failed' END, "
      "finished_at = CASE WHEN attempts < max_attempts THEN NULL ELSE CAST($1 AS BIGINT) END, "
      "error = 'The instance that worked on it stopped', lease_owner = NULL, lease_until = NULL "
      "WHERE status = 'running' AND lease_until < $1 RETURNING id, kind, seq, user_id, status",
      now);
  return freed;
}

bool JobRepository::holds(const Claim& c) {
  if (tx_.postgresql())
    return tx_
        .one<std::int64_t>(
            "SELECT lease FROM jobs WHERE id = $1 AND lease = $2 AND status = 'running' FOR UPDATE", c.id,
            c.lease)
        .has_value();
  return tx_
      .one<std::int64_t>("SELECT lease FROM jobs WHERE id = $1 AND lease = $2 AND status = 'running'", c.id,
                         c.lease)
      .has_value();
}
bool JobRepository::succeed(const Claim& c, std::string_view result, Timestamp now) {
  return tx_.execute(
             "UPDATE jobs SET status = 'succeeded', progress = 1, result = $3, error = NULL, finished_at = "
             "$4, "
             "lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease = $2 AND status = 'running'",
             c.id, c.lease, result, now) == 1;
}
bool JobRepository::fail_for_good(const Claim& c, std::string_view error, Timestamp now) {
  return tx_.execute(
             "UPDATE jobs SET status = 'failed', error = $3, finished_at = $4, lease_owner = NULL, "
             "lease_until = NULL "
             "WHERE id = $1 AND lease = $2 AND status = 'running'",
             c.id, c.lease, error, now) == 1;
}
bool JobRepository::try_again(const Claim& c, std::string_view error, Timestamp run_at) {
  return tx_.execute(
             "UPDATE jobs SET status = 'queued', error = $3, run_at = $4, lease_owner = NULL, lease_until = "
             "NULL "
             "WHERE id = $1 AND lease = $2 AND status = 'running'",
             c.id, c.lease, error, run_at) == 1;
}
bool JobRepository::give_back(const Claim& c) {
  return tx_.execute(
             "UPDATE jobs SET status = 'queued', attempts = attempts - 1, lease_owner = NULL, lease_until = "
             "NULL "
             "WHERE id = $1 AND lease = $2 AND status = 'running'",
             c.id, c.lease) == 1;
}
bool JobRepository::report(const Claim& c, double progress) {
  return tx_.execute("UPDATE jobs SET progress = $3 WHERE id = $1 AND lease = $2 AND status = 'running'",
                     c.id, c.lease, progress) == 1;
}

std::vector<JobRepository::Count> JobRepository::count_queued() {
  return tx_.list(counts, "SELECT " + counts.list() + " FROM jobs WHERE status = 'queued' GROUP BY kind");
}
std::vector<JobRepository::Count> JobRepository::count_running() {
  return tx_.list(counts, "SELECT " + counts.list() + " FROM jobs WHERE status = 'running' GROUP BY kind");
}
std::vector<JobRepository::Count> JobRepository::count_failed() {
  return tx_.list(counts, "SELECT " + counts.list() + " FROM jobs WHERE status = 'failed' GROUP BY kind");
}

std::int64_t JobRepository::prune(Timestamp done_before, Timestamp failed_before) {
  return tx_.execute(
             "DELETE FROM jobs WHERE finished_at IS NOT NULL AND status IN ('succeeded', 'cancelled') AND "
             "finished_at < $1",
             done_before) +
         tx_.execute(
             "DELETE FROM jobs WHERE finished_at IS NOT NULL AND status = 'failed' AND finished_at < $1",
             failed_before);
}

}  // namespace lumina::jobs
