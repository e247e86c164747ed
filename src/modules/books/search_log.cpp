#include "modules/books/search_log.hpp"

#include "core/base/text.hpp"
#include "core/search/plan.hpp"

namespace lumina::books {
namespace {

constexpr std::size_t most_waiting = 10'000, longest = 200;
constexpr std::int64_t most_pairs = 20'000;
constexpr std::int64_t days_kept = 400, day_ms = 86'400'000;

std::optional<std::string> key_of(std::string_view query) {
  if (utf8_length(query) > longest || query.find('@') != std::string_view::npos) return std::nullopt;
  auto key = search::vocabulary_key(query);
  if (key.empty() || utf8_length(key) > 2 * longest) return std::nullopt;
  return key;
}

std::string day_of(Timestamp at) { return to_rfc3339(at).substr(0, 10); }

void write(SearchRepository&& all, const auto& counts) {
  for (const auto& [day, queries] : counts) {
    std::vector<QueryCount> rows;
    for (const auto& [key, count] : queries) rows.push_back(count);
    all.add_counts(day, rows);
  }
}

}  // namespace

std::string SearchLog::today() const { return day_of(clock_.now()); }

void SearchLog::searched(std::string_view query, bool found) {
  total_.fetch_add(1, std::memory_order_relaxed);
  auto key = key_of(query);
  if (!key) return;
  const auto day = today();
  std::lock_guard lock(mutex_);
  auto& queries = counts_[day];
  auto it = queries.find(*key);
  if (it == queries.end()) {
    if (waiting_ >= most_waiting) return;
    ++waiting_;
    it = queries.emplace(*key, QueryCount{*key, 0, 0}).first;
  }
  ++it->second.searches;
  if (!found) ++it->second.misses;
}

SearchLog::Counts SearchLog::take() {
  std::lock_guard lock(mutex_);
  waiting_ = 0;
  return std::exchange(counts_, {});
}

void SearchLog::give_back(Counts counts) {
  std::lock_guard lock(mutex_);
  for (auto& [day, queries] : counts)
    for (auto& [key, count] : queries) {
      const auto [it, fresh] = counts_[day].try_emplace(key, QueryCount{key, 0, 0});
      if (fresh) ++waiting_;
      it->second.searches += count.searches;
      it->second.misses += count.misses;
    }
}

Task<Status> SearchLog::clicked(Click click) {
  auto work = [click = std::move(click), day = today()](db::Transaction& tx) -> Status {
    const auto key = key_of(click.query);
    if (!key) return {};
    // Anybody may click: a day has room for so many pairs of words and book, and for no more.
    const auto pairs = tx.one<std::int64_t>("SELECT count(*) FROM search_clicks WHERE day = $1", day);
    if (std::get<0>(*pairs) >= most_pairs) return {};
    if (!SearchRepository(tx).add_click(day, *key, click.book_id)) return not_found("Book not found");
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<SearchReport>> SearchLog::report(SearchReportQuery asked) {
  auto waiting = take();
  auto keep = [&waiting](db::Transaction& tx) -> Status {
    write(SearchRepository(tx), waiting);
    return {};
  };
  auto kept = co_await database_.write(std::move(keep));
  if (!kept) {
    give_back(std::move(waiting));
    co_return Failure(std::move(kept.error()));
  }
  const int days = asked.days.value_or(30);
  const auto first = day_of(Timestamp{clock_.now().ms - (days - 1) * day_ms});
  auto look = [first, limit = asked.limit.value_or(20)](db::Transaction& tx) {
    return SearchRepository(tx).report(first, limit);
  };
  auto report = co_await database_.read(std::move(look));
  if (report) report->days = days;
  co_return report;
}

Result<std::int64_t> SearchLog::flush() {
  auto waiting = take();
  const auto oldest = day_of(Timestamp{clock_.now().ms - days_kept * day_ms});
  std::int64_t queries = 0;
  for (const auto& [day, keys] : waiting) queries += static_cast<std::int64_t>(keys.size());
  auto work = [&waiting, oldest](db::Transaction& tx) -> Status {
    write(SearchRepository(tx), waiting);
    SearchRepository(tx).forget_before(oldest);
    return {};
  };
  if (auto done = database_.write_now(std::move(work)); !done) {
    give_back(std::move(waiting));
    return Failure(std::move(done.error()));
  }
  return queries;
}

}  // namespace lumina::books
