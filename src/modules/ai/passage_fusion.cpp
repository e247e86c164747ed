#include "modules/ai/passage_fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace lumina::ai {
namespace {

constexpr double steadiness = 60;
constexpr std::size_t first_of_each = 2;
// Of the best one's nearness: below that a passage means something else.
constexpr float least_nearness = 0.5F;

struct Standing {
  double score = 0;
  bool first = false;  // among the first of a ranking, and not by the order of numbers
};

// Equal scores share a rank: a ranking that cannot tell passages apart has no say.
template <class Ranking>
void add(const Ranking& ranking, std::unordered_map<std::int64_t, Standing>& standings) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    if (i == 0 || ranking[i].score < ranking[i - 1].score - 1e-6) rank = i;
    auto& standing = standings[ranking[i].id];
    standing.score += 1 / (steadiness + 1 + static_cast<double>(rank));
    const bool tells = ranking.size() <= first_of_each ||
                       ranking[first_of_each].score < ranking[first_of_each - 1].score - 1e-6;
    if (i < first_of_each && tells) standing.first = true;
  }
}

}  // namespace

std::vector<FoundChunk> fused(const std::vector<FoundChunk>& by_words, std::vector<vector::Hit> by_meaning,
                              std::size_t most) {
  if (!by_meaning.empty())
    std::erase_if(by_meaning, [least = by_meaning.front().score * least_nearness](const vector::Hit& hit) {
      return hit.score < least || hit.score <= 0;
    });
  std::unordered_map<std::int64_t, Standing> standings;
  add(by_words, standings);
  add(by_meaning, standings);
  std::vector<FoundChunk> all;
  for (const auto& [id, standing] : standings) all.push_back({id, standing.score});
  std::ranges::sort(all, [&](const FoundChunk& a, const FoundChunk& b) {
    const bool first_a = standings.at(a.id).first, first_b = standings.at(b.id).first;
    if (first_a != first_b) return first_a;
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace lumina::ai
