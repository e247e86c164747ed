// What is searched for, counted by day and words, never by person: no user, no address, no time of day.
//
// Counts gather in memory and are written in one unit of work (flush). Queries that hold an '@' or are longer
// than 200 characters are not kept: they are more likely to tell of somebody than of books. At most 10,000
// different queries wait to be written; others are then dropped. Any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/books/search_repository.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

class SearchLog {
 public:
  SearchLog(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  void searched(std::string_view query, bool found);
  // Searches since the start, those that are not written down included.
  std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  Task<Status> clicked(Click click);
  Task<Result<SearchReport>> report(SearchReportQuery asked);
  // Blocking, for the schedule: writes what gathered and forgets what is older than 400 days.
  Result<std::int64_t> flush();

 private:
  using Counts = std::map<std::string, std::map<std::string, QueryCount>>;  // by day and key
  Counts take();
  void give_back(Counts counts);
  std::string today() const;

  db::Database& database_;
  const Clock& clock_;
  std::mutex mutex_;
  Counts counts_;
  std::size_t waiting_ = 0;
  std::atomic<std::uint64_t> total_{0};
};

}  // namespace lumina::books
