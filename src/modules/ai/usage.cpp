#include "modules/ai/usage.hpp"

#include "modules/ai/repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lumina::ai {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000, shown_days = 30;

std::string day_of(Timestamp at) { return to_rfc3339(at).substr(0, 10); }

}  // namespace

UsageBook::UsageBook(db::Database& database, const Clock& clock, Budgets budgets)
    : database_(database), clock_(clock), budgets_(budgets) {}

void UsageBook::turn_page() {
  auto day = day_of(clock_.now());
  if (day == day_) return;
  day_ = std::move(day);
  today_ = 0;
  today_of_.clear();
  for (const auto& [key, sum] : unwritten_) {
    if (std::get<0>(key) != day_) continue;
    today_ += sum.calls;
    today_of_[std::get<1>(key)] += sum.calls;
  }
}

lumina::Status UsageBook::allowed(const llm::Prompt& prompt) {
  const std::scoped_lock lock(mutex_);
  turn_page();
  const auto refused = [&](std::string detail) -> lumina::Status {
    const auto left = day_ms - clock_.now().ms % day_ms;
    return Failure(Error{
        ErrorKind::rate_limited, "ai_budget", std::move(detail), {}, static_cast<int>(left / 1000) + 1});
  };
  if (budgets_.daily_calls > 0 && today_ >= budgets_.daily_calls)
    return refused("The library has used up today's calls of the language model");
  if (prompt.user_id != 0 && budgets_.user_daily_calls > 0) {
    const auto own = today_of_.find(prompt.user_id);
    if (own != today_of_.end() && own->second >= budgets_.user_daily_calls)
      return refused("You have used up today's calls of the language model");
  }
  return {};
}

void UsageBook::note(const llm::Spent& spent) {
  const std::scoped_lock lock(mutex_);
  turn_page();
  auto& sum = unwritten_[{day_, spent.user_id, spent.task, spent.provider, spent.model}];
  ++sum.calls;
  if (!spent.succeeded) ++sum.failures;
  sum.prompt_tokens += spent.prompt_tokens;
  sum.completion_tokens += spent.completion_tokens;
  sum.took_ms += spent.took.count();
  ++today_;
  ++today_of_[spent.user_id];
}

void UsageBook::set(Budgets budgets) {
  const std::scoped_lock lock(mutex_);
  budgets_ = budgets;
}

std::int64_t UsageBook::calls_today() {
  const std::scoped_lock lock(mutex_);
  turn_page();
  return today_;
}
std::int64_t UsageBook::daily_calls() {
  const std::scoped_lock lock(mutex_);
  return budgets_.daily_calls;
}

Result<std::int64_t> UsageBook::flush() {
  std::map<Key, Sum> sums;
  std::string day;
  {
    const std::scoped_lock lock(mutex_);
    turn_page();
    sums = std::exchange(unwritten_, {});
    day = day_;
  }
  std::map<std::int64_t, std::int64_t> calls;
  auto work = [&](db::Transaction& tx) -> Result<std::int64_t> {
    UsageRepository usage(tx);
    for (const auto& [key, sum] : sums)
      usage.add({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key), std::get<4>(key),
                 sum.calls, sum.failures, sum.prompt_tokens, sum.completion_tokens, sum.took_ms});
    calls = usage.calls_of(day);
    return static_cast<std::int64_t>(sums.size());
  };
  auto written = database_.write_now(std::move(work));
  const std::scoped_lock lock(mutex_);
  if (!written) {  // nothing is lost: it is added to what came meanwhile
    for (const auto& [key, sum] : sums) {
      auto& now = unwritten_[key];
      now.calls += sum.calls;
      now.failures += sum.failures;
      now.prompt_tokens += sum.prompt_tokens;
      now.completion_tokens += sum.completion_tokens;
      now.took_ms += sum.took_ms;
    }
    return written;
  }
  if (day != day_) return written;
  today_of_ = std::move(calls);
  for (const auto& [key, sum] : unwritten_)
    if (std::get<0>(key) == day) today_of_[std::get<1>(key)] += sum.calls;
  today_ = 0;
  for (const auto& [user, count] : today_of_) today_ += count;
  return written;
}

Task<Result<Usage>> UsageBook::read(UsageFilter filter) {
  const auto to = filter.to.value_or(clock_.now());
  const auto from = filter.from.value_or(Timestamp{to.ms - shown_days * day_ms});
  std::vector<UsageLine> unwritten;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, sum] : unwritten_)
      if (std::get<0>(key) >= day_of(from) && std::get<0>(key) <= day_of(to))
        unwritten.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key),
                             std::get<4>(key), sum.calls, sum.failures, sum.prompt_tokens,
                             sum.completion_tokens, sum.took_ms});
  }
  auto work = [from = day_of(from), to = day_of(to),
               unwritten = std::move(unwritten)](db::Transaction& tx) -> Result<Usage> {
    Usage out;
    UsageRepository usage(tx);
    out.lines = usage.list(from, to);
    auto sums = usage.sums(from, to);
    const auto add = [](auto& into, const UsageLine& line) {
      into.calls += line.calls;
      into.failures += line.failures;
      into.prompt_tokens += line.prompt_tokens;
      into.completion_tokens += line.completion_tokens;
      into.took_ms += line.took_ms;
    };
    for (const auto& line : unwritten) {
      add(sums, line);
      const auto same = std::ranges::find_if(out.lines, [&](const UsageLine& l) {
        return std::tie(l.day, l.user_id, l.task, l.provider, l.model) ==
               std::tie(line.day, line.user_id, line.task, line.provider, line.model);
      });
      if (same != out.lines.end())
        add(*same, line);
      else
        out.lines.insert(out.lines.begin(), line);
    }
    out.calls = sums.calls;
    out.failures = sums.failures;
    out.prompt_tokens = sums.prompt_tokens;
    out.completion_tokens = sums.completion_tokens;
    out.took_ms = sums.took_ms;
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

}  // namespace lumina::ai
