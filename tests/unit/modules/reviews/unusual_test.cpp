#include "modules/reviews/unusual.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace lumina::reviews;

namespace {

// By adding up every term, in another way than the code.
double by_hand_negative_binomial(int k, int r, double p) {
  double below = 0;
  for (int i = 0; i < k; ++i)
    below += std::exp(std::lgamma(r + i) - std::lgamma(r) - std::lgamma(i + 1) + r * std::log(p) +
                      i * std::log(1 - p));
  return 1 - below;
}
double by_hand_binomial(int k, int n, double p) {
  double sum = 0;
  for (int i = k; i <= n; ++i)
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) + i * std::log(p) +
                    (n - i) * std::log(1 - p));
  return sum;
}

Ratings quiet_book() {
  return {.recent = 8, .fresh = 8, .past = 2, .windows = 100, .accounts = 500, .new_accounts = 10};
}

}  // namespace

TEST_CASE("tails are what adding up gives", "[E23]") {
  CHECK(negative_binomial_tail(0, 3, 0.5) == 1);
  CHECK(negative_binomial_tail(4, 1, 0.5) == Approx(0.0625));  // geometric
  for (const int k : {2, 5, 9, 20})
    for (const int r : {1, 4, 30})
      for (const double p : {0.9, 0.97, 0.99})
        if (k > r * (1 - p) / p) {
          INFO(k << ' ' << r << ' ' << p);
          CHECK(negative_binomial_tail(k, r, p) ==
                Approx(by_hand_negative_binomial(k, r, p)).epsilon(1e-6).margin(1e-12));
        }
  for (const int n : {5, 12, 40})
    for (const double p : {0.01, 0.1, 0.4})
      for (int k = 1; k <= n; ++k)
        if (k > n * p) CHECK(binomial_tail(k, n, p) == Approx(by_hand_binomial(k, n, p)).epsilon(1e-9));
  CHECK(binomial_tail(6, 5, 0.5) == 0);
  CHECK(std::isfinite(negative_binomial_tail(50, 100'000, 0.9999)));
  CHECK(negative_binomial_tail(5000, 3, 0.01) >= 0);
}

TEST_CASE("many new accounts at once are unusual for a quiet book", "[E23]") {
  const UnusualRules rules;
  const auto found = judge(quiet_book(), rules);
  CHECK(found.unusual);
  CHECK(found.expected == Approx(3 / 101.0));
  CHECK(found.chance_number < 1e-3);
  CHECK(found.chance_accounts < 1e-3);
}

TEST_CASE("what can be explained is not unusual", "[E23]") {
  const UnusualRules rules;
  auto few = quiet_book();
  few.recent = few.fresh = 4;
  CHECK_FALSE(judge(few, rules).unusual);
  auto loved = quiet_book();  // eight a window are what this book gets
  loved.past = 800;
  CHECK_FALSE(judge(loved, rules).unusual);
  auto crowd = quiet_book();  // a prize: everybody comes, new people among them
  crowd.recent = 200;
  crowd.fresh = 8;
  CHECK_FALSE(judge(crowd, rules).unusual);
  auto term = quiet_book();  // half of the accounts are always new
  term.new_accounts = 300;
  CHECK_FALSE(judge(term, rules).unusual);
  auto opening = quiet_book();  // a library that has just opened
  opening.accounts = 12;
  CHECK_FALSE(judge(opening, rules).unusual);
  CHECK_FALSE(judge(quiet_book(), {.least = 0}).unusual);
}

TEST_CASE("only the ends of the scale are looked at", "[E23]") {
  CHECK(pole_of(1.0) == Pole::low);
  CHECK(pole_of(1.5) == Pole::low);
  CHECK_FALSE(pole_of(2.0));
  CHECK_FALSE(pole_of(4.0));
  CHECK(pole_of(4.5) == Pole::high);
  CHECK(pole_of(5.0) == Pole::high);
}
