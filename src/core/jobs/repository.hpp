// The statements of the runner: claims, leases, ends. Every write of a worker names the lease it holds; a
// worker whose lease was taken changes nothing.
#pragma once
#include "core/db/transaction.hpp"
#include "core/jobs/model.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lumina::jobs {

// A job as the worker that holds it sees it.
struct Claim {
  std::string id, kind, payload;
  std::int64_t seq = 0, priority = 0, turn = 0, lease = 0;
  int attempt = 0, max_attempts = 0;
  std::optional<UserId> user;
};

class JobRepository {
 public:
  explicit JobRepository(db::Transaction& tx) : tx_(tx) {}

  // When the next queued job of any kind is due; nothing when none is queued.
  std::optional<Timestamp> next_due();
  // What may be claimed of a kind.
  struct Room {
    int jobs = 0;
    int of_person = 0;           // 0: all of them
    std::map<UserId, int> held;  // what people have of it already; counts against `of_person` only
  };
  // Up to `most` jobs, interactive first, then by turn; of each kind at most what `room` says. Rows that
  // another instance is claiming are passed over.
  std::vector<Claim> claim(const std::map<std::string, Room>& room, int most, std::string_view owner,
                           Timestamp now, Timestamp lease_until);
  // Moves the leases of these jobs on where the owner has them still; gives what it has as (id, lease).
  std::vector<std::pair<std::string, std::int64_t>> renew(std::string_view owner,
                                                          const std::vector<std::string>& ids,
                                                          Timestamp lease_until);
  // Frees what nobody's heart beats for: queued again, or failed when that was the last try.
  struct Freed {
    Claim job;
    TaskStatus status;
  };
  std::vector<Freed> take_over(Timestamp now);

  // Each is false when the lease is no longer held.
  bool holds(const Claim& claim);  // and keeps others from taking it until the end of the transaction
  bool succeed(const Claim& claim, std::string_view result, Timestamp now);
  bool fail_for_good(const Claim& claim, std::string_view error, Timestamp now);
  bool try_again(const Claim& claim, std::string_view error, Timestamp run_at);
  bool give_back(const Claim& claim);  // as if it had not been claimed
  bool report(const Claim& claim, double progress);

  struct Count {
    std::string kind;
    std::int64_t jobs = 0;
  };
  std::vector<Count> count_queued();
  std::vector<Count> count_running();
  std::vector<Count> count_failed();
  // Removes what ended before: succeeded and cancelled, failed.
  std::int64_t prune(Timestamp done_before, Timestamp failed_before);

 private:
  std::vector<Claim> shared_out(const std::string& kind, const Room& room, int most, Timestamp now);
  db::Transaction& tx_;
};

}  // namespace lumina::jobs
