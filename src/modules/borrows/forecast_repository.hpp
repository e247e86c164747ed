// SQL of forecasts: how long loans lasted, how titles stand, who is ahead in line. Reads only.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/borrows/forecast.hpp"

#include <vector>

namespace lumina::borrows {

class ForecastRepository {
 public:
  explicit ForecastRepository(db::Transaction& tx) : tx_(tx) {}

  // Days of the newest loans that have ended: of a title, of the whole library.
  std::vector<double> title_durations(BookId book);
  std::vector<double> library_durations();
  TitleState state(BookId book, int pickup_days, Timestamp now);
  // Those who wait, not suspended, before this hold.
  int ahead_of(HoldId hold);

  struct Demand {
    LoanBook book;
    int waiting = 0;
    int copies = 0;
  };
  // Titles that people wait for, the longest lines first.
  std::vector<Demand> demand(int most);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows
