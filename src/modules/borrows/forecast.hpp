// When a copy comes to somebody in line: a pure model of a title's loans. Times are milliseconds since 1970,
// durations days.
//
// How long a title is kept out is taken as log-normal. A title's own past loans are few, so they are drawn
// towards the library's: each parameter is the mean of what the title shows and what the library shows,
// weighted by the number of the title's loans against a fixed weight (empirical Bayes shrinkage). A loan that
// is out already has lasted at least so long, which the rest of its duration is conditioned on; a copy that
// is kept for somebody is fetched within the pick-up time and then lent. The line is played through many
// times with a fixed seed, so that the same state gives the same forecast; the answer is the median and the
// range from the tenth to the ninetieth hundredth.
//
// The inverse of the normal distribution is Wichura's AS 241 (PPND16, 1988). Any thread.
#pragma once
#include "core/base/clock.hpp"
#include "modules/borrows/hold_model.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lumina::borrows {

// Logarithms of loan durations in days: how many, their mean and their variance.
struct LoanPattern {
  std::int64_t count = 0;
  double mean = 0;
  double variance = 0;
};
// Durations of zero and less count as an hour.
LoanPattern pattern_of(const std::vector<double>& days);
// What is believed of a title: its own loans drawn towards the library's; without either, the library's loan
// period.
LoanPattern shrunk(const LoanPattern& title, const LoanPattern& library, int loan_period_days);

// How a title stands.
struct TitleState {
  std::vector<double> out_for;  // days that each copy on loan has been out
  int kept = 0;                 // copies kept for somebody ahead in line
  int free = 0;                 // copies free now
  int pickup_days = 7;
};

// Days until the person gets a copy for whom `ahead` people in line come first (not those whose copy is kept
// already).
struct ForecastDays {
  double expected = 0, earliest = 0, latest = 0;
};
// Nothing when no copy can ever come: none is on loan, kept or free.
std::optional<ForecastDays> forecast_days(const LoanPattern& pattern, const TitleState& state, int ahead);
std::optional<Forecast> forecast(const LoanPattern& pattern, const TitleState& state, int ahead,
                                 Timestamp now);

// The fewest copies to buy so that the person with `ahead` people before them is expected to wait no longer
// than `days`; at most `most`.
int copies_to_buy(const LoanPattern& pattern, TitleState state, int ahead, double days, int most);

// The value below which a standard normal variable lies with probability p, 0 < p < 1.
double normal_quantile(double p);
double normal_share_below(double x);

}  // namespace lumina::borrows
