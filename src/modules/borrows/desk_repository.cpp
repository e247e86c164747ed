#include "modules/borrows/desk_repository.hpp"

#include "core/base/text.hpp"

#include <charconv>

namespace lumina::borrows {
namespace {

using Item = DeskRepository::Item;
using Lent = DeskRepository::Lent;

const db::Columns<Item> item_columns{
    {"c.id", &Item::copy},
    {"c.book_id", &Item::book},
    {"b.title", &Item::title},
    {"c.status", &Item::stored},
    {"h.code", &Item::branch_code},
    {"o.id", &Item::loan},
    {"o.user_id", &Item::borrower},
    {"o.due_date", &Item::due_date},
    {"(SELECT r.pickup_until FROM holds r WHERE r.copy_id = c.id AND r.status = 'ready')",
     &Item::pickup_until},
    {"(SELECT count(*) FROM holds w WHERE w.book_id = c.book_id AND w.ended_at IS NULL AND "
     "w.status <> 'ready')",
     &Item::waiting}};
const db::Columns<Lent> lent_columns{{"o.id", &Lent::id},
                                     {"coalesce(c.barcode, '')", &Lent::barcode},
                                     {"b.title", &Lent::title},
                                     {"o.due_date", &Lent::due_date}};

}  // namespace

std::optional<Item> DeskRepository::find_item(std::string_view barcode) {
  static const std::string sql =
      "SELECT " + item_columns.list() +
      " FROM copies c JOIN books b ON b.id = c.book_id JOIN branches h ON h.id = c.branch_id "
      "LEFT JOIN borrows o ON o.copy_id = c.id AND o.return_date IS NULL "
      "WHERE c.barcode = $1 AND b.deleted_at IS NULL";
  return tx_.find(item_columns, sql, barcode);
}

std::vector<Lent> DeskRepository::lent_to(UserId user) {
  static const std::string sql =
      "SELECT " + lent_columns.list() +
      " FROM borrows o JOIN copies c ON c.id = o.copy_id JOIN books b ON b.id = o.book_id "
      "WHERE o.user_id = $1 AND o.status <> 'returned' ORDER BY o.due_date, o.id";
  return tx_.list(lent_columns, sql, user);
}

std::optional<BranchId> DeskRepository::find_branch(std::string_view code) {
  const auto row = tx_.one<BranchId>("SELECT id FROM branches WHERE code = $1 AND deleted_at IS NULL", code);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

std::optional<DeskRepository::Patron> DeskRepository::find_patron(std::string_view text) {
  const auto trimmed = trim(text);
  std::optional<Patron> found;
  const auto keep = [&](UserId id, std::string name, std::string email, bool active) {
    found = Patron{id, std::move(name), std::move(email), active};
  };
  if (trimmed.find('@') != std::string_view::npos) {
    tx_.each<UserId, std::string, std::string, bool>(
        keep, "SELECT id, full_name, email, is_active FROM users WHERE email_key = $1 AND deleted_at IS NULL",
        ascii_lower(trimmed));
    return found;
  }
  // A card may be all digits, as ids are: what was scanned is a card, if there is such a card.
  tx_.each<UserId, std::string, std::string, bool>(
      keep,
      "SELECT u.id, u.full_name, u.email, u.is_active FROM library_cards k JOIN users u ON u.id = k.user_id "
      "WHERE k.card_number = $1 AND u.deleted_at IS NULL",
      trimmed);
  if (found) return found;
  std::int64_t id = 0;
  const char* const last = trimmed.data() + trimmed.size();
  const auto [end, error] = std::from_chars(trimmed.data(), last, id);
  if (error != std::errc{} || end != last) return {};
  tx_.each<UserId, std::string, std::string, bool>(
      keep, "SELECT id, full_name, email, is_active FROM users WHERE id = $1 AND deleted_at IS NULL", id);
  return found;
}

bool DeskRepository::claim(const OfflineTransaction& t, UserId by, Timestamp now) {
  return tx_.execute(
             "INSERT INTO offline_transactions (client_id, kind, barcode, patron, at, received_at, user_id, "
             "outcome) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, 'done') ON CONFLICT (client_id) DO NOTHING",
             t.client_id, t.kind, t.barcode, t.patron, t.at, now, by) > 0;
}

void DeskRepository::set_loan(std::string_view client_id, BorrowId loan) {
  tx_.execute("UPDATE offline_transactions SET borrow_id = $2 WHERE client_id = $1", client_id, loan);
}

void DeskRepository::note_conflict(const OfflineTransaction& t, UserId by, Timestamp now,
                                   std::string_view code, std::string_view detail) {
  tx_.execute(
      "INSERT INTO offline_transactions (client_id, kind, barcode, patron, at, received_at, user_id, "
      "outcome, code, detail) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, 'conflict', $8, $9) ON CONFLICT (client_id) DO NOTHING",
      t.client_id, t.kind, t.barcode, t.patron, t.at, now, by, code, detail);
}

std::optional<OfflineResult> DeskRepository::known(std::string_view client_id) {
  std::optional<OfflineResult> found;
  tx_.each<OfflineOutcome, std::optional<std::string>, std::optional<std::string>, std::optional<BorrowId>>(
      [&](OfflineOutcome, std::optional<std::string> code, std::optional<std::string> detail,
          std::optional<BorrowId> loan) {
        found = OfflineResult{std::string(client_id), OfflineOutcome::duplicate, std::move(code),
                              std::move(detail), loan};
      },
      "SELECT outcome, code, detail, borrow_id FROM offline_transactions WHERE client_id = $1", client_id);
  return found;
}

}  // namespace lumina::borrows
