#include "modules/borrows/loan_privacy.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <fmt/format.h>

#include <vector>

namespace lumina::borrows {
namespace {

constexpr int batch = 200;

constexpr auto old_loans =
    "SELECT o.id, o.user_id, o.book_id FROM borrows o WHERE o.id > $1 AND o.status = 'returned' "
    "AND o.user_id IS NOT NULL AND o.return_date < $2 AND NOT EXISTS "
    "(SELECT 1 FROM fines f WHERE f.borrow_id = o.id AND f.settled_minor < f.charged_minor) "
    "ORDER BY o.id LIMIT CAST($3 AS BIGINT)";
constexpr auto loans_of_erased_accounts =
    "SELECT o.id, o.user_id, o.book_id FROM users u JOIN borrows o ON o.user_id = u.id "
    "WHERE u.deleted_at IS NOT NULL AND o.id > $1 AND o.status = 'returned' AND o.return_date <= $2 AND NOT "
    "EXISTS "
    "(SELECT 1 FROM fines f WHERE f.borrow_id = o.id AND f.settled_minor < f.charged_minor) "
    "ORDER BY o.id LIMIT CAST($3 AS BIGINT)";

}  // namespace

struct LoanPrivacy::Old {
  BorrowId id;
  UserId user;
  BookId book;
};

LoanPrivacy::LoanPrivacy(db::Database& database, const Clock& clock, events::Journal& journal,
                         std::string key, std::int64_t history_days)
    : database_(database),
      clock_(clock),
      journal_(journal),
      key_(std::move(key)),
      history_days_(history_days) {
  journal.bus().subscribe("user.deleted", [this](const events::Event&) { accounts_erased_ = true; });
}

std::string LoanPrivacy::mark_of(UserId user, BookId book) const {
  return hex_encode(security::hmac_sha256(key_, fmt::format("loan:{}:{}", user.value, book.value)));
}

bool LoanPrivacy::has_borrowed(db::Transaction& tx, UserId user, BookId book) const {
  if (tx.one<std::int64_t>("SELECT 1 FROM borrows WHERE user_id = $1 AND book_id = $2 LIMIT 1", user, book))
    return true;
  return tx.one<std::int64_t>("SELECT 1 FROM loan_marks WHERE mark = $1", mark_of(user, book)).has_value();
}

Task<Result<std::int64_t>> LoanPrivacy::cut_histories() {
  if (history_days_ <= 0) co_return 0;
  co_return co_await cut(false);
}

Task<Result<std::int64_t>> LoanPrivacy::forget_erased_accounts() {
  if (!accounts_erased_.exchange(false)) co_return 0;
  const Caller scheduler = Caller::system("forget-erased-accounts");
  auto work = [this, &scheduler](db::Transaction& tx) -> Status {
    const auto rows =
        tx.execute(
            "DELETE FROM library_cards WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT "
            "NULL)") +
        tx.execute(
            "DELETE FROM patrons WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)") +
        tx.execute(
            "DELETE FROM calendar_tokens WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT "
            "NULL)");
    if (rows > 0)
      journal_.record(tx, scheduler,
                      {.type = "patron.forgotten",
                       .resource = "patron",
                       .payload = fmt::format(R"({{"rows":{}}})", rows)});
    return {};
  };
  const auto forgotten = co_await database_.write(std::move(work));
  if (!forgotten) {
    accounts_erased_ = true;  // the next call tries again
    co_return Failure(forgotten.error());
  }
  const auto loans = co_await cut(true);
  if (!loans) accounts_erased_ = true;
  co_return loans;
}

Task<Result<std::int64_t>> LoanPrivacy::cut(bool erased_accounts) {
  const Caller scheduler = Caller::system("cut-loan-histories");
  std::int64_t all = 0;
  BorrowId after{};
  while (true) {
    struct Step {
      std::int64_t cut = 0;
      std::size_t seen = 0;
      BorrowId last;
    };
    auto work = [this, &scheduler, after, erased_accounts](db::Transaction& tx) -> Step {
      const Timestamp now = clock_.now();
      const Timestamp before = erased_accounts ? now : now - std::chrono::hours(24) * history_days_;
      std::vector<Old> found;
      tx.each<BorrowId, UserId, BookId>(
          [&](BorrowId id, UserId user, BookId book) { found.push_back({id, user, book}); },
          erased_accounts ? loans_of_erased_accounts : old_loans, after, before, batch);
      Step step;
      for (const Old& loan : found) {
        ++step.seen;
        step.last = loan.id;
        if (tx.execute(
                "UPDATE borrows SET user_id = NULL WHERE id = $1 AND user_id = $2 AND status = 'returned'",
                loan.id, loan.user) == 0)
          continue;
        ++step.cut;
        // A settled fine of the loan would tell who had the book.
        tx.execute("UPDATE fines SET borrow_id = NULL, book_id = NULL WHERE borrow_id = $1", loan.id);
        if (!erased_accounts)
          tx.execute("INSERT INTO loan_marks (mark, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                     mark_of(loan.user, loan.book), now);
      }
      if (step.cut > 0)
        journal_.record(tx, scheduler,
                        {.type = "borrow.histories_cut",
                         .resource = "borrow",
                         .payload = fmt::format(R"({{"loans":{}}})", step.cut)});
      return step;
    };
    const auto step = co_await database_.write(std::move(work));
    if (!step) co_return Failure(step.error());
    all += step->cut;
    if (step->seen < batch) co_return all;
    after = step->last;
  }
}

}  // namespace lumina::borrows
