// What language models cost: budgets, and the sums that administrators see.
//
// Calls are counted in memory and written down by flush(), which a schedule calls; a crash loses what was
// counted since. Budgets are for a day of UTC: of the library (all calls) and of a person (calls made for
// them). What was counted before a start, and what other
// instances count, is known from the next flush on. allowed() and note() are quick and thread-safe.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/llm/chain.hpp"
#include "modules/ai/model.hpp"

#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace lumina::ai {

struct Budgets {
  std::int64_t daily_calls = 50'000;    // 0: any number
  std::int64_t user_daily_calls = 500;  // 0: any number
};

class UsageBook {
 public:
  UsageBook(db::Database& database, const Clock& clock, Budgets budgets);

  // Error: rate_limited "ai_budget" with the seconds until midnight.
  lumina::Status allowed(const llm::Prompt& prompt);
  void note(const llm::Spent& spent);
  void set(Budgets budgets);

  // Blocking. The number of sums written.
  Result<std::int64_t> flush();
  Task<Result<Usage>> read(UsageFilter filter);
  std::int64_t calls_today();
  std::int64_t daily_calls();

 private:
  using Key = std::tuple<std::string, std::int64_t, std::string, std::string, std::string>;
  struct Sum {
    std::int64_t calls = 0, failures = 0, prompt_tokens = 0, completion_tokens = 0, took_ms = 0;
  };
  void turn_page();  // under the mutex: a new day begins at nothing

  db::Database& database_;
  const Clock& clock_;
  std::mutex mutex_;
  Budgets budgets_;
  std::string day_;
  std::int64_t today_ = 0;
  std::map<std::int64_t, std::int64_t> today_of_;
  std::map<Key, Sum> unwritten_;
};

}  // namespace lumina::ai
