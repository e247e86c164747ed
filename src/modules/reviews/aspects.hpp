// What reviews say of the plot, the style, the pace and the characters of a book, with the words that say it.
// No model: terms and rules.
//
// A sentence speaks of an aspect when one of its terms stands in it ("prose", "page turner", "heroine"). A
// sentence about several, or with a turn in it, is read in its clauses: "The plot is gripping but the
// characters are flat" praises one and blames the other, while "great plot and characters" is one judgement
// of both. What is felt is the valence of these words by the built-in analyser (valence.hpp); 0 is a remark
// without a judgement ("The plot follows two sisters"). A quote is a piece of the text as it stands, so it
// can be found in the review byte for byte.
//
// English. The first 20,000 bytes of a text are read, 57 us for a review of 950. Pure functions are
// thread-safe, and so is AspectMemory.
#pragma once
#include "core/base/ids.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lumina::reviews {

enum class Aspect : std::uint8_t { plot, style, pace, characters };
constexpr std::array<std::string_view, 4> aspect_names{"plot", "style", "pace", "characters"};
constexpr auto& enum_names(Aspect) { return aspect_names; }

// One place in a text that speaks of an aspect: the bytes from begin to end.
struct Remark {
  Aspect aspect = Aspect::plot;
  std::uint32_t begin = 0, end = 0;
  double sentiment = 0;  // -1..1
};
using Remarks = std::vector<Remark>;

// In the order of the text.
Remarks remarks(std::string_view text);

// What reviews were found to say, so that each is read once. Holds some 40,000 reviews, 100 bytes each, and
// forgets those that nobody asked for lately.
class AspectMemory {
 public:
  // Of a text that never changes while its version stays.
  std::shared_ptr<const Remarks> of(ReviewId id, std::int64_t version, std::string_view text);

 private:
  struct Known {
    std::int64_t version = 0;
    std::shared_ptr<const Remarks> remarks;
  };
  std::mutex mutex_;
  std::unordered_map<ReviewId, Known> newer_, older_;
};

struct SpokenReview {
  ReviewId id;
  std::string_view text;
  std::shared_ptr<const Remarks> remarks;
};
struct Quote {
  ReviewId review;
  std::string_view text;  // points into the review
  double sentiment = 0;
};
struct AspectFinding {
  Aspect aspect = Aspect::plot;
  int reviews = 0;                  // that speak of it
  std::optional<double> sentiment;  // mean over the reviews that judge it, two decimals
  std::vector<Quote> quotes;
};

// One for each aspect, in their order. At most `most_quotes` quotes of at most 300 bytes, each of another
// review: the plainest that feel as most do, then one that feels the opposite, when there is one. Earlier
// reviews go first where quotes are equally plain.
std::vector<AspectFinding> aspects(std::span<const SpokenReview> reviews, std::size_t most_quotes = 3);

}  // namespace lumina::reviews
