// Hears of what other instances on the same PostgreSQL did: reads the outbox behind the last transaction that can
// still change, so nothing is skipped that committed late, and publishes their events on this instance's bus.
//
// Asks five times a second: another instance's change is known here within a fraction of a second, also after the
// database was away. On SQLite there is one process and nothing to follow.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"

namespace lumina::events {

class Follower {
 public:
  // Events whose origin is `own_origin` were published when they were made.
  Follower(db::Database& database, const Bus& bus, std::string own_origin)
      : database_(database), bus_(bus), own_origin_(std::move(own_origin)) {}

  // Remembers where the outbox stands; before the first request.
  void start_here();
  // Publishes what came since the last call; gives the number of events. Errors of the database are left for the
  // next call.
  Task<std::size_t> catch_up();

 private:
  db::Database& database_;
  const Bus& bus_;
  std::string own_origin_;
  std::string last_xid_ = "0";
  std::int64_t last_id_ = 0;
};

// Removes events that were kept long enough.
Task<Status> prune_outbox(db::Database& database, Timestamp older_than);

}  // namespace lumina::events
