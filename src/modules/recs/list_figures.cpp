#include "modules/recs/list_figures.hpp"

#include "modules/recs/repository.hpp"

#include <algorithm>

namespace lumina::recs {
namespace {

void add(VariantFigures& to, const VariantFigures& from) {
  to.lists += from.lists;
  to.served += from.served;
  to.shown += from.shown;
  to.clicks += from.clicks;
}

}  // namespace

ListFigures::ListFigures(db::Database& database, const Clock& clock, metrics::Registry& registry)
    : database_(database),
      clock_(clock),
      duration_(registry.histogram("luminalib_recommendation_duration_seconds",
                                   "Time the making of a list took.", metrics::latency_buckets())) {
  for (const std::string algorithm :
       {"hybrid", "collaborative", "content", "popular", "similar", "session", "trending"})
    served_.emplace(
        algorithm, &registry.counter("luminalib_recommendations_served_total",
                                     "Books recommended, by what the list was made.", {{"algo", algorithm}}));
  for (const auto action : action_names)
    feedback_.emplace(std::string(action), &registry.counter("luminalib_recommendation_feedback_total",
                                                             "What people did with recommended books.",
                                                             {{"action", std::string(action)}}));
}

std::string ListFigures::today() const { return to_rfc3339(clock_.now()).substr(0, 10); }

VariantFigures& ListFigures::entry(std::string_view variant) {
  auto& figures = waiting_[{today(), std::string(variant)}];
  figures.variant = variant;
  return figures;
}

void ListFigures::served(std::string_view algorithm, std::size_t books) {
  if (const auto it = served_.find(algorithm); it != served_.end()) it->second->add(books);
}

void ListFigures::listed(std::string_view variant, std::size_t books) {
  std::lock_guard lock(mutex_);
  auto& figures = entry(variant);
  ++figures.lists;
  figures.served += static_cast<std::int64_t>(books);
}

void ListFigures::told(std::string_view variant, Action action) {
  feedback_.find(action_names[static_cast<std::size_t>(action)])->second->add();
  std::lock_guard lock(mutex_);
  if (action == Action::shown) ++entry(variant).shown;
  if (action == Action::click || action == Action::opened) ++entry(variant).clicks;
}

Result<std::int64_t> ListFigures::flush() {
  std::map<std::pair<std::string, std::string>, VariantFigures> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(waiting_);
  }
  if (taken.empty()) return 0;
  auto work = [&taken](db::Transaction& tx) -> Status {
    RecommendationRepository all(tx);
    for (const auto& [key, figures] : taken) all.add_figures(key.first, figures);
    return {};
  };
  if (auto written = database_.write_now(std::move(work)); !written) {
    std::lock_guard lock(mutex_);
    for (const auto& [key, figures] : taken) {
      auto& again = waiting_[key];
      again.variant = figures.variant;
      add(again, figures);
    }
    return Failure(std::move(written.error()));
  }
  return static_cast<std::int64_t>(taken.size());
}

std::vector<VariantFigures> ListFigures::since(db::Transaction& tx, Timestamp from) const {
  const auto day = to_rfc3339(from).substr(0, 10);
  auto all = RecommendationRepository(tx).figures_since(day);
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, figures] : waiting_) {
      if (key.first < day) continue;
      const auto it = std::ranges::find(all, key.second, &VariantFigures::variant);
      if (it != all.end())
        add(*it, figures);
      else
        all.push_back(figures);
    }
  }
  for (auto& figures : all) {
    const auto base = figures.shown > 0 ? figures.shown : figures.served;
    if (base > 0) figures.click_rate = static_cast<double>(figures.clicks) / static_cast<double>(base);
  }
  return all;
}

}  // namespace lumina::recs
