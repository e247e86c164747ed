#include "modules/reviews/unusual.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::reviews {
namespace {

using schema::Field;

constexpr std::int64_t accounts_to_know = 30;
constexpr double negligible = 1e-16;

// Sum from k on of a distribution whose terms follow from each other, until they no longer count. `first` is
// the logarithm of the term at k; `factor(i)` leads from the term at i to the next.
template <class Factor>
double tail_from(std::int64_t k, std::int64_t last, double first, Factor factor) {
  double term = std::exp(first), sum = 0;
  for (std::int64_t i = k; i <= last; ++i) {
    sum += term;
    const double next = term * factor(i);
    if (next < term && next < sum * negligible) break;
    term = next;
  }
  return std::clamp(sum, 0.0, 1.0);
}

}  // namespace

std::optional<Pole> pole_of(double rating) {
  if (rating <= 1.5) return Pole::low;
  if (rating >= 4.5) return Pole::high;
  return {};
}

double negative_binomial_tail(std::int64_t k, std::int64_t r, double p) {
  if (k <= 0) return 1;
  if (p >= 1) return 0;
  const auto rate = [r, p](std::int64_t i) {
    return static_cast<double>(r + i) / static_cast<double>(i + 1) * (1 - p);
  };
  double first = static_cast<double>(r) * std::log(p);
  for (std::int64_t i = 0; i < k; ++i) first += std::log(rate(i));
  // Below its mode a tail is nearly everything, and all of it would have to be added up.
  if (static_cast<double>(k) <= static_cast<double>(r) * (1 - p) / p) return 1;
  return tail_from(k, k + 1'000'000, first, rate);
}

double binomial_tail(std::int64_t k, std::int64_t n, double p) {
  if (k <= 0) return 1;
  if (k > n || p <= 0) return 0;
  if (p >= 1 || static_cast<double>(k) <= static_cast<double>(n) * p) return 1;
  const auto rate = [n, p](std::int64_t i) {
    return static_cast<double>(n - i) / static_cast<double>(i + 1) * p / (1 - p);
  };
  double first = static_cast<double>(n) * std::log1p(-p);
  for (std::int64_t i = 0; i < k; ++i) first += std::log(rate(i));
  return tail_from(k, n, first, rate);
}

Judgement judge(const Ratings& seen, const UnusualRules& rules) {
  Judgement out;
  if (rules.least <= 0 || seen.fresh < rules.least || seen.accounts < accounts_to_know) return out;
  const double windows = std::max(0.0, seen.windows);
  out.expected = static_cast<double>(seen.past + 1) / (windows + 1);
  out.chance_number = negative_binomial_tail(seen.recent, seen.past + 1, (windows + 1) / (windows + 2));
  const double share = static_cast<double>(seen.new_accounts + 1) / static_cast<double>(seen.accounts + 2);
  out.chance_accounts = binomial_tail(seen.fresh, seen.recent, share);
  out.unusual = out.chance_number * rules.odds <= 1 && out.chance_accounts * rules.odds <= 1;
  return out;
}

std::vector<Field> UnusualReviews::fields() {
  return {
      {"id", &UnusualReviews::id, "Identifier, for the decision"},
      {"book_id", &UnusualReviews::book_id, "Of which book"},
      {"book_title", &UnusualReviews::book_title, "Its title"},
      {"pole", &UnusualReviews::pole, "low: up to 1.5 stars; high: from 4.5"},
      {"recent", &UnusualReviews::recent, "Such ratings within the window that the settings say"},
      {"new_accounts", &UnusualReviews::new_accounts, "Of these, by new accounts"},
      {"expected", &UnusualReviews::expected, "Such ratings to expect from the book's own past"},
      {"chance_number", &UnusualReviews::chance_number, "How likely so many are"},
      {"chance_accounts", &UnusualReviews::chance_accounts, "How likely so many of them are by new accounts"},
      {"began_at", &UnusualReviews::began_at, "When the first of them came"},
      {"flagged_at", &UnusualReviews::flagged_at, "When they were last added to"},
      {"reviews", &UnusualReviews::reviews, "Those that wait, at most a hundred"}};
}
std::vector<Field> NewVerdict::fields() {
  return {{"decision", &NewVerdict::decision, "hide all that wait, or restore them"},
          {"note", &NewVerdict::note, "Why, for the audit log", {schema::length(0, 1000)}}};
}
std::vector<Field> Decided::fields() {
  return {{"reviews", &Decided::reviews, "Reviews that were decided about"}};
}

}  // namespace lumina::reviews
