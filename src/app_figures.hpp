// What the library holds, for the page of metrics: counted in the background when the page is read and
// something may have changed, so that reading it waits for nothing and costs no scan.
//
// Figures are those of the count before, at most `fresh` old while the page is read often; the first count is
// made at the start. When the database cannot be asked the old figures stay. Thread-safe.
#pragma once
#include "core/base/clock.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/runtime/pool.hpp"
#include "core/telemetry/metrics.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace lumina {

class LibraryFigures {
 public:
  static constexpr std::chrono::seconds fresh{1};   // after a change in this process
  static constexpr std::chrono::seconds stale{60};  // other instances change things too

  // All must outlive it, the pool must be stopped before it ends.
  LibraryFigures(db::Database& database, const Clock& clock, runtime::Pool& pool, events::Bus& bus);
  void show(metrics::Registry& registry);
  // When the page is read: begins a count if one is due. Does not block.
  void refresh();

 private:
  void count();

  struct Counts {
    std::atomic<std::int64_t> books{0}, users{0}, active_users{0}, borrows_active{0}, documents{0},
        document_bytes{0};
  };
  db::Database& database_;
  const Clock& clock_;
  runtime::Pool& pool_;
  Counts counts_;
  std::atomic<bool> changed_{false}, counting_{false};
  std::atomic<std::chrono::steady_clock::time_point> counted_at_{};
};

}  // namespace lumina
