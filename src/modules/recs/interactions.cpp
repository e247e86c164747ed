#include "modules/recs/interactions.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lumina::recs {
namespace {

bool older(const History::Entry& a, const History::Entry& b) {
  return a.at != b.at ? a.at < b.at : a.book < b.book;
}

// Folds a later signal of the same book into an entry.
void join(History::Entry& into, const History::Entry& other) {
  const bool later = other.at >= into.at;
  const auto mine = std::abs(into.strength);
  const auto theirs = std::abs(other.strength);
  if (theirs > mine || (theirs == mine && later)) into.strength = other.strength;
  into.at = std::max(into.at, other.at);
}

}  // namespace

float strength_of(Signal signal, std::optional<int> stars) {
  switch (signal) {
    case Signal::borrow:
      return 1.0F;
    case Signal::hold:
      return 0.7F;
    case Signal::list:
      return 0.6F;
    case Signal::progress:
      return 0.8F;
    case Signal::click:
      return 0.2F;
    case Signal::like:
      return 1.4F;
    case Signal::dislike:
      return -1.6F;
    case Signal::dismiss:
      return -0.5F;
    case Signal::review:
      break;
  }
  switch (stars.value_or(0)) {
    case 1:
      return -1.5F;
    case 2:
      return -1.1F;
    case 3:
      return 1.05F;
    case 4:
      return 1.3F;
    case 5:
      return 1.5F;
    default:
      return 1.0F;
  }
}

History::History(std::vector<Entry> entries, std::size_t keep) : entries_(std::move(entries)) {
  std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
    return std::tie(a.book, a.at, a.strength) < std::tie(b.book, b.at, b.strength);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (kept > 0 && entries_[kept - 1].book == entries_[i].book)
      join(entries_[kept - 1], entries_[i]);
    else
      entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
  std::ranges::sort(entries_, older);
  if (entries_.size() > keep)
    entries_.erase(entries_.begin(), entries_.end() - static_cast<std::ptrdiff_t>(keep));
}

void History::add(const Entry& entry) {
  Entry joined = entry;
  if (const auto at = std::ranges::find(entries_, entry.book, &Entry::book); at != entries_.end()) {
    joined = *at;
    join(joined, entry);
    entries_.erase(at);
  }
  entries_.insert(std::ranges::upper_bound(entries_, joined, older), joined);
  if (entries_.size() > most) entries_.erase(entries_.begin());
}

bool History::contains(std::int64_t book) const {
  return std::ranges::find(entries_, book, &Entry::book) != entries_.end();
}

std::vector<float> History::weights(float half_life) const {
  std::vector<float> weights(entries_.size());
  float newer = 0;
  for (std::size_t i = entries_.size(); i-- > 0;) {
    const auto strength = entries_[i].strength;
    weights[i] = half_life > 0 ? strength * std::exp2(-newer / half_life) : strength;
    if (strength > 0) ++newer;
  }
  return weights;
}

std::vector<PersonHistory> histories_of(std::span<const Interaction> interactions, std::size_t keep) {
  std::vector<Interaction> sorted;
  sorted.reserve(interactions.size());
  for (const auto& interaction : interactions)
    if (interaction.strength != 0) sorted.push_back(interaction);
  std::ranges::sort(sorted, {}, &Interaction::person);
  std::vector<PersonHistory> histories;
  for (std::size_t from = 0; from < sorted.size();) {
    std::vector<History::Entry> entries;
    const auto person = sorted[from].person;
    for (; from < sorted.size() && sorted[from].person == person; ++from)
      entries.push_back({sorted[from].book, sorted[from].strength, sorted[from].at});
    histories.push_back({person, History(std::move(entries), keep)});
  }
  return histories;
}

}  // namespace lumina::recs
