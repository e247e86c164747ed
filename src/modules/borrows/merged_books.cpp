#include "modules/borrows/merged_books.hpp"

#include "modules/borrows/hold_queue.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vector>

namespace lumina::borrows {
namespace {

namespace json = boost::json;

std::vector<std::int64_t> ids(db::Transaction& tx, std::string_view sql, BookId book) {
  std::vector<std::int64_t> all;
  tx.each<std::int64_t>([&](std::int64_t id) { all.push_back(id); }, sql, book);
  return all;
}

json::array array_of(const std::vector<std::int64_t>& numbers) {
  return json::array(numbers.begin(), numbers.end());
}

// Holds that would be a person's second one of the book, or of a book that the person has.
std::vector<Hold> superfluous(db::Transaction& tx, BookId from, BookId into) {
  std::vector<Hold> all;
  HoldRepository holds(tx);
  const auto ids_of = [&](std::string_view sql) {
    std::vector<HoldId> found;
    tx.each<HoldId>([&](HoldId id) { found.push_back(id); }, sql, from, into);
    return found;
  };
  // Of two, the one that has a copy already; else the one of the book that stays.
  auto ended = ids_of(
      "SELECT CASE WHEN h.status = 'ready' AND o.status <> 'ready' THEN o.id ELSE h.id END FROM holds h "
      "JOIN holds o ON o.user_id = h.user_id AND o.book_id = $2 AND o.ended_at IS NULL "
      "WHERE h.book_id = $1 AND h.ended_at IS NULL ORDER BY h.id");
  const auto had = ids_of(
      "SELECT h.id FROM holds h JOIN borrows l ON l.user_id = h.user_id AND l.status <> 'returned' AND "
      "((h.book_id = $1 AND l.book_id = $2) OR (h.book_id = $2 AND l.book_id = $1)) "
      "WHERE h.book_id IN ($1, $2) AND h.ended_at IS NULL ORDER BY h.id");
  for (const auto id : had)
    if (std::ranges::find(ended, id) == ended.end()) ended.push_back(id);
  for (const auto id : ended)
    if (auto hold = holds.find(id, false)) all.push_back(std::move(*hold));
  return all;
}

void count_loans(db::Transaction& tx, BookId book, std::int64_t more) {
  tx.execute(
      "UPDATE book_stats SET total_borrows = total_borrows + $2, active_borrows = (SELECT count(*) FROM "
      "borrows o WHERE o.book_id = $1 AND o.status <> 'returned') WHERE book_id = $1",
      book, more);
}

// One line, in the order in which people asked.
void order_line(db::Transaction& tx, BookId book) {
  std::int64_t place = 0;
  for (const auto id :
       ids(tx, "SELECT id FROM holds WHERE book_id = $1 AND ended_at IS NULL ORDER BY created_at, line, id",
           book))
    tx.execute("UPDATE holds SET line = $2 WHERE id = $1", id, ++place);
}

}  // namespace

void MergedBooks::lock(db::Transaction& tx, const std::vector<BookId>& books) const {
  const auto by = Caller::system("merge");
  HoldQueue queue(tx, journal_, rules_, clock_.now(), by);
  for (const auto book : books) queue.lock(book);
}

Result<std::string> MergedBooks::move(db::Transaction& tx, BookId from, BookId into, const Caller& by) const {
  const auto twice = tx.one<std::int64_t>(
      "SELECT user_id FROM borrows WHERE book_id IN ($1, $2) AND status <> 'returned' GROUP BY user_id "
      "HAVING "
      "count(*) > 1 LIMIT 1",
      from, into);
  if (twice)
    return fail(ErrorKind::refused, "on_loan_twice",
                "Somebody has both books on loan; one of them must come back first");
  const auto now = clock_.now();
  HoldQueue queue(tx, journal_, rules_, now, by);
  json::array ended;
  for (const auto& hold : superfluous(tx, from, into)) {
    queue.end(hold, HoldStatus::cancelled);
    ended.emplace_back(hold.id.value);
  }
  json::object note;
  note["ended"] = std::move(ended);
  json::array lines;
  tx.each<std::int64_t, std::int64_t>(
      [&](std::int64_t id, std::int64_t line) { lines.push_back(json::array{id, line}); },
      "SELECT id, line FROM holds WHERE book_id IN ($1, $2) AND ended_at IS NULL ORDER BY id", from, into);
  note["lines"] = std::move(lines);
  note["copies"] = array_of(ids(tx, "SELECT id FROM copies WHERE book_id = $1 ORDER BY id", from));
  note["holds"] = array_of(ids(tx, "SELECT id FROM holds WHERE book_id = $1 ORDER BY id", from));
  note["fines"] = array_of(ids(tx, "SELECT id FROM fines WHERE book_id = $1 ORDER BY id", from));
  tx.execute("UPDATE copies SET book_id = $2 WHERE book_id = $1", from, into);
  const auto loans = tx.execute("UPDATE borrows SET book_id = $2 WHERE book_id = $1", from, into);
  tx.execute("UPDATE holds SET book_id = $2 WHERE book_id = $1", from, into);
  tx.execute("UPDATE fines SET book_id = $2 WHERE book_id = $1", from, into);
  count_loans(tx, from, -loans);
  count_loans(tx, into, loans);
  order_line(tx, into);
  HoldRepository(tx).recount(from);
  queue.settle(into);
  return json::serialize(note);
}

void MergedBooks::back(db::Transaction& tx, BookId from, BookId into, const std::string& text,
                       const Caller& by) const {
  const auto parsed = json::parse(text.empty() ? "{}" : text);
  const auto& note = parsed.as_object();
  const auto numbers = [&](std::string_view name) {
    std::vector<std::int64_t> all;
    if (const auto* found = note.if_contains(name))
      for (const auto& id : found->as_array()) all.push_back(id.as_int64());
    return all;
  };
  std::int64_t loans = 0;
  for (const auto copy : numbers("copies")) {
    // A hold that waits at the desk with this copy goes where the copy goes.
    tx.execute("UPDATE holds SET book_id = $2 WHERE copy_id = $1 AND book_id = $3", copy, from, into);
    loans +=
        tx.execute("UPDATE borrows SET book_id = $2 WHERE copy_id = $1 AND book_id = $3", copy, from, into);
    tx.execute("UPDATE copies SET book_id = $2 WHERE id = $1 AND book_id = $3", copy, from, into);
  }
  for (const auto hold : numbers("holds"))
    // Not when the copy that it got meanwhile stays with the other book.
    tx.execute(
        "UPDATE holds SET book_id = $2 WHERE id = $1 AND book_id = $3 AND (copy_id IS NULL OR copy_id IN "
        "(SELECT c.id FROM copies c WHERE c.book_id = $2)) AND (ended_at IS NOT NULL OR NOT EXISTS (SELECT 1 "
        "FROM holds o WHERE o.user_id = holds.user_id AND o.book_id = $2 AND o.ended_at IS NULL))",
        hold, from, into);
  for (const auto fine : numbers("fines"))
    tx.execute("UPDATE fines SET book_id = $2 WHERE id = $1 AND book_id = $3", fine, from, into);
  tx.execute(
      "UPDATE fines SET book_id = $1 WHERE book_id = $2 AND borrow_id IN (SELECT id FROM borrows WHERE "
      "book_id = $1)",
      from, into);
  if (const auto* lines = note.if_contains("lines"))
    for (const auto& entry : lines->as_array())
      tx.execute("UPDATE holds SET line = $2 WHERE id = $1 AND ended_at IS NULL", entry.at(0).as_int64(),
                 entry.at(1).as_int64());
  // People who had asked for both wait for both again, unless they have the book or asked again.
  for (const auto hold : numbers("ended"))
    tx.execute(
        "UPDATE holds SET status = 'waiting', ended_at = NULL, copy_id = NULL, ready_at = NULL, pickup_until "
        "= "
        "NULL WHERE id = $1 AND status = 'cancelled' AND NOT EXISTS (SELECT 1 FROM holds o WHERE o.user_id = "
        "holds.user_id AND o.book_id = holds.book_id AND o.ended_at IS NULL) AND NOT EXISTS (SELECT 1 FROM "
        "borrows l WHERE l.user_id = holds.user_id AND l.book_id = holds.book_id AND l.status <> 'returned')",
        hold);
  count_loans(tx, from, loans);
  count_loans(tx, into, -loans);
  settle(tx, from, by);
  settle(tx, into, by);
}

void MergedBooks::settle(db::Transaction& tx, BookId book, const Caller& by) const {
  HoldQueue(tx, journal_, rules_, clock_.now(), by).settle(book);
}

}  // namespace lumina::borrows
