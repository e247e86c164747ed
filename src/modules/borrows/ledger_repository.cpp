#include "modules/borrows/ledger_repository.hpp"

namespace lumina::borrows {
namespace {

const db::Columns<Fine> fine_columns{{"f.id", &Fine::id},
                                     {"f.user_id", &Fine::user_id},
                                     {"f.kind", &Fine::kind},
                                     {"f.borrow_id", &Fine::borrow_id},
                                     {"f.book_id", &Fine::book_id},
                                     {"b.title", &Fine::book_title},
                                     {"f.note", &Fine::note},
                                     {"f.charged_minor", &Fine::amount_minor},
                                     {"f.settled_minor", &Fine::settled_minor},
                                     {"f.created_at", &Fine::created_at},
                                     {"f.updated_at", &Fine::updated_at}};
constexpr auto from_fines = " FROM fines f LEFT JOIN books b ON b.id = f.book_id ";

const db::Columns<LedgerLine> line_columns{{"l.id", &LedgerLine::id},
                                           {"l.fine_id", &LedgerLine::fine_id},
                                           {"l.kind", &LedgerLine::kind},
                                           {"l.amount_minor", &LedgerLine::amount_minor},
                                           {"l.note", &LedgerLine::note},
                                           {"l.created_at", &LedgerLine::created_at},
                                           {"l.created_by", &LedgerLine::created_by}};

using LateLoan = LedgerRepository::LateLoan;
const db::Columns<LateLoan> loan_facts{
    {"o.id", &LateLoan::id},
    {"o.user_id", &LateLoan::user},
    {"o.book_id", &LateLoan::book},
    {"o.copy_id", &LateLoan::copy},
    {"o.due_date", &LateLoan::due_date},
    {"o.rule_version", &LateLoan::rule_version},
    {"(SELECT p.category FROM patrons p WHERE p.user_id = o.user_id)", &LateLoan::category}};

const db::Columns<Block> block_columns{{"k.id", &Block::id},
                                       {"k.reason", &Block::detail},
                                       {"k.created_at", &Block::created_at},
                                       {"k.created_by", &Block::created_by}};

Fine finished(Fine fine) {
  fine.outstanding_minor = fine.amount_minor - fine.settled_minor;
  fine.status = fine.outstanding_minor > 0 ? FineStatus::open : FineStatus::settled;
  return fine;
}

}  // namespace

std::optional<Fine> LedgerRepository::find(FineId id) {
  static const std::string sql = "SELECT " + fine_columns.list() + from_fines + "WHERE f.id = $1";
  auto row = tx_.find(fine_columns, sql, id);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

Page<Fine> LedgerRepository::list(UserId user, std::optional<FineStatus> status, const PageRequest& page) {
  static const std::string sql =
      "SELECT " + fine_columns.list() + from_fines +
      "WHERE f.user_id = $1 AND ($2 = '' OR (f.settled_minor < f.charged_minor) = "
      "($2 = 'open')) ORDER BY f.id DESC LIMIT CAST($3 AS BIGINT) OFFSET CAST($4 AS BIGINT)";
  const std::string wanted =
      status ? std::string(fine_status_names[static_cast<std::size_t>(*status)]) : std::string();
  Page<Fine> out;
  for (auto& row : tx_.list(fine_columns, sql, user, wanted, page.limit, page.skip))
    out.items.push_back(finished(std::move(row)));
  out.total =
      std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM fines f WHERE f.user_id = $1 AND ($2 = '' OR "
                                         "(f.settled_minor < f.charged_minor) = "
                                         "($2 = 'open'))",
                                         user, wanted));
  return out;
}

FineId LedgerRepository::insert(const NewFine& fine, std::optional<BookId> book, std::optional<UserId> by,
                                Timestamp now) {
  const auto id = std::get<0>(*tx_.one<FineId>(
      "INSERT INTO fines (user_id, kind, borrow_id, book_id, note, charged_minor, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id",
      fine.user_id, fine.kind, fine.borrow_id, book, fine.note, fine.amount_minor, now));
  add_line(fine.user_id, id, LineKind::charge, fine.amount_minor, fine.note, by, now);
  return id;
}

std::vector<Fine> LedgerRepository::hold_owed(UserId user) {
  static const std::string sql = "SELECT " + fine_columns.list() + from_fines +
                                 "WHERE f.user_id = $1 AND f.settled_minor < f.charged_minor ORDER BY f.id";
  static const std::string locking = sql + " FOR UPDATE OF f";
  std::vector<Fine> out;
  for (auto& row : tx_.list(fine_columns, tx_.postgresql() && tx_.writable() ? locking : sql, user))
    out.push_back(finished(std::move(row)));
  return out;
}

bool LedgerRepository::knows_payment(UserId user, std::string_view note) {
  return tx_
      .one<std::int64_t>(
          "SELECT id FROM ledger_lines WHERE user_id = $1 AND kind = 'payment' AND note = $2 LIMIT 1", user,
          note)
      .has_value();
}

bool LedgerRepository::settle(const Fine& fine, LineKind kind, std::int64_t amount,
                              const std::optional<std::string>& note, std::optional<UserId> by,
                              Timestamp now) {
  if (tx_.execute("UPDATE fines SET settled_minor = settled_minor + $2, updated_at = $3 "
                  "WHERE id = $1 AND settled_minor + $2 <= charged_minor",
                  fine.id, amount, now) == 0)
    return false;
  add_line(fine.user_id, fine.id, kind, -amount, note, by, now);
  return true;
}

std::optional<LateLoan> LedgerRepository::loan(BorrowId id) {
  static const std::string sql =
      "SELECT " + loan_facts.list() + " FROM borrows o WHERE o.id = $1 AND o.user_id IS NOT NULL";
  return tx_.find(loan_facts, sql, id);
}

std::vector<LateLoan> LedgerRepository::late_loans(Timestamp now, Timestamp after_due, BorrowId after,
                                                   int most) {
  static const std::string sql =
      "SELECT " + loan_facts.list() +
      " FROM borrows o WHERE o.status IN ('active', 'overdue') AND o.rule_version > 0 "
      "AND o.due_date < $1 AND (o.due_date, o.id) > ($2, $3) "
      "ORDER BY o.due_date, o.id LIMIT CAST($4 AS BIGINT)";
  return tx_.list(loan_facts, sql, now, after_due, after, most);
}

std::vector<LateLoan> LedgerRepository::lost_loans(BorrowId after, int most) {
  static const std::string sql =
      "SELECT " + loan_facts.list() +
      " FROM copies c JOIN borrows o ON o.copy_id = c.id AND o.return_date IS NULL "
      "WHERE c.status = 'lost' AND o.rule_version > 0 AND o.id > $1 AND NOT EXISTS "
      "(SELECT 1 FROM fines f WHERE f.borrow_id = o.id AND f.kind = 'lost') "
      "ORDER BY o.id LIMIT CAST($2 AS BIGINT)";
  return tx_.list(loan_facts, sql, after, most);
}

std::int64_t LedgerRepository::charge_up_to(const LateLoan& loan, FineKind kind, std::int64_t amount,
                                            Timestamp now) {
  tx_.execute(
      "INSERT INTO fines (user_id, kind, borrow_id, book_id, created_at, updated_at) VALUES ($1, $2, $3, $4, "
      "$5, $5) "
      "ON CONFLICT DO NOTHING",
      loan.user, kind, loan.id, loan.book, now);
  // Locked, so that two who charge at once do not charge twice.
  static const std::string sql =
      "SELECT f.id, f.charged_minor FROM fines f WHERE f.borrow_id = $1 AND f.kind = $2";
  static const std::string locking = sql + " FOR UPDATE";
  const auto row = tx_.one<FineId, std::int64_t>(tx_.postgresql() ? locking : sql, loan.id, kind);
  const auto [id, charged] = row.value();
  const std::int64_t difference = amount - charged;
  if (difference <= 0) return 0;
  tx_.execute("UPDATE fines SET charged_minor = $2, updated_at = $3 WHERE id = $1", id, amount, now);
  add_line(loan.user, id, LineKind::charge, difference, {}, {}, now);
  return difference;
}

std::optional<Fine> LedgerRepository::fine_of_loan(BorrowId loan, FineKind kind) {
  static const std::string sql = "SELECT " + fine_columns.list() + from_fines +
                                 "WHERE f.borrow_id = $1 AND f.kind = $2 ORDER BY f.id LIMIT 1";
  auto row = tx_.find(fine_columns, sql, loan, kind);
  return row ? std::optional(finished(std::move(*row))) : std::nullopt;
}

std::int64_t LedgerRepository::balance(UserId user) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM ledger_lines WHERE user_id = $1", user));
}

std::vector<LedgerLine> LedgerRepository::lines(UserId user, int most) {
  static const std::string sql =
      "SELECT " + line_columns.list() +
      " FROM ledger_lines l WHERE l.user_id = $1 ORDER BY l.id DESC LIMIT CAST($2 AS BIGINT)";
  return tx_.list(line_columns, sql, user, most);
}

std::vector<Block> LedgerRepository::blocks(UserId user) {
  static const std::string sql =
      "SELECT " + block_columns.list() +
      " FROM patron_blocks k WHERE k.user_id = $1 AND k.lifted_at IS NULL ORDER BY k.id";
  auto all = tx_.list(block_columns, sql, user);
  for (Block& block : all) block.kind = "manual";
  return all;
}

BlockId LedgerRepository::insert_block(UserId user, const std::string& reason, std::optional<UserId> by,
                                       Timestamp now) {
  return std::get<0>(
      *tx_.one<BlockId>("INSERT INTO patron_blocks (user_id, reason, created_at, created_by) VALUES ($1, $2, "
                        "$3, $4) RETURNING id",
                        user, reason, now, by));
}

std::optional<Block> LedgerRepository::find_block(BlockId id) {
  static const std::string sql = "SELECT " + block_columns.list() + " FROM patron_blocks k WHERE k.id = $1";
  auto block = tx_.find(block_columns, sql, id);
  if (block) block->kind = "manual";
  return block;
}

std::vector<BlockId> LedgerRepository::lift_blocks(UserId user, std::optional<BlockId> one,
                                                   std::optional<UserId> by, Timestamp now) {
  std::vector<BlockId> lifted;
  tx_.each<BlockId>(
      [&](BlockId id) { lifted.push_back(id); },
      "UPDATE patron_blocks SET lifted_at = $2, lifted_by = $3 WHERE user_id = $1 AND lifted_at IS NULL "
      "AND (CAST($4 AS BIGINT) = 0 OR id = CAST($4 AS BIGINT)) RETURNING id",
      user, now, by, one.value_or(BlockId{}));
  return lifted;
}

void LedgerRepository::add_line(UserId user, FineId fine, LineKind kind, std::int64_t amount,
                                const std::optional<std::string>& note, std::optional<UserId> by,
                                Timestamp now) {
  tx_.execute(
      "INSERT INTO ledger_lines (user_id, fine_id, kind, amount_minor, note, created_at, created_by) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      user, fine, kind, amount, note, now, by);
}

}  // namespace lumina::borrows
