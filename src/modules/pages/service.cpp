#include "modules/pages/service.hpp"

#include "modules/pages/repository.hpp"

#include <iterator>

namespace lumina::pages {
namespace {

constexpr std::int64_t recent = 5;
constexpr auto soon = std::chrono::hours(3 * 24);
constexpr auto totals_kept = std::chrono::seconds(10);  // summing them reads the whole catalogue

Task<Status> fill(std::optional<schema::RawJson>& member, const Part& part, Caller by) {
  if (!part) co_return Status{};
  auto text = co_await part(std::move(by));
  if (!text) co_return Failure(std::move(text.error()));
  member = schema::RawJson{std::move(*text)};
  co_return Status{};
}

}  // namespace

Task<Result<Totals>> PageService::totals() {
  const auto now = clock_.now();
  {
    std::lock_guard lock(mutex_);
    if (totals_ && now < counted_at_ + totals_kept) co_return *totals_;
  }
  auto count = [](db::Transaction& tx) { return PageRepository(tx).totals(); };
  auto fresh = co_await database_.read(std::move(count));
  if (!fresh) co_return Failure(std::move(fresh.error()));
  std::lock_guard lock(mutex_);
  totals_ = *fresh;
  counted_at_ = now;
  co_return *fresh;
}

Task<Result<Dashboard>> PageService::dashboard(Caller by) {
  Dashboard page;
  page.generated_at = clock_.now();
  auto counted = co_await totals();
  if (!counted) co_return Failure(std::move(counted.error()));
  page.totals = *counted;

  PageRequest few;
  few.limit = recent;
  auto books = co_await books_.list({}, few);
  if (!books) co_return Failure(std::move(books.error()));
  page.recent_books = std::move(books->items);

  for (const auto status : {borrows::LoanStatus::overdue, borrows::LoanStatus::active}) {
    borrows::OwnLoans wanted;
    wanted.status = status;
    auto loans = co_await borrows_.own(by.id(), wanted, {});
    if (!loans) co_return Failure(std::move(loans.error()));
    if (status == borrows::LoanStatus::overdue) page.overdue_loans = loans->total;
    std::move(loans->items.begin(), loans->items.end(), std::back_inserter(page.my_loans));
  }
  for (const auto& loan : page.my_loans)
    if (!loan.is_overdue && loan.due_date <= page.generated_at + soon) page.due_soon.push_back(loan);

  if (auto done = co_await fill(page.holds, holds_, by); !done) co_return Failure(std::move(done.error()));
  if (auto done = co_await fill(page.recommendations, recommendations_, by); !done)
    co_return Failure(std::move(done.error()));
  co_return page;
}

}  // namespace lumina::pages
