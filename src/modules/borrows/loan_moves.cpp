#include "modules/borrows/loan_moves.hpp"

#include "core/json/codec.hpp"
#include "modules/borrows/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace lumina::borrows {
namespace {

const std::string asked =
    "WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS a (n bigint, user_id bigint, "
    "book_id bigint, due_date bigint, actor bigint, address text, request_id text)), ";

// $1 moves, $2 now, $3 and on: the journal.
std::string lend_sql(MoveKind kind) {
  const std::string skip = kind == MoveKind::lend ? " SKIP LOCKED" : "";
  return asked +
         "pick AS (SELECT a.*, free.* FROM asked a CROSS JOIN LATERAL (SELECT c.id AS copy_id, b.title, "
         "b.author FROM copies c JOIN books b ON b.id = c.book_id JOIN users u ON u.id = a.user_id "
         "WHERE c.book_id = a.book_id AND b.deleted_at IS NULL AND u.deleted_at IS NULL AND u.is_active = 1 "
         "AND " +
         free_copy + " ORDER BY c.id LIMIT 1 FOR NO KEY UPDATE OF c" + skip +
         " FOR KEY SHARE OF u) AS free), "
         "made AS (INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date) "
         "SELECT user_id, book_id, copy_id, $2::bigint, due_date FROM pick ON CONFLICT DO NOTHING "
         "RETURNING id, book_id), "
         "counters AS MATERIALIZED (SELECT s.book_id FROM book_stats s JOIN made ON made.book_id = s.book_id "
         "ORDER BY s.book_id FOR NO KEY UPDATE OF s), "
         "counted AS (UPDATE book_stats s SET copies_available = s.copies_available - 1, "
         "active_borrows = s.active_borrows + 1, total_borrows = s.total_borrows + 1 "
         "FROM counters WHERE s.book_id = counters.book_id RETURNING s.book_id, s.holds_open), "
         "changed AS MATERIALIZED (SELECT n, made.id AS journal_id, pick.user_id AS journal_user, "
         "made.book_id AS journal_book, actor AS journal_actor, address AS journal_address, "
         "request_id AS journal_request, copy_id, due_date, title, author, holds_open FROM made "
         "JOIN pick ON pick.book_id = made.book_id JOIN counted ON counted.book_id = made.book_id)" +
         events::Journal::attached("changed", 3) +
         "SELECT n, journal_id, copy_id, $2::bigint, due_date, 0, title, author, 'available', holds_open "
         "FROM changed";
}

std::string take_back_sql() {
  return asked +
         "changed AS (UPDATE borrows w SET return_date = $2::bigint, status = 'returned' FROM asked a "
         "WHERE w.user_id = a.user_id AND w.book_id = a.book_id AND w.status <> 'returned' "
         "RETURNING a.n, w.id AS journal_id, w.user_id AS journal_user, w.book_id AS journal_book, "
         "a.actor AS journal_actor, a.address AS journal_address, a.request_id AS journal_request, "
         "w.copy_id, w.borrow_date, w.due_date, w.renewals), "
         "freed AS (SELECT c.id, c.status FROM copies c JOIN changed ON changed.copy_id = c.id "
         "ORDER BY c.id FOR SHARE OF c), "
         "counters AS MATERIALIZED (SELECT s.book_id, freed.status FROM book_stats s JOIN changed ON "
         "changed.journal_book = s.book_id JOIN freed ON freed.id = changed.copy_id ORDER BY s.book_id "
         "FOR NO KEY UPDATE OF s), "
         "counted AS (UPDATE book_stats s SET active_borrows = s.active_borrows - 1, copies_available = "
         "s.copies_available + CASE WHEN counters.status = 'available' AND s.holds_open = 0 THEN 1 ELSE "
         "0 END FROM counters WHERE s.book_id = counters.book_id RETURNING s.book_id, s.holds_open), "
         "kept AS (UPDATE copies c SET status = 'on_hold' FROM changed JOIN freed ON freed.id = "
         "changed.copy_id JOIN counted ON counted.book_id = changed.journal_book "
         "WHERE c.id = changed.copy_id AND freed.status = 'available' AND counted.holds_open > 0)" +
         events::Journal::attached("changed", 3) +
         "SELECT n, journal_id, copy_id, borrow_date, due_date, renewals, b.title, b.author, freed.status, "
         "counted.holds_open FROM changed JOIN books b ON b.id = journal_book JOIN freed ON freed.id = "
         "copy_id "
         "JOIN counted ON counted.book_id = journal_book";
}

const std::string& sql_of(MoveKind kind) {
  static const std::string lend = lend_sql(MoveKind::lend), waiting = lend_sql(MoveKind::lend_waiting),
                           take_back = take_back_sql();
  return kind == MoveKind::lend ? lend : kind == MoveKind::lend_waiting ? waiting : take_back;
}

// By book: copies are taken in this order. What is locked later says so itself.
std::string as_json(const std::vector<LoanMove>& moves, Timestamp now) {
  std::vector<std::size_t> order(moves.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return moves[i].key; });
  std::string text = "[";
  for (const std::size_t n : order) {
    const LoanMove& move = moves[n];
    fmt::format_to(
        std::back_inserter(text), R"({}{{"n":{},"user_id":{},"book_id":{},"due_date":{},"address":)",
        text.size() == 1 ? "" : ",", n, move.user.value, move.key.value, due_after(now, move.days).ms);
    json::append_string(text, move.by.address);
    text += R"(,"request_id":)";
    json::append_string(text, move.by.request_id);
    if (move.by.user) fmt::format_to(std::back_inserter(text), R"(,"actor":{})", move.by.user->value);
    text += '}';
  }
  return text += ']';
}

}  // namespace

std::vector<std::optional<Moved>> move_loans(db::Transaction& tx, events::Journal& journal,
                                             const std::vector<LoanMove>& moves, Timestamp now) {
  std::vector<std::optional<Moved>> moved(moves.size());
  const MoveKind kind = moves.front().kind;
  const bool lending = kind != MoveKind::take_back;
  events::Change change{.type = lending ? "borrow.created" : "borrow.returned", .resource = "borrow"};
  tx.each<std::size_t, BorrowId, CopyId, Timestamp, Timestamp, int, std::string, std::string, CopyStatus,
          int>(
      [&](std::size_t n, BorrowId id, CopyId copy, Timestamp borrowed, Timestamp due, int renewals,
          std::string title, std::string author, CopyStatus status, int holds_open) {
        const LoanMove& move = moves.at(n);
        Moved& m = moved[n].emplace();
        m.copy = status;
        m.holds_open = holds_open;
        Borrow& b = m.loan;
        b.id = id;
        b.user_id = move.user;
        b.book_id = move.key;
        b.copy_id = copy;
        b.borrow_date = borrowed;
        b.due_date = due;
        b.renewals = renewals;
        b.book = {move.key, std::move(title), std::move(author)};
        if (!lending) {
          b.return_date = now;
          b.status = LoanStatus::returned;
        }
        change.resource_id = id.value;
        change.subject = move.user;
        change.book = move.key;
        journal.publish_later(tx, change, now);
      },
      sql_of(kind), as_json(moves, now), now, change.type, change.resource, now, journal.origin());
  return moved;
}

}  // namespace lumina::borrows
