#include "core/jobs/runner.hpp"

#include "core/jobs/backoff.hpp"
#include "core/json/codec.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pthread.h>

namespace lumina::jobs {
namespace {

using namespace std::chrono_literals;
using Moment = std::chrono::steady_clock::time_point;

constexpr auto between_reports = 1s, between_counts = 5s;
constexpr double short_run = 0.05;  // seconds
constexpr std::string_view interrupted_code = "interrupted";

Moment now_steady() { return std::chrono::steady_clock::now(); }

// What may go better another time.
bool worth_another_try(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::storage_full || kind == ErrorKind::conflict ||
         kind == ErrorKind::rate_limited;
}

Failure lease_lost() {
  return fail(ErrorKind::conflict, "lease_lost", "The job was cancelled or is worked on elsewhere");
}

}  // namespace

db::Database& JobContext::database() const { return runner_.database_; }

Caller JobContext::caller() const {
  Caller by = Caller::system("task " + claim_.id);
  by.user = claim_.user;
  return by;
}

void JobContext::progress(double part) {
  const auto now = now_steady();
  if (now - reported_ < between_reports) return;
  reported_ = now;
  auto work = [&](db::Transaction& tx) -> Result<bool> {
    return JobRepository(tx).report(claim_, std::clamp(part, 0.0, 1.0));
  };
  // A report that cannot be written is not worth ending the work for; the next one tries again.
  if (auto held = runner_.database_.write_now(std::move(work)); held && !*held) lost_ = true;
}

bool JobContext::cancelled() const { return lost_ || runner_.stopping_; }

Failure JobContext::interrupted() {
  return fail(ErrorKind::unavailable, std::string(interrupted_code),
              "The server stopped; the task goes on when it is back");
}

Status JobContext::complete(db::Transaction& tx, std::string_view result) {
  if (!JobRepository(tx).succeed(claim_, result, runner_.clock_.now())) return lease_lost();
  runner_.tell(tx, "task.succeeded", claim_);
  tx.after_commit([this] { completed_ = true; });
  return {};
}

Status JobContext::guard(db::Transaction& tx) const {
  if (!JobRepository(tx).holds(claim_)) return lease_lost();
  return {};
}

Runner::Runner(db::Database& database, const Clock& clock, events::Journal& journal, Queue& queue,
               runtime::Pool& pool, const std::string& origin, RunnerOptions options)
    : database_(database),
      clock_(clock),
      journal_(journal),
      pool_(pool),
      options_(options),
      owner_(origin + "-" + security::opaque_token()),
      threads_(static_cast<int>(pool.stats().threads)) {
  queue.on_work([this] { wake(); });
}

Runner::~Runner() { stop(); }

void Runner::handle(std::string kind, HandlerOptions options, Handler handler) {
  if (!kinds_.emplace(kind, Kind{std::move(options), std::move(handler)}).second)
    throw std::logic_error("two handlers for jobs of the kind " + kind);
}

void Runner::start() {
  if (dispatcher_.joinable()) return;
  dispatcher_ = std::thread([this] { dispatch(); });
  pthread_setname_np(dispatcher_.native_handle(), "jobs/claims");
}

void Runner::stop() {
  stopping_ = true;
  wake();
  if (dispatcher_.joinable()) dispatcher_.join();
}

void Runner::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Runner::tell_cancelled(const std::string& job_id) {
  std::lock_guard lock(mutex_);
  for (const auto& [key, job] : held_)
    if (key.first == job_id) job->lost_ = true;
}

std::vector<std::string> Runner::kinds() const {
  std::vector<std::string> all;
  for (const auto& [kind, entry] : kinds_) all.push_back(kind);
  return all;
}
std::int64_t Runner::figure(std::string_view state, std::string_view kind) const {
  std::lock_guard lock(mutex_);
  const auto it = figures_.find({std::string(state), std::string(kind)});
  return it == figures_.end() ? 0 : it->second;
}
Runner::Totals Runner::totals() const { return {succeeded_, failed_, retried_, taken_over_}; }

// The dispatcher's thread. It goes on beating while stopping, until the last job of ours has ended.
void Runner::dispatch() {
  Moment next_beat{}, next_count{};
  bool reachable = true;
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_ && held_.empty()) return;
      woken_ = false;
    }
    bool more = false;
    try {
      if (now_steady() >= next_beat) {
        beat();
        next_beat = now_steady() + options_.lease / 3;
      }
      if (!stopping_ && now_steady() >= next_count) {
        count();
        next_count = now_steady() + between_counts;
      }
      more = !stopping_ && claim_some();
      reachable = true;
    } catch (const std::exception& e) {
      // One line for a database that is away, not one for each poll.
      if (reachable) log::error("jobs cannot be claimed", {{"what", e.what()}});
      reachable = false;
      next_beat = now_steady() + options_.poll;
    }
    if (more) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::min<std::chrono::milliseconds>(options_.poll, options_.lease / 3),
                      [this] { return woken_ || (stopping_ && held_.empty()); });
  }
}

void Runner::beat() {
  struct Outcome {
    std::vector<std::pair<std::string, std::int64_t>> held;
    std::vector<JobRepository::Freed> freed;
  };
  // Only what is worked on here: a claim that went astray must run out.
  std::vector<std::string> ids;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, job] : held_) ids.push_back(key.first);
  }
  auto work = [this, &ids](db::Transaction& tx) -> Result<Outcome> {
    JobRepository jobs(tx);
    const auto now = clock_.now();
    Outcome outcome{jobs.renew(owner_, ids, now + options_.lease), {}};
    outcome.freed = jobs.take_over(now);
    for (const auto& freed : outcome.freed)
      if (freed.status == TaskStatus::failed) tell(tx, "task.failed", freed.job);
    return outcome;
  };
  const auto seen = database_.write_now(std::move(work));
  if (!seen) throw std::runtime_error(seen.error().detail);
  for (const auto& freed : seen->freed) {
    log::warn("a job was left by its worker", {{"task", freed.job.id}, {"kind", freed.job.kind}});
    ++taken_over_;
  }
  std::lock_guard lock(mutex_);
  for (const auto& [key, job] : held_)
    if (std::ranges::find(seen->held, key) == seen->held.end()) job->lost_ = true;
}

// True when there may be more to claim at once.
bool Runner::claim_some() {
  std::map<std::string, JobRepository::Room> room;
  int most = 0;
  {
    std::lock_guard lock(mutex_);
    // Short jobs are claimed ahead, in groups; a long one would keep those behind it from other instances.
    const int most_held = usual_seconds_ < short_run ? 2 * threads_ : threads_;
    const int held = static_cast<int>(held_.size());
    if (held > threads_ || held >= most_held) return false;
    most = most_held - held;
    for (const auto& [kind, entry] : kinds_) {
      const int concurrency = entry.options.concurrency;
      // One thread at least is for others.
      const int of_person = std::min(entry.options.per_person, std::max(1, threads_ - 1));
      room[kind] = {concurrency > 0 ? concurrency : most, of_person, {}};
    }
    for (const auto& [key, job] : held_) {
      auto& left = room[job->kind()];
      if (kinds_.at(job->kind()).options.concurrency > 0) --left.jobs;
      if (job->user()) ++left.held[*job->user()];
    }
  }
  if (std::ranges::none_of(room, [](const auto& r) { return r.second.jobs > 0; })) return false;
  auto look = [](db::Transaction& tx) { return JobRepository(tx).next_due(); };
  const auto due = database_.read_now(std::move(look));
  if (!due) throw std::runtime_error(due.error().detail);
  if (!*due || **due > clock_.now()) return false;
  auto work = [&](db::Transaction& tx) -> Result<std::vector<Claim>> {
    const auto now = clock_.now();
    return JobRepository(tx).claim(room, most, owner_, now, now + options_.lease);
  };
  auto claims = database_.write_now(std::move(work));
  if (!claims) throw std::runtime_error(claims.error().detail);
  for (auto& claim : *claims) {
    auto job = std::make_shared<JobContext>(*this, std::move(claim));
    {
      std::lock_guard lock(mutex_);
      held_[{job->id(), job->claim_.lease}] = job;
    }
    // A pool that stopped keeps nothing: the lease runs out and somebody else takes the job.
    if (!pool_.try_submit([this, job] { run(job); })) {
      std::lock_guard lock(mutex_);
      held_.erase({job->id(), job->claim_.lease});
    }
  }
  return !claims->empty();
}

void Runner::count() {
  auto look = [](db::Transaction& tx) {
    JobRepository jobs(tx);
    return std::pair{
        std::array{std::pair{"queued", jobs.count_queued()}, std::pair{"running", jobs.count_running()},
                   std::pair{"failed", jobs.count_failed()}},
        jobs.next_due()};
  };
  const auto counts = database_.read_now(std::move(look));
  if (!counts) throw std::runtime_error(counts.error().detail);
  const auto now = clock_.now();
  longest_wait_ = std::max<std::int64_t>(0, now.ms - counts->second.value_or(now).ms);
  std::lock_guard lock(mutex_);
  figures_.clear();
  for (const auto& [state, kinds] : counts->first)
    for (const auto& entry : kinds) figures_[{state, entry.kind}] = entry.jobs;
}

void Runner::run(const std::shared_ptr<JobContext>& job) {
  try {
    if (stopping_) {
      auto work = [&](db::Transaction& tx) -> Status {
        return JobRepository(tx).give_back(job->claim_), Status{};
      };
      (void)database_.write_now(std::move(work));  // or its lease runs out
    } else if (!job->lost_) {
      const auto begun = now_steady();
      finish(*job, attempt(*job));
      // Threads may overwrite each other's sample; it is a guess.
      usual_seconds_ =
          0.8 * usual_seconds_ + 0.2 * std::chrono::duration<double>(now_steady() - begun).count();
    }
  } catch (const std::exception& e) {
    // The lease runs out and the job is tried again.
    log::error("the end of a job could not be written", {{"task", job->id()}, {"what", e.what()}});
  }
  {
    std::lock_guard lock(mutex_);
    held_.erase({job->id(), job->claim_.lease});
  }
  wake();
}

Result<std::string> Runner::attempt(JobContext& job) const {
  try {
    return kinds_.at(job.kind()).handler(job);
  } catch (const std::exception& e) {
    log::error("a job failed", {{"task", job.id()}, {"kind", job.kind()}, {"what", e.what()}});
    return fail(ErrorKind::unavailable, "task_failed",
                "The work failed on our side; the task id finds it in the log");
  }
}

void Runner::finish(JobContext& job, const Result<std::string>& outcome) {
  if (job.completed_) {
    ++succeeded_;
    return;
  }
  const Claim& claim = job.claim_;
  enum class End : std::uint8_t { succeeded, given_back, again, failed };
  End end = End::succeeded;
  if (!outcome) {
    const Error& error = outcome.error();
    if (stopping_ && error.code == interrupted_code)
      end = End::given_back;
    else if (worth_another_try(error.kind) && !job.last_attempt())
      end = End::again;
    else
      end = End::failed;
  }
  auto work = [&](db::Transaction& tx) -> Result<bool> {
    JobRepository jobs(tx);
    const auto now = clock_.now();
    switch (end) {
      case End::succeeded:
        if (!jobs.succeed(claim, *outcome, now)) return false;
        tell(tx, "task.succeeded", claim);
        return true;
      case End::given_back:
        return jobs.give_back(claim);
      case End::again: {
        const auto pause = std::max<std::chrono::milliseconds>(
            backoff(kinds_.at(claim.kind).options.backoff, claim.attempt, claim.id),
            std::chrono::seconds(outcome.error().retry_after_seconds));
        return jobs.try_again(claim, outcome.error().detail, now + pause);
      }
      case End::failed:
        if (!jobs.fail_for_good(claim, outcome.error().detail, now)) return false;
        tell(tx, "task.failed", claim);
        return true;
    }
    return false;
  };
  // A database that is away for a moment should not make the work be done twice.
  const auto give_up = now_steady() + options_.lease;
  auto written = database_.write_now(work);
  while (!written && !stopping_ && now_steady() < give_up) {
    std::this_thread::sleep_for(100ms);
    written = database_.write_now(work);
  }
  if (!written) {
    log::error("the end of a job could not be written",
               {{"task", claim.id}, {"why", written.error().detail}});
    return;
  }
  if (!*written) return;
  if (end == End::succeeded) ++succeeded_;
  if (end == End::again) ++retried_;
  if (end == End::failed) {
    ++failed_;
    log::warn("a job failed for good",
              {{"task", claim.id}, {"kind", claim.kind}, {"why", outcome.error().detail}});
  }
}

// People hear of the end of what they asked for.
void Runner::tell(db::Transaction& tx, std::string_view type, const Claim& claim) {
  if (!claim.user) return;
  std::string payload = "{\"task_id\":";
  json::append_string(payload, claim.id);
  payload += ",\"kind\":";
  json::append_string(payload, claim.kind);
  payload += '}';
  journal_.record(tx, Caller::system("task " + claim.id),
                  {.type = type,
                   .resource = "task",
                   .resource_id = claim.seq,
                   .subject = claim.user,
                   .payload = payload});
}

}  // namespace lumina::jobs
