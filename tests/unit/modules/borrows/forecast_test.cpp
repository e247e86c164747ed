#include "modules/borrows/forecast.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <random>

namespace lumina::borrows {
namespace {

LoanPattern usual(double days, double variance = 0.1, std::int64_t count = 1000) {
  return {count, std::log(days), variance};
}

TEST_CASE("the inverse of the normal distribution is right to nine digits") {
  struct Row {
    double p, x;
  };
  for (const auto& [p, x] : std::vector<Row>{{0.5, 0},
                                             {0.9, 1.2815515655446004},
                                             {0.1, -1.2815515655446004},
                                             {0.975, 1.959963984540054},
                                             {0.001, -3.090232306167813},
                                             {1e-9, -5.997807015007686}}) {
    CHECK(normal_quantile(p) == Approx(x).margin(1e-9));
    CHECK(normal_share_below(x) == Approx(p).epsilon(1e-6));
  }
  for (int i = 1; i < 1000; ++i) {
    const double p = i / 1000.0;
    CHECK(normal_share_below(normal_quantile(p)) == Approx(p).epsilon(1e-9));
  }
}

TEST_CASE("a title with few loans is believed like the library, one with many like itself") {
  const auto library = usual(20);
  CHECK(std::exp(shrunk({}, library, 14).mean) == Approx(20).epsilon(0.01));
  const double few = std::exp(shrunk(usual(5, 0.1, 1), library, 14).mean);
  const double many = std::exp(shrunk(usual(5, 0.1, 200), library, 14).mean);
  CHECK(few > 15);
  CHECK(few < 20);
  CHECK(many < 6);
  CHECK(std::exp(shrunk({}, {}, 14).mean) == Approx(14));
  CHECK(shrunk(usual(5, 0, 100), usual(5, 0, 100), 5).variance > 0);
}

TEST_CASE("the pattern of loans is that of their logarithms; nothing lasts no time") {
  const auto p = pattern_of({10, 10, 10});
  CHECK(p.count == 3);
  CHECK(std::exp(p.mean) == Approx(10));
  CHECK(p.variance == Approx(0).margin(1e-12));
  CHECK(std::isfinite(pattern_of({0, -3}).mean));
  CHECK(pattern_of({}).count == 0);
}

TEST_CASE("a forecast grows with the line, shrinks with copies and with the time that a loan has lasted") {
  const auto p = usual(14);
  const auto expected = [&](const TitleState& state, int ahead) {
    return forecast_days(p, state, ahead)->expected;
  };
  const TitleState one{.out_for = {2}}, two{.out_for = {2, 2}}, late{.out_for = {12}};
  CHECK(expected(one, 0) == Approx(12).margin(2));
  for (int ahead = 0; ahead < 5; ++ahead) {
    CHECK(expected(one, ahead + 1) > expected(one, ahead) + 10);
    CHECK(expected(two, ahead) < expected(one, ahead));
  }
  CHECK(expected(late, 0) < expected(one, 0));
  CHECK(expected({.free = 1}, 0) == 0);
  CHECK(expected({.kept = 1}, 0) > 10);  // fetched within the week, then lent
  const auto range = *forecast_days(p, one, 3);
  CHECK(range.earliest < range.expected);
  CHECK(range.expected < range.latest);
  CHECK(!forecast_days(p, {}, 0));
  CHECK(!forecast(p, {}, 0, Timestamp{0}));
}

TEST_CASE("the same state gives the same forecast; strange states give some") {
  const auto p = usual(14);
  const TitleState state{.out_for = {1, 5, 9}, .kept = 1};
  CHECK(forecast_days(p, state, 4)->expected == forecast_days(p, state, 4)->expected);
  CHECK(forecast(p, state, 4, Timestamp{1000})->latest == forecast(p, state, 4, Timestamp{1000})->latest);
  for (const double past : {-5.0, 0.0, 1e6, 1e12}) {
    const auto days = forecast_days(p, {.out_for = {past}}, 2);
    REQUIRE(days);
    CHECK(std::isfinite(days->latest));
    CHECK(days->earliest >= 0);
    CHECK(forecast(p, {.out_for = {past}}, 2, Timestamp{0})->latest.ms > 0);
  }
}

TEST_CASE("four forecasts out of five hold, for titles that behave as they did") {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  int held = 0;
  constexpr int titles = 400;
  for (int i = 0; i < titles; ++i) {
    const double mean = std::log(14.0) + 0.3 * normal(random), deviation = 0.4;
    const auto loan = [&] { return std::exp(mean + deviation * normal(random)); };
    std::vector<double> past;
    for (int n = 0; n < 20; ++n) past.push_back(loan());
    const LoanPattern library{5000, std::log(14.0), 0.25};
    TitleState state;
    std::priority_queue<double, std::vector<double>, std::greater<>> truth;
    for (int copy = 0; copy < 3; ++copy) {
      const double whole = loan(), gone = whole * uniform(random);
      state.out_for.push_back(gone);
      truth.push(whole - gone);
    }
    const int ahead = static_cast<int>(random() % 6);
    const auto range = *forecast_days(shrunk(pattern_of(past), library, 14), state, ahead);
    for (int k = 0; k < ahead; ++k) {
      const double start = truth.top();
      truth.pop();
      truth.push(start + uniform(random) * state.pickup_days + loan());
    }
    held += truth.top() >= range.earliest && truth.top() <= range.latest;
  }
  INFO(held << " of " << titles);
  CHECK(held > titles * 70 / 100);
  CHECK(held < titles * 92 / 100);
}

TEST_CASE("so many copies are bought that the wait falls below the limit, and no more") {
  const auto p = usual(14);
  const TitleState one{.out_for = {1}};
  CHECK(copies_to_buy(p, one, 0, 56, 20) == 0);
  const int bought = copies_to_buy(p, one, 11, 56, 20);
  CHECK(bought > 0);
  auto more = one;
  more.free = bought;
  CHECK(forecast_days(p, more, 11)->expected <= 56);
  --more.free;
  CHECK(forecast_days(p, more, 11)->expected > 56);
  CHECK(copies_to_buy(p, {}, 0, 56, 20) == 1);
  CHECK(copies_to_buy(p, one, 500, 7, 20) == 20);
}

}  // namespace
}  // namespace lumina::borrows
