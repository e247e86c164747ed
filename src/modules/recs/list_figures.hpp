// How often lists are made and what comes of them: counters for metrics, and by day and variant of an
// experiment for the click rate. Nobody's name is kept. Any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "core/telemetry/metrics.hpp"
#include "modules/recs/model.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::recs {

class ListFigures {
 public:
  ListFigures(db::Database& database, const Clock& clock, metrics::Registry& registry);

  // A list of so many books made by that method ("hybrid", "similar", ...).
  void served(std::string_view algorithm, std::size_t books);
  // How long the making of a list took.
  void took(std::chrono::nanoseconds time) { duration_.observe(time); }
  // One of them was for this variant of an experiment.
  void listed(std::string_view variant, std::size_t books);
  void told(std::string_view variant, Action action);

  // Writes down what was counted; gives the number of rows. Blocking, for the scheduler.
  Result<std::int64_t> flush();
  // Since a day, what was not written down yet included. Inside a unit of work.
  std::vector<VariantFigures> since(db::Transaction& tx, Timestamp from) const;

 private:
  std::string today() const;
  VariantFigures& entry(std::string_view variant);

  db::Database& database_;
  const Clock& clock_;
  metrics::Histogram& duration_;
  std::map<std::string, metrics::Counter*, std::less<>> served_;
  std::map<std::string, metrics::Counter*, std::less<>> feedback_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, VariantFigures> waiting_;  // by day and variant
};

}  // namespace lumina::recs
