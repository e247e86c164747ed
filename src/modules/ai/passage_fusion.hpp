// Two rankings of passages made one, by their ranks alone: scores of words and of vectors have no common
// measure.
//
// Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
// learning methods", SIGIR 2009.
#pragma once
#include "core/vector/index.hpp"
#include "modules/ai/passage_index.hpp"

#include <cstddef>
#include <vector>

namespace lumina::ai {

constexpr std::size_t fusion_depth = 50;  // of each ranking

// Best first. A score is the sum of 1/(60 + rank) over both rankings, equal ones sharing a rank; the first
// two of each ranking come before all others, so that neither can hide what the other is sure of. Passages
// less than half as near as the nearest one do not count as meant. Equal scores by number.
std::vector<FoundChunk> fused(const std::vector<FoundChunk>& by_words, std::vector<vector::Hit> by_meaning,
                              std::size_t most);

}  // namespace lumina::ai
