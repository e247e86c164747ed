// Evaluates a plan on a snapshot: which documents match, with what score, in what order, and how many by
// facet value.
//
// Score: BM25F. For each word asked for, the times it stands in each field, divided by how long that field is
// (b) and multiplied by the field's weight, are added up to w; the word is worth idf * w * (k1 + 1) / (k1 +
// w) with idf = ln(1 + (N - n + 0.5) / (n + 0.5)), n counting the documents that have it in any of its forms.
// Sums over words, times 1 to 1 + popularity_share for what is popular. Exact: every matching document is
// scored, so totals and facet counts are those of all of them. A sentence has two tiers: documents with all
// its words, then documents with some. When the first tier has any, the second keeps only documents that have
// words worth `partial_share` of the whole.
//
// Works on whatever thread calls it, for 1 to 5 ms with 100,000 documents. Sources: Robertson and Zaragoza,
// "The probabilistic relevance framework: BM25 and beyond", FnTIR 3 (4), 2009.
#pragma once
#include "core/search/plan.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lumina::search {

struct Ranking {
  double k1 = 1.2;
  std::array<double, most_fields> weight{1, 1, 1, 1, 1, 1, 1, 1};
  std::array<double, most_fields> b{.75, .75, .75, .75, .75, .75, .75, .75};
  double partial_share = 0.5;
  double pair_weight = 0;  // of words that stand side by side as in the sentence
  int popularity = -1;     // a live number; -1: none
  double popularity_share = 0;
};

// A condition beside the query. Those on a facet do not narrow the counts of that facet.
struct Filter {
  Condition condition;
  int facet = -1;  // whose counts it leaves alone; -1: none
};

struct Order {
  enum class By : std::uint8_t { relevance, number, live, title, facet };
  By by = By::relevance;
  std::size_t index = 0;
  bool descending = false;
};

struct Found {
  std::uint32_t part = 0;
  DocNumber doc = 0;
  std::int64_t id = 0;
  std::uint8_t tier = 0;  // 0: pinned, 1: everything asked for, 2: a part of it
  double score = 0;
  std::string key;  // order by title or facet: folded
  std::int64_t number = no_number;
};

struct Count {
  std::string value;
  std::int64_t documents = 0;
};

// A part of the score of one document.
struct Part {
  std::string word;
  std::uint32_t fields = 0;  // bits of where it stands
  double idf = 0, weight = 0, score = 0;
};

// Whether `a` comes first in that order. Equal only for the same document.
bool stands_before(const Found& a, const Found& b, const Order& order);

class Matches {
 public:
  Matches(SnapshotPtr snapshot, Plan plan, const Ranking& ranking, std::span<const Filter> filters);

  std::int64_t total() const { return total_; }
  // All of them in order. Documents without the number come last either way.
  std::vector<Found> ordered(const Order& order) const;
  // The first `most` of them; of those that stand behind `after`, when it is given.
  std::vector<Found> first(const Order& order, std::size_t most, const Found* after = nullptr) const;
  // How many have what that leaf of the plan asks for and pass all filters, whatever else the query wants.
  std::int64_t having(std::size_t leaf) const;
  // How many pass the query, the condition, and all filters but those on that facet.
  std::int64_t count_with(const Condition& condition, int facet) const;
  // Values of a facet among the documents that pass all but that facet's own filters; most frequent first,
  // then by value. `without` counts those that have no value.
  struct Counts {
    std::vector<Count> values;
    std::int64_t without = 0, other = 0;
  };
  Counts counts(std::size_t facet, std::size_t most) const;
  std::vector<Part> explain(const Found& found) const;
  double popularity_factor(const Found& found) const;

  const Snapshot& snapshot() const { return *snapshot_; }
  const Plan& plan() const { return plan_; }

 private:
  struct Hit {
    DocNumber doc;
    float weight;
    std::uint32_t fields;
  };
  class Tally;
  struct PartState {
    std::vector<std::vector<Hit>> hits;  // by leaf
    Bits query, result;
    std::vector<Bits> filters;
    std::vector<float> score;
    std::vector<std::uint8_t> tier;
  };

  void find_hits();
  void hits_in(std::size_t part, const Leaf& leaf, std::vector<Hit>& out) const;
  Bits evaluate(std::size_t part, const Expression& e);
  Bits sentence(std::size_t part, const Expression& e);
  void settle_tiers();
  void pin();
  void add_scores(std::size_t part);
  void add_pairs();
  Bits holds(std::size_t part, const Condition& condition) const;
  double worth(double idf, double weight) const;
  void append_by_text(std::size_t part, const Order& order, std::size_t most, const Found* after,
                      std::vector<Found>& out) const;
  Found found(std::size_t part, DocNumber doc, const Order& order) const;

  SnapshotPtr snapshot_;
  Plan plan_;
  const Ranking ranking_;
  std::vector<int> filter_facets_;
  std::vector<PartState> parts_;
  std::vector<double> idf_;  // by leaf
  std::array<double, most_fields> usual_length_{};
  bool has_full_ = false;
  std::int64_t total_ = 0;
};

// Whether a token of a document would be found by that leaf, for highlighting: single words only.
bool is_meant(const Alternative& alternative, std::string_view folded_word, Language language);

}  // namespace lumina::search
