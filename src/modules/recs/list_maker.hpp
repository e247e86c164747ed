// From a person, the books and a model to a list: what may stand in it, in what order, and why, in words.
//
// Pure functions of what they are given; they compute for a millisecond or more and belong on a pool.
#pragma once
#include "modules/recs/live.hpp"
#include "modules/recs/model.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

namespace lumina::recs {

// Which collaborative parts count; empty: all that were trained.
using PartNames = std::vector<std::string>;

struct Wanted {
  std::size_t limit = 10;
  Method method = Method::hybrid;
  double diversity = 0;
  bool exclude_read = true;
  std::vector<double> weights;  // of collaborative, content, popularity; empty: the learned ones
  Filters filters;
  std::unordered_set<std::int64_t> barred;  // for other reasons
  bool plain() const;                       // nothing but a limit is asked for
};

// Whether the book may be shown by these filters. Availability in a branch is for the database to say.
class Sieve {
 public:
  explicit Sieve(const Filters& filters);
  bool lets_through(const ShelfBook& book) const;

 private:
  std::string genre_key_, language_;
  std::optional<std::int64_t> branch_;
  bool available_ = false;
  std::unordered_set<std::int64_t> excluded_;
  bool open_ = false;  // asks for nothing
};

std::vector<Ranked> make_list(const Engine& engine, const ShelfSnapshot& shelf, const Person& person,
                              const Wanted& wanted, const PartNames& parts);

// Books near to one, without itself: by vectors, author and series, then of the same genre, then popular
// ones. `meant` is what an embedding model finds near, if there is one: half of a score is its nearness then.
std::vector<vector::Hit> make_similar(const Engine& engine, const ShelfSnapshot& shelf, std::int64_t book,
                                      std::size_t limit, const Filters& filters,
                                      const std::vector<vector::Hit>& meant = {});

struct Popular {
  std::int64_t book = 0, readers = 0;
  double score = 0;
};
// By people who borrowed it since `from`, or, `half_life_days` given, by what counts less the older it is.
std::vector<Popular> make_popular(const ShelfSnapshot& shelf, Timestamp from, Timestamp now,
                                  std::optional<double> half_life_days, std::size_t limit,
                                  const Filters& filters);

// Fills score, reason, source and similar_to of a book that stands in a list.
void explain(Recommended& book, const Ranked& ranked, const Person& person, const ShelfSnapshot& shelf);

}  // namespace lumina::recs
