// Cuts the text of pages into passages to search and to quote: whole sentences, about `aim` code points, the
// last sentence of one repeated at the beginning of the next.
//
// A passage stands on one page and is a verbatim piece of its text, so what is quoted from it can be checked
// there. Sentences longer than `most` are cut between words. Time grows with the length. Thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

struct ChunkRules {
  std::size_t aim = 700, most = 1100;  // code points
  std::size_t overlap = 180;           // at most so much is repeated
};

struct Chunk {
  std::int64_t page = 1;                  // from 1
  std::int64_t begin_at = 0, end_at = 0;  // code points in the text of the page
  std::string_view text;                  // into that text
};

std::vector<Chunk> chunks_of(const std::vector<std::string>& pages, const ChunkRules& rules = {});

}  // namespace lumina::ai
