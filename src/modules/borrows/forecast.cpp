#include "modules/borrows/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <queue>
#include <random>

namespace lumina::borrows {
namespace {

constexpr int games = 400;
constexpr double title_weight = 8;  // so many loans of its own count as much as the library's habit
constexpr double shortest_days = 1.0 / 24;
constexpr double usual_variance = 0.35;  // where nothing is known: from half to twice the period, mostly
constexpr double ms_a_day = 86'400'000;

double ratio(double r, const double (&above)[8], const double (&below)[8]) {
  double a = above[7], b = below[7];
  for (int i = 6; i >= 0; --i) {
    a = a * r + above[i];
    b = b * r + below[i];
  }
  return a / b;
}

// A uniform number in (0, 1) that is the same on every platform, unlike std::uniform_real_distribution.
double uniform(std::mt19937_64& random) {
  return (static_cast<double>(random() >> 11U) + 0.5) / 9007199254740992.0;
}

// The duration of a loan of which `past` days are over already: what remains.
double rest_of_loan(const LoanPattern& p, double past, std::mt19937_64& random) {
  const double deviation = std::sqrt(p.variance);
  const double gone =
      past > 0 ? normal_share_below((std::log(std::max(past, shortest_days)) - p.mean) / deviation) : 0;
  // A loan longer than any that is believed in: it may come back at any time within a tenth of what it took.
  if (gone > 0.9999) return past * 0.1 * uniform(random);
  const double share = gone + (1 - gone) * uniform(random);
  const double whole = std::exp(p.mean + deviation * normal_quantile(std::clamp(share, 1e-12, 1 - 1e-12)));
  return std::max(whole - past, 0.0);
}

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

}  // namespace

double normal_share_below(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double p) {
  static constexpr double a[8] = {
      3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double b[8] = {1.0,
                                  4.2313330701600911252e+1,
                                  6.8718700749205790830e+2,
                                  5.3941960214247511077e+3,
                                  2.1213794301586595867e+4,
                                  3.9307895800092710610e+4,
                                  2.8729085735721942674e+4,
                                  5.2264952788528545610e+3};
  static constexpr double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                  5.76949722146069140550e0,  3.64784832476320460504e0,
                                  1.27045825245236838258e0,  2.41780725177450611770e-1,
                                  2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[8] = {1.0,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
  static constexpr double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[8] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) return q * ratio(0.180625 - q * q, a, b);
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double tail = r <= 5 ? ratio(r - 1.6, c, d) : ratio(r - 5, e, f);
  return q < 0 ? -tail : tail;
}

LoanPattern pattern_of(const std::vector<double>& days) {
  LoanPattern p;
  p.count = static_cast<std::int64_t>(days.size());
  if (days.empty()) return p;
  const auto n = static_cast<double>(days.size());
  for (const double d : days) p.mean += std::log(std::max(d, shortest_days)) / n;
  for (const double d : days) p.variance += std::pow(std::log(std::max(d, shortest_days)) - p.mean, 2) / n;
  return p;
}

LoanPattern shrunk(const LoanPattern& title, const LoanPattern& library, int loan_period_days) {
  LoanPattern base{0, std::log(static_cast<double>(std::max(loan_period_days, 1))), usual_variance};
  const auto draw = [](const LoanPattern& own, const LoanPattern& towards, double weight) {
    const auto n = static_cast<double>(own.count);
    const double share = n / (n + weight);
    LoanPattern p;
    p.count = own.count + towards.count;
    p.mean = share * own.mean + (1 - share) * towards.mean;
    p.variance = share * own.variance + (1 - share) * towards.variance +
                 share * (1 - share) * std::pow(own.mean - towards.mean, 2) / (1 + n);
    return p;
  };
  auto believed = draw(title, draw(library, base, title_weight), title_weight);
  believed.variance = std::clamp(believed.variance, 0.01, 4.0);
  return believed;
}

std::optional<ForecastDays> forecast_days(const LoanPattern& pattern, const TitleState& state, int ahead) {
  if (state.out_for.empty() && state.kept + state.free <= 0) return {};
  std::mt19937_64 random(20'261'122);
  const auto pickup = [&] { return uniform(random) * std::max(state.pickup_days, 0); };
  std::vector<double> waits;
  waits.reserve(games);
  for (int game = 0; game < games; ++game) {
    std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
    for (const double past : state.out_for) free_at.push(rest_of_loan(pattern, past, random));
    for (int i = 0; i < state.kept; ++i) free_at.push(pickup() + rest_of_loan(pattern, 0, random));
    for (int i = 0; i < state.free; ++i) free_at.push(0);
    for (int i = 0; i < ahead; ++i) {
      const double start = free_at.top();
      free_at.pop();
      free_at.push(start + pickup() + rest_of_loan(pattern, 0, random));
    }
    waits.push_back(free_at.top());
  }
  std::ranges::sort(waits);
  return ForecastDays{quantile(waits, 0.5), quantile(waits, 0.1), quantile(waits, 0.9)};
}

std::optional<Forecast> forecast(const LoanPattern& pattern, const TitleState& state, int ahead,
                                 Timestamp now) {
  const auto days = forecast_days(pattern, state, ahead);
  if (!days) return {};
  // A century and more says no more than "not in this life", and must not overflow.
  const auto at = [now](double d) {
    return Timestamp{now.ms + static_cast<std::int64_t>(std::min(d, 36'500.0) * ms_a_day)};
  };
  return Forecast{at(days->expected), at(days->earliest), at(days->latest)};
}

int copies_to_buy(const LoanPattern& pattern, TitleState state, int ahead, double days, int most) {
  for (int bought = 0; bought < most; ++bought, ++state.free)
    if (const auto wait = forecast_days(pattern, state, ahead); wait && wait->expected <= days) return bought;
  return most;
}

}  // namespace lumina::borrows
