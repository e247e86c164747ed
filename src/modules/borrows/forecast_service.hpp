// Forecasts for people in line and for whoever buys books, from what loans of the past lasted (forecast.hpp).
//
// Public functions but add_to() are awaited on an io thread; each is one read. How long the library's loans
// last in general is read at most once in ten minutes and kept; thread-safe.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/borrows/forecast.hpp"
#include "modules/borrows/hold_model.hpp"

#include <mutex>
#include <optional>
#include <vector>

namespace lumina::borrows {

// What a hold may expect.
struct HoldForecast {
  HoldId hold_id;
  BookId book_id;
  HoldStatus status = HoldStatus::waiting;
  std::optional<int> position;
  int copies = 0;               // that can come: on loan, kept or free
  std::int64_t past_loans = 0;  // of this title, that the forecast rests on beside the library's
  std::optional<Timestamp> expected_at, earliest,
      latest;  // nothing while suspended, or when no copy can come
  static constexpr std::string_view type_name = "HoldForecast";
  static std::vector<schema::Field> fields();
};
struct PurchaseQuestion {
  std::optional<int> weeks;  // 1..104, default 8
  static constexpr std::string_view type_name = "PurchaseQuestion";
  static std::vector<schema::Field> fields();
};
struct PurchaseSuggestion {
  LoanBook book;
  int holds = 0;                         // people who wait
  int copies = 0;                        // the library owns
  std::optional<Timestamp> expected_at;  // for the last in line; nothing when no copy can come
  int copies_to_buy = 0;
  static constexpr std::string_view type_name = "PurchaseSuggestion";
  static std::vector<schema::Field> fields();
};

class ForecastService {
 public:
  ForecastService(db::Database& database, const Clock& clock, HoldRules rules = {})
      : database_(database), clock_(clock), rules_(rules) {}

  // One's own hold; staff may ask about anybody's. Refused with hold_ended.
  Task<Result<HoldForecast>> of_hold(HoldId id, Caller by);
  // Titles for which the last in line is expected to wait longer than so many weeks, the longest lines first.
  Task<Result<std::vector<PurchaseSuggestion>>> purchases(PurchaseQuestion question);

  // Inside a read: the forecast of a hold that waits.
  void add_to(db::Transaction& tx, Hold& hold);

 private:
  LoanPattern pattern(db::Transaction& tx, BookId book, std::int64_t& past_loans);

  db::Database& database_;
  const Clock& clock_;
  const HoldRules rules_;
  std::mutex mutex_;
  std::optional<LoanPattern> library_;
  Timestamp library_at_{};
};

}  // namespace lumina::borrows
