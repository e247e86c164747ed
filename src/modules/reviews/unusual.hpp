// When ratings of a book are so unusual that staff should look at them first. Free of HTTP, JSON and SQL.
//
// Two questions about the ratings at one pole (up to 1.5 stars, or from 4.5) within the last hours, of which
// `fresh` are by new accounts:
//   1. How likely are so many? From the book's own past: `past` such ratings in so many windows. With a
//      Gamma(1, 1) prior on the rate (one a window) the number to come is negative binomial with
//      r = past + 1 and p = (windows + 1) / (windows + 2).
//   2. How likely do so many come from new accounts? Binomial, with the share of accounts that were new just
//      as long ago as an account is new now, so that those who register for the purpose do not raise it:
//      (new then + 1) / (accounts then + 2).
// Both have to be rarer than one in `odds`. Nothing is unusual with fewer than `least` such ratings by new
// accounts, or in a library that had fewer than thirty accounts then, as it cannot know what is usual.
// Pure, thread-safe.
#pragma once
#include "modules/reviews/model.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lumina::reviews {

struct UnusualRules {
  int least = 5;  // 0: nothing is
  std::chrono::hours window{48};
  std::chrono::days new_account{14};
  double odds = 1000;
};

enum class Pole : std::uint8_t { low, high };
constexpr std::array<std::string_view, 2> pole_names{"low", "high"};
constexpr auto& enum_names(Pole) { return pole_names; }
std::optional<Pole> pole_of(double rating);

struct Ratings {
  std::int64_t recent = 0, fresh = 0;  // at the pole within the window; of these, by new accounts
  std::int64_t past = 0;               // at the pole before
  double windows = 0;                  // that the past lasted
  std::int64_t accounts = 0, new_accounts = 0;
};
struct Judgement {
  bool unusual = false;
  double expected = 0;  // ratings in a window
  double chance_number = 1, chance_accounts = 1;
};
Judgement judge(const Ratings& seen, const UnusualRules& rules);

// P(X >= k) of the number of failures before the r-th success, and of n draws.
double negative_binomial_tail(std::int64_t k, std::int64_t r, double p);
double binomial_tail(std::int64_t k, std::int64_t n, double p);

using BurstId = Id<struct BurstTag>;

// For staff: ratings that are held back together.
struct UnusualReviews {
  BurstId id;
  BookId book_id;
  std::string book_title;
  Pole pole = Pole::low;
  std::int64_t recent = 0, new_accounts = 0;
  double expected = 0, chance_number = 0, chance_accounts = 0;
  Timestamp began_at, flagged_at;
  std::vector<Review> reviews;  // that wait, the first hundred
  static constexpr std::string_view type_name = "UnusualReviews";
  static std::vector<schema::Field> fields();
};

enum class Verdict : std::uint8_t { hide, restore };
constexpr std::array<std::string_view, 2> verdict_names{"hide", "restore"};
constexpr auto& enum_names(Verdict) { return verdict_names; }
struct NewVerdict {
  Verdict decision = Verdict::hide;
  std::optional<std::string> note;  // for the audit log
  static constexpr std::string_view type_name = "UnusualReviewsDecision";
  static std::vector<schema::Field> fields();
};
struct Decided {
  std::int64_t reviews = 0;
  static constexpr std::string_view type_name = "UnusualReviewsDecided";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::reviews
