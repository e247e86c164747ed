// Words of the index that are spelled nearly like a given one.
//
// Distance counts letters put in, left out, replaced, or swapped with their neighbour (optimal string
// alignment, a restricted Damerau-Levenshtein distance). The sorted dictionary is walked once: terms share
// the rows of the table for the letters they share with the one before, and a whole branch is passed over by
// binary search as soon as no way through it stays within the bound, which is what a Levenshtein automaton
// over a trie does. Terms with digits are never near anything. Thread-safe.
//
// Sources: Damerau, "A technique for computer detection and correction of spelling errors", CACM 7 (3), 1964;
// Schulz and Mihov, "Fast string correction with Levenshtein automata", IJDAR 5, 2002.
#pragma once
#include "core/search/index.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::search {

struct Near {
  std::string term;
  int distance = 0;
  std::uint64_t documents = 0;
};

// How many slips are forgiven in a word of so many letters: none below 5, one below 9, two from 9.
int slips_forgiven(std::string_view folded_word);

// Those at the least distance within `most` that any term has, most frequent first; at most `count`.
std::vector<Near> nearest_terms(const Snapshot& snapshot, std::string_view folded_word, int most,
                                std::size_t count);

// The distance itself, for two words; `most` + 1 when it is more.
int distance(std::string_view a, std::string_view b, int most);

}  // namespace lumina::search
