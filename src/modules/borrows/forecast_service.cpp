#include "modules/borrows/forecast_service.hpp"

#include "modules/borrows/forecast_repository.hpp"
#include "modules/borrows/hold_repository.hpp"

namespace lumina::borrows {
namespace {

using namespace std::chrono_literals;
using schema::Field;

constexpr auto library_age = 10min;
constexpr int usual_weeks = 8, most_titles = 200, most_copies_to_buy = 20;

int copies_in(const TitleState& state) {
  return static_cast<int>(state.out_for.size()) + state.kept + state.free;
}

}  // namespace

std::vector<Field> HoldForecast::fields() {
  return {
      {"hold_id", &HoldForecast::hold_id, "The hold"},
      {"book_id", &HoldForecast::book_id, "The book"},
      {"status", &HoldForecast::status, "Of the hold"},
      {"position", &HoldForecast::position, "Place in line, from 1"},
      {"copies", &HoldForecast::copies, "Copies that can come: on loan, kept for somebody or free"},
      {"past_loans", &HoldForecast::past_loans,
       "Loans of this title that the forecast rests on, beside the library's"},
      {"expected_at", &HoldForecast::expected_at,
       "A copy is as likely to come before as after; null while suspended, or when no copy can come"},
      {"earliest", &HoldForecast::earliest, "Start of the range in which it comes four times out of five"},
      {"latest", &HoldForecast::latest, "End of that range"}};
}
std::vector<Field> PurchaseQuestion::fields() {
  return {{"weeks",
           &PurchaseQuestion::weeks,
           "Nobody should wait longer than this (default 8)",
           {schema::range(1, 104)}}};
}
std::vector<Field> PurchaseSuggestion::fields() {
  return {{"book", &PurchaseSuggestion::book, "The book in short"},
          {"holds", &PurchaseSuggestion::holds, "People who wait"},
          {"copies", &PurchaseSuggestion::copies, "Copies the library owns"},
          {"expected_at", &PurchaseSuggestion::expected_at,
           "When the last in line may expect a copy; null: never"},
          {"copies_to_buy", &PurchaseSuggestion::copies_to_buy,
           "The fewest that bring the wait below the limit; at most 20"}};
}

LoanPattern ForecastService::pattern(db::Transaction& tx, BookId book, std::int64_t& past_loans) {
  ForecastRepository loans(tx);
  const Timestamp now = clock_.now();
  LoanPattern library;
  {
    const std::lock_guard lock(mutex_);
    if (library_ && now < library_at_ + library_age && now >= library_at_) library = *library_;
  }
  if (library.count == 0) {
    library = pattern_of(loans.library_durations());
    const std::lock_guard lock(mutex_);
    library_ = library;
    library_at_ = now;
  }
  const auto title = pattern_of(loans.title_durations(book));
  past_loans = title.count;
  return shrunk(title, library, rules_.loan_period_days);
}

void ForecastService::add_to(db::Transaction& tx, Hold& hold) {
  if (hold.status != HoldStatus::waiting) return;
  ForecastRepository loans(tx);
  std::int64_t past_loans = 0;
  const auto believed = pattern(tx, hold.book_id, past_loans);
  const Timestamp now = clock_.now();
  hold.forecast =
      forecast(believed, loans.state(hold.book_id, rules_.pickup_days, now), loans.ahead_of(hold.id), now);
}

Task<Result<HoldForecast>> ForecastService::of_hold(HoldId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<HoldForecast> {
    const auto hold = HoldRepository(tx).find(id, false);
    if (!hold || (hold->user_id != by.id() && !by.can(Permission::loans_manage)))
      return not_found("Hold not found");
    if (hold->ended_at) return fail(ErrorKind::refused, "hold_ended", "This hold has ended");
    ForecastRepository loans(tx);
    const Timestamp now = clock_.now();
    HoldForecast out{
        .hold_id = id, .book_id = hold->book_id, .status = hold->status, .position = hold->position};
    const auto state = loans.state(hold->book_id, rules_.pickup_days, now);
    const auto believed = pattern(tx, hold->book_id, out.past_loans);
    out.copies = copies_in(state);
    if (hold->status == HoldStatus::ready) {
      out.expected_at = out.earliest = out.latest = hold->ready_at;
    } else if (hold->status == HoldStatus::waiting) {
      if (const auto when = forecast(believed, state, loans.ahead_of(id), now)) {
        out.expected_at = when->expected_at;
        out.earliest = when->earliest;
        out.latest = when->latest;
      }
    }
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<PurchaseSuggestion>>> ForecastService::purchases(PurchaseQuestion question) {
  const int weeks = question.weeks.value_or(usual_weeks);
  auto work = [this, weeks](db::Transaction& tx) -> Result<std::vector<PurchaseSuggestion>> {
    ForecastRepository loans(tx);
    const Timestamp now = clock_.now();
    std::vector<PurchaseSuggestion> out;
    for (auto& [book, waiting, copies] : loans.demand(most_titles)) {
      std::int64_t past_loans = 0;
      const auto believed = pattern(tx, book.id, past_loans);
      const auto state = loans.state(book.id, rules_.pickup_days, now);
      const int buy = copies_to_buy(believed, state, waiting - 1, weeks * 7.0, most_copies_to_buy);
      if (buy == 0) continue;
      const auto when = forecast(believed, state, waiting - 1, now);
      out.push_back(
          {std::move(book), waiting, copies, when ? std::optional(when->expected_at) : std::nullopt, buy});
    }
    return out;
  };
  return database_.read(std::move(work));
}

}  // namespace lumina::borrows
