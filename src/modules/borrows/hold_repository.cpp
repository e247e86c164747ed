#include "modules/borrows/hold_repository.hpp"

#include "core/db/columns.hpp"
#include "modules/borrows/id_cursor.hpp"

#include <algorithm>

namespace lumina::borrows {
namespace {

constexpr char cursor_letter = 'h';

struct HoldRow : Hold {
  std::string title, author;
  std::string full_name, email;
};

const db::Columns<HoldRow> hold_columns{{"h.id", &HoldRow::id},
                                        {"h.book_id", &HoldRow::book_id},
                                        {"h.user_id", &HoldRow::user_id},
                                        {"h.status", &HoldRow::status},
                                        {"CASE WHEN h.ended_at IS NULL THEN (SELECT count(*) FROM holds q "
                                         "WHERE q.book_id = h.book_id AND q.ended_at IS NULL "
                                         "AND (q.line, q.id) <= (h.line, h.id)) END",
                                         &HoldRow::position},
                                        {"h.pickup_branch_id", &HoldRow::pickup_branch_id},
                                        {"h.copy_id", &HoldRow::copy_id},
                                        {"h.borrow_id", &HoldRow::borrow_id},
                                        {"h.ready_at", &HoldRow::ready_at},
                                        {"h.pickup_until", &HoldRow::pickup_until},
                                        {"h.suspended_until", &HoldRow::suspended_until},
                                        {"h.expires_at", &HoldRow::expires_at},
                                        {"h.note", &HoldRow::note},
                                        {"h.created_at", &HoldRow::created_at},
                                        {"h.ended_at", &HoldRow::ended_at},
                                        {"b.title", &HoldRow::title},
                                        {"b.author", &HoldRow::author},
                                        {"u.full_name", &HoldRow::full_name},
                                        {"u.email", &HoldRow::email}};

constexpr auto joined = " JOIN books b ON b.id = h.book_id JOIN users u ON u.id = h.user_id ";

Hold to_hold(HoldRow row, bool with_user) {
  row.book = {row.book_id, std::move(row.title), std::move(row.author)};
  if (with_user) row.user = Borrower{row.user_id, std::move(row.full_name), std::move(row.email)};
  return std::move(static_cast<Hold&>(row));
}

std::vector<Hold> to_holds(std::vector<HoldRow> rows, bool with_user) {
  std::vector<Hold> holds;
  holds.reserve(rows.size());
  for (auto& row : rows) holds.push_back(to_hold(std::move(row), with_user));
  return holds;
}

struct Conditions {
  std::string where = "TRUE";
  std::vector<db::Value> values;

  template <class T>
  std::string bind(const T& value) {
    values.push_back(db::to_value(value));
    return "$" + std::to_string(values.size());
  }
};

Conditions conditions_of(const HoldFilter& filter) {
  Conditions c;
  if (filter.user_id) c.where += " AND h.user_id = " + c.bind(*filter.user_id);
  if (filter.book_id) c.where += " AND h.book_id = " + c.bind(*filter.book_id);
  if (filter.pickup_branch_id) c.where += " AND h.pickup_branch_id = " + c.bind(*filter.pickup_branch_id);
  if (filter.status) c.where += " AND h.status = " + c.bind(*filter.status);
  return c;
}

}  // namespace

std::optional<Hold> HoldRepository::find(HoldId id, bool with_user) {
  static const std::string sql =
      "SELECT " + hold_columns.list() + " FROM holds h" + joined + "WHERE h.id = $1";
  auto row = tx_.find(hold_columns, sql, id);
  if (!row) return {};
  return to_hold(std::move(*row), with_user);
}

HoldRepository::Listing HoldRepository::list(const HoldFilter& filter, bool with_user,
                                             const PageRequest& page) {
  Listing listing;
  auto c = conditions_of(filter);
  if (page.cursor) {
    const auto last = decode_id_cursor(cursor_letter, *page.cursor);
    if (!last) {
      listing.bad_cursor = true;
      return listing;
    }
    c.where += " AND h.id < " + c.bind(*last);
  }
  const auto limit = c.bind(page.limit), offset = c.bind(page.skip);
  const std::string sql = "SELECT " + hold_columns.list() + " FROM (SELECT h.id FROM holds h WHERE " +
                          c.where + " ORDER BY h.id DESC LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" +
                          offset + " AS BIGINT)) page JOIN holds h ON h.id = page.id" + joined +
                          "ORDER BY h.id DESC";
  listing.holds = to_holds(tx_.list(hold_columns, sql, c.values), with_user);
  if (static_cast<std::int64_t>(listing.holds.size()) == page.limit)
    listing.next_cursor = encode_id_cursor(cursor_letter, listing.holds.back().id.value);
  return listing;
}

std::int64_t HoldRepository::count(const HoldFilter& filter) {
  const auto c = conditions_of(filter);
  std::int64_t n = 0;
  tx_.each_of<std::int64_t>([&](std::int64_t found) { n = found; },
                            "SELECT count(*) FROM holds h WHERE " + c.where, c.values);
  return n;
}

std::vector<Hold> HoldRepository::line(BookId book) {
  static const std::string sql = "SELECT " + hold_columns.list() + " FROM holds h" + joined +
                                 "WHERE h.book_id = $1 AND h.ended_at IS NULL ORDER BY h.line, h.id";
  return to_holds(tx_.list(hold_columns, sql, book), true);
}

std::vector<Hold> HoldRepository::open_of(UserId user) {
  static const std::string sql = "SELECT " + hold_columns.list() + " FROM holds h" + joined +
                                 "WHERE h.user_id = $1 AND h.ended_at IS NULL ORDER BY h.id";
  return to_holds(tx_.list(hold_columns, sql, user), false);
}

bool HoldRepository::somebody_waits(BookId book) {
  return tx_
      .one<HoldId>(
          "SELECT id FROM holds WHERE book_id = $1 AND ended_at IS NULL AND status = 'waiting' LIMIT 1", book)
      .has_value();
}

std::optional<HoldRepository::Moved> HoldRepository::ready_for(CopyId copy) {
  std::optional<Moved> found;
  tx_.each<HoldId, UserId>([&](HoldId id, UserId user) { found = Moved{id, user}; },
                           "SELECT id, user_id FROM holds WHERE copy_id = $1 AND status = 'ready'", copy);
  return found;
}

std::optional<HoldId> HoldRepository::insert(UserId user, BookId book, BranchId pickup, const NewHold& hold,
                                             Timestamp now) {
  const auto row = tx_.one<HoldId>(
      "INSERT INTO holds (user_id, book_id, pickup_branch_id, expires_at, note, created_at, line) "
      "VALUES ($1, $2, $3, $4, $5, $6, "
      "(SELECT coalesce(max(q.line), 0) + 1 FROM holds q WHERE q.book_id = $2 AND q.ended_at IS NULL)) "
      "ON CONFLICT (user_id, book_id) WHERE ended_at IS NULL DO NOTHING RETURNING id",
      user, book, pickup, hold.expires_at, hold.note, now);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

void HoldRepository::set_details(const Hold& hold) {
  tx_.execute("UPDATE holds SET pickup_branch_id = $2, expires_at = $3, note = $4 WHERE id = $1", hold.id,
              hold.pickup_branch_id, hold.expires_at, hold.note);
}

void HoldRepository::suspend(HoldId id, std::optional<Timestamp> until) {
  tx_.execute("UPDATE holds SET status = 'suspended', suspended_until = $2 WHERE id = $1", id, until);
}

void HoldRepository::resume(HoldId id) {
  tx_.execute("UPDATE holds SET status = 'waiting', suspended_until = NULL WHERE id = $1", id);
}

void HoldRepository::end(HoldId id, HoldStatus how, Timestamp now) {
  tx_.execute(
      "UPDATE holds SET status = $2, ended_at = $3, copy_id = NULL, suspended_until = NULL WHERE id = $1", id,
      how, now);
}

void HoldRepository::join(HoldId id, std::int64_t group) {
  tx_.execute("UPDATE holds SET group_id = $2 WHERE id = $1", id, group);
}

bool HoldRepository::claim(HoldId id) {
  const auto group = tx_.one<std::optional<std::int64_t>>("SELECT group_id FROM holds WHERE id = $1", id);
  if (!group || !std::get<0>(*group)) return true;
  if (tx_.postgresql())
    tx_.one<std::int64_t>("SELECT id FROM hold_groups WHERE id = $1 FOR UPDATE", *std::get<0>(*group));
  return tx_.one<HoldId>("SELECT id FROM holds WHERE id = $1 AND status = 'waiting'", id).has_value();
}

std::vector<HoldRepository::Superseded> HoldRepository::end_others(HoldId id, Timestamp now) {
  std::vector<Superseded> all;
  tx_.each<HoldId, UserId, BookId>(
      [&](HoldId other, UserId user, BookId book) { all.push_back({other, user, book}); },
      "UPDATE holds SET status = 'cancelled', ended_at = $2, suspended_until = NULL WHERE id <> $1 AND "
      "status IN "
      "('waiting', 'suspended') AND group_id = (SELECT h.group_id FROM holds h WHERE h.id = $1) RETURNING "
      "id, "
      "user_id, book_id",
      id, now);
  return all;
}

std::vector<HoldRepository::Fulfilled> HoldRepository::fulfil(BookId book, Timestamp now) {
  std::vector<Fulfilled> all;
  tx_.each<HoldId, UserId, BorrowId>(
      [&](HoldId id, UserId user, BorrowId loan) { all.push_back({id, user, loan}); },
      "UPDATE holds SET status = 'fulfilled', ended_at = $2, suspended_until = NULL, "
      "borrow_id = (SELECT o.id FROM borrows o WHERE o.user_id = holds.user_id AND o.book_id = $1 AND "
      "o.status <> 'returned'), "
      "copy_id = (SELECT o.copy_id FROM borrows o WHERE o.user_id = holds.user_id AND o.book_id = $1 AND "
      "o.status <> 'returned') "
      "WHERE book_id = $1 AND ended_at IS NULL AND EXISTS (SELECT 1 FROM borrows o WHERE o.user_id = "
      "holds.user_id AND "
      "o.book_id = $1 AND o.status <> 'returned') RETURNING id, user_id, borrow_id",
      book, now);
  return all;
}

std::optional<HoldRepository::Moved> HoldRepository::unready(CopyId copy) {
  std::optional<Moved> found;
  tx_.each<HoldId, UserId>(
      [&](HoldId id, UserId user) { found = Moved{id, user}; },
      "UPDATE holds SET status = 'waiting', copy_id = NULL, ready_at = NULL, pickup_until = NULL "
      "WHERE copy_id = $1 AND status = 'ready' RETURNING id, user_id",
      copy);
  return found;
}

void HoldRepository::move(BookId book, HoldId id, int position) {
  std::vector<std::pair<HoldId, std::int64_t>> line;
  tx_.each<HoldId, std::int64_t>(
      [&](HoldId other, std::int64_t place) { line.emplace_back(other, place); },
      "SELECT id, line FROM holds WHERE book_id = $1 AND ended_at IS NULL ORDER BY line, id", book);
  const auto from = std::ranges::find(line, id, [](const auto& entry) { return entry.first; });
  if (from == line.end()) return;
  const auto entry = *from;
  line.erase(from);
  const auto to = std::min(static_cast<std::size_t>(std::max(position, 1)) - 1, line.size());
  line.insert(line.begin() + static_cast<std::ptrdiff_t>(to), entry);
  for (std::size_t i = 0; i < line.size(); ++i)
    if (const auto place = static_cast<std::int64_t>(i) + 1; line[i].second != place)
      tx_.execute("UPDATE holds SET line = $2 WHERE id = $1", line[i].first, place);
}

std::vector<HoldRepository::Moved> HoldRepository::moved(std::string_view sql, BookId book, Timestamp now) {
  std::vector<Moved> all;
  tx_.each<HoldId, UserId>([&](HoldId id, UserId user) { all.push_back({id, user}); }, sql, book, now);
  return all;
}

std::vector<HoldRepository::Moved> HoldRepository::end_of_the_gone(BookId book, Timestamp now) {
  return moved(
      "UPDATE holds SET status = 'cancelled', ended_at = $2, copy_id = NULL, suspended_until = NULL "
      "WHERE book_id = $1 AND ended_at IS NULL AND "
      "EXISTS (SELECT 1 FROM users u WHERE u.id = holds.user_id AND (u.deleted_at IS NOT NULL OR u.is_active "
      "= 0)) "
      "RETURNING id, user_id",
      book, now);
}

std::vector<HoldRepository::Moved> HoldRepository::expire(BookId book, Timestamp now) {
  return moved(
      "UPDATE holds SET status = 'expired', ended_at = $2, copy_id = NULL, suspended_until = NULL "
      "WHERE book_id = $1 AND ended_at IS NULL AND ((status = 'ready' AND pickup_until < $2) OR "
      "(status <> 'ready' AND expires_at < $2)) RETURNING id, user_id",
      book, now);
}

std::vector<HoldRepository::Moved> HoldRepository::resume_due(BookId book, Timestamp now) {
  return moved(
      "UPDATE holds SET status = 'waiting', suspended_until = NULL "
      "WHERE book_id = $1 AND ended_at IS NULL AND status = 'suspended' AND suspended_until <= $2 RETURNING "
      "id, user_id",
      book, now);
}

std::optional<HoldRepository::Next> HoldRepository::next(BookId book) {
  std::optional<Next> found;
  tx_.each<HoldId, UserId, BranchId>(
      [&](HoldId id, UserId user, BranchId branch) { found = Next{id, user, branch}; },
      "SELECT id, user_id, pickup_branch_id FROM holds WHERE book_id = $1 AND ended_at IS NULL AND status = "
      "'waiting' "
      "ORDER BY line, id LIMIT 1",
      book);
  return found;
}

std::optional<CopyId> HoldRepository::free_copy(BookId book, BranchId preferred) {
  const auto row = tx_.one<CopyId>(
      "SELECT c.id FROM copies c WHERE c.book_id = $1 AND "
      "((c.status = 'available' AND (SELECT o.id FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS "
      "NULL) IS NULL) "
      "OR (c.status = 'on_hold' AND (SELECT h.id FROM holds h WHERE h.copy_id = c.id AND h.status = 'ready') "
      "IS NULL)) "
      "ORDER BY CASE WHEN c.branch_id = $2 THEN 0 ELSE 1 END, c.id LIMIT 1",
      book, preferred);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

void HoldRepository::make_ready(HoldId id, CopyId copy, Timestamp now, Timestamp pickup_until) {
  tx_.execute("UPDATE copies SET status = 'on_hold', updated_at = $2 WHERE id = $1", copy, now);
  tx_.execute(
      "UPDATE holds SET status = 'ready', copy_id = $2, ready_at = $3, pickup_until = $4 WHERE id = $1", id,
      copy, now, pickup_until);
}

void HoldRepository::release_copies(BookId book, Timestamp now) {
  tx_.execute(
      "UPDATE copies SET status = 'available', updated_at = $2 WHERE book_id = $1 AND status = 'on_hold' AND "
      "(SELECT h.id FROM holds h WHERE h.copy_id = copies.id AND h.status = 'ready') IS NULL",
      book, now);
}

void HoldRepository::recount(BookId book) {
  tx_.execute(
      "UPDATE book_stats SET "
      "copies_total = (SELECT count(*) FROM copies c WHERE c.book_id = $1 AND c.status NOT IN ('lost', "
      "'missing', "
      "'withdrawn')), "
      "copies_available = (SELECT count(*) FROM copies c WHERE c.book_id = $1 AND c.status = 'available' AND "
      "(SELECT o.id FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL) IS NULL), "
      "holds_open = (SELECT count(*) FROM holds h WHERE h.book_id = $1 AND h.ended_at IS NULL) WHERE book_id "
      "= $1",
      book);
}

std::vector<BookId> HoldRepository::due_books(Timestamp now, BookId after, int most) {
  std::vector<BookId> books;
  // Each part walks an index of its own; what is due is little, however many holds there are. The last three
  // are accounts that ended, and what a process left behind that died between a loan or return and its
  // consequence for the line.
  tx_.each<BookId>(
      [&](BookId book) { books.push_back(book); },
      "SELECT d.book_id FROM ("
      "SELECT book_id FROM holds WHERE status = 'ready' AND pickup_until < $1 "
      "UNION SELECT book_id FROM holds WHERE status IN ('waiting', 'suspended') AND expires_at IS NOT NULL "
      "AND "
      "expires_at < $1 "
      "UNION SELECT book_id FROM holds WHERE status = 'suspended' AND suspended_until <= $1 "
      "UNION SELECT c.book_id FROM copies c WHERE c.status = 'on_hold' AND "
      "(SELECT h.id FROM holds h WHERE h.copy_id = c.id AND h.status = 'ready') IS NULL "
      "UNION SELECT h.book_id FROM holds h JOIN users u ON u.id = h.user_id WHERE h.ended_at IS NULL AND "
      "(u.deleted_at IS NOT NULL OR u.is_active = 0) "
      "UNION SELECT h.book_id FROM holds h JOIN borrows o ON o.user_id = h.user_id AND o.book_id = h.book_id "
      "AND "
      "o.status <> 'returned' WHERE h.ended_at IS NULL"
      ") d WHERE d.book_id > $2 ORDER BY d.book_id LIMIT CAST($3 AS BIGINT)",
      now, after, most);
  return books;
}

}  // namespace lumina::borrows
