#include "modules/recs/evaluation.hpp"

#include "core/vector/work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace lumina::recs {
namespace {

constexpr std::size_t listed = 10;
constexpr std::size_t opinions_to_judge = 20;

}  // namespace

Split leave_last_out(std::span<const Interaction> interactions, float found_from) {
  Split split;
  for (const auto& [person, history] : histories_of(interactions, interactions.size())) {
    const auto entries = history.entries();
    const auto back = entries.size() < 2
                          ? std::size_t{0}
                          : std::max<std::size_t>(1, std::min<std::size_t>(10, entries.size() / 5));
    Split::Trial trial{person, {}, {}};
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i + back < entries.size()) {
        split.learning.push_back({person, entries[i].book, entries[i].strength, entries[i].at});
        continue;
      }
      trial.held.push_back(entries[i].book);
      if (entries[i].strength >= found_from) trial.wanted.push_back(entries[i].book);
    }
    if (!trial.wanted.empty()) split.trials.push_back(std::move(trial));
  }
  return split;
}

Metrics measure(const Split& split, std::size_t books, const ListOf& ten, unsigned threads) {
  Metrics metrics;
  metrics.people = split.trials.size();
  if (split.trials.empty()) return metrics;
  const auto histories = histories_of(split.learning);
  std::unordered_map<std::int64_t, const History*> history_of;
  std::unordered_map<std::int64_t, std::size_t> readers;
  for (const auto& person : histories) {
    history_of.emplace(person.person, &person.history);
    for (const auto& entry : person.history.entries()) ++readers[entry.book];
  }

  const History nothing;
  std::vector<std::vector<std::int64_t>> lists(split.trials.size());
  vector::Work work;
  work.threads = threads;
  vector::for_pieces(split.trials.size(), 8, work, [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) {
      const auto found = history_of.find(split.trials[i].person);
      lists[i] = ten(split.trials[i].person, found == history_of.end() ? nothing : *found->second);
      if (lists[i].size() > listed) lists[i].resize(listed);
    }
  });

  std::unordered_set<std::int64_t> shown;
  double bits = 0;
  std::size_t places = 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const auto& wanted = split.trials[i].wanted;
    double gain = 0;
    std::size_t found = 0;
    for (std::size_t rank = 0; rank < lists[i].size(); ++rank) {
      shown.insert(lists[i][rank]);
      // As if half a person had read it: unread books are finitely new.
      const auto share =
          (static_cast<double>(readers[lists[i][rank]]) + 0.5) / (static_cast<double>(histories.size()) + 1);
      bits -= std::log2(share);
      ++places;
      if (std::ranges::find(wanted, lists[i][rank]) == wanted.end()) continue;
      gain += 1 / std::log2(static_cast<double>(rank) + 2);
      ++found;
    }
    double ideal = 0;
    for (std::size_t rank = 0; rank < std::min(listed, wanted.size()); ++rank)
      ideal += 1 / std::log2(static_cast<double>(rank) + 2);
    metrics.hit_rate += found > 0 ? 1 : 0;
    metrics.ndcg += gain / ideal;
    metrics.recall += static_cast<double>(found) / static_cast<double>(wanted.size());
    metrics.precision += static_cast<double>(found) / static_cast<double>(listed);
  }
  const auto people = static_cast<double>(metrics.people);
  metrics.hit_rate /= people;
  metrics.ndcg /= people;
  metrics.recall /= people;
  metrics.precision /= people;
  metrics.coverage = books == 0 ? 0 : static_cast<double>(shown.size()) / static_cast<double>(books);
  metrics.novelty = places == 0 ? 0 : bits / static_cast<double>(places);
  return metrics;
}

CleanData clean(std::span<const Interaction> interactions, std::span<const std::int64_t> known_books,
                Moment now, std::size_t most_per_day) {
  CleanData result;
  auto& report = result.report;
  const std::unordered_set<std::int64_t> known(known_books.begin(), known_books.end());

  std::vector<Interaction> rows;
  rows.reserve(interactions.size());
  for (auto row : interactions) {
    if (!std::isfinite(row.strength)) {
      ++report.not_numbers;
      continue;
    }
    if (!known.contains(row.book)) {
      ++report.unknown_books;
      continue;
    }
    if (row.at > now) {
      ++report.future;
      row.at = now;
    }
    rows.push_back(row);
  }
  const auto key = [](const Interaction& row) {
    return std::tie(row.person, row.at, row.book, row.strength);
  };
  std::ranges::sort(rows, [&](const Interaction& a, const Interaction& b) { return key(a) < key(b); });
  const auto repeated =
      std::ranges::unique(rows, [&](const Interaction& a, const Interaction& b) { return key(a) == key(b); });
  report.duplicates = static_cast<std::size_t>(std::ranges::distance(repeated));
  rows.erase(repeated.begin(), repeated.end());

  std::unordered_set<std::int64_t> books;
  for (std::size_t from = 0; from < rows.size();) {
    auto to = from;
    std::size_t today = 0;
    std::size_t busiest = 0;
    auto day = std::chrono::floor<std::chrono::days>(rows[from].at);
    std::size_t opinions = 0;
    std::set<float> kinds;
    for (; to < rows.size() && rows[to].person == rows[from].person; ++to) {
      const auto this_day = std::chrono::floor<std::chrono::days>(rows[to].at);
      today = this_day == day ? today + 1 : 1;
      day = this_day;
      busiest = std::max(busiest, today);
      // Opinions are what weighs more than a loan.
      if (std::abs(rows[to].strength) > 1) {
        ++opinions;
        kinds.insert(rows[to].strength);
      }
    }
    if (busiest > most_per_day) {
      ++report.bots;
      report.bot_interactions += to - from;
    } else {
      ++report.people;
      if (opinions >= opinions_to_judge && kinds.size() == 1) ++report.constant_raters;
      for (auto i = from; i < to; ++i) {
        books.insert(rows[i].book);
        result.interactions.push_back(rows[i]);
      }
    }
    from = to;
  }
  report.interactions = result.interactions.size();
  report.books = books.size();
  const auto cells = static_cast<double>(report.people) * static_cast<double>(known.size());
  report.sparsity = cells > 0 ? std::max(0.0, 1 - static_cast<double>(report.interactions) / cells) : 1;

  const auto say = [&](std::size_t count, std::string_view what) {
    if (count > 0) report.findings.push_back(fmt::format("{} {}", count, what));
  };
  say(report.duplicates, "interactions were there twice and are counted once");
  say(report.future, "interactions are dated in the future and are taken as of now");
  say(report.unknown_books, "interactions are with books that are not in the catalogue and are left out");
  say(report.not_numbers, "interactions have no number for a strength and are left out");
  say(report.bots, "people did more on one day than anybody can and are left out");
  say(report.constant_raters, "people gave every book the same rating");
  if (report.people == 1) report.findings.emplace_back("all interactions are of one person");
  if (report.interactions == 0) report.findings.emplace_back("there is nothing to learn people's taste from");
  return result;
}

}  // namespace lumina::recs
