// The books worth ranking for a history, and what every part says of each, in units of that part's spread
// over the whole catalogue: what blend.hpp weighs and learns from.
//
// Candidates are all that any part of a weight above 0 speaks for, the nearest by content, and the most
// popular; with fewer than were asked for, everything that is welcome. The spread is exact where a part is
// sparse and taken from 512 fixed books where it is not.
#pragma once
#include "modules/recs/blend.hpp"

namespace lumina::recs {

struct CandidateRequest {
  Weights weights{};
  std::function<bool(const Item&)> welcome;
  std::size_t popular = 200;                   // the most popular that are always among them
  std::vector<std::uint64_t> genres, authors;  // whose most popular are, too
};

struct Candidates {
  std::vector<std::uint32_t> slots;
  std::vector<std::array<float, part_count>> values;  // by candidate; divided by the spread
  Weights spread{};                                   // 0: the part says nothing
  float half_life = 0;                                // of the history, as used
};

Candidates candidates_for(const CollaborativeModel* model, const Catalogue& catalogue,
                          const Catalogue::Table& table, const History& history,
                          const CandidateRequest& request);

std::uint64_t author_key(std::string_view author);
// What one book that was read says for another: 0 for nothing.
float author_match(const Item& read, const Item& other);
float series_match(const Item& read, const Item& other);
float genre_match(const Item& read, const Item& other);

}  // namespace lumina::recs
