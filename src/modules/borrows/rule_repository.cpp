#include "modules/borrows/rule_repository.hpp"

#include <map>

namespace lumina::borrows {
namespace {

const db::Columns<Rule> rule_columns{{"r.id", &Rule::id},
                                     {"r.category", &Rule::category},
                                     {"r.item_type", &Rule::item_type},
                                     {"r.branch_id", &Rule::branch_id},
                                     {"r.loan_period_days", &Rule::loan_period_days},
                                     {"r.max_loans", &Rule::max_loans},
                                     {"r.max_holds", &Rule::max_holds},
                                     {"r.max_renewals", &Rule::max_renewals},
                                     {"r.renewal_period_days", &Rule::renewal_period_days},
                                     {"r.fine_per_day_minor", &Rule::fine_per_day_minor},
                                     {"r.fine_grace_days", &Rule::fine_grace_days},
                                     {"r.fine_cap_minor", &Rule::fine_cap_minor},
                                     {"r.max_fine_balance_minor", &Rule::max_fine_balance_minor},
                                     {"r.overdue_block", &Rule::overdue_block},
                                     {"r.pickup_days", &Rule::pickup_days},
                                     {"r.holds_allowed", &Rule::holds_allowed},
                                     {"r.replacement_cost_minor", &Rule::replacement_cost_minor},
                                     {"r.lost_credit_days", &Rule::lost_credit_days}};

// The kind of a copy c.
const std::string kind_columns = "c.item_type, c.branch_id";

const db::Columns<RuleSetVersion> version_columns{
    {"s.version", &RuleSetVersion::version},
    {"(SELECT count(*) FROM circulation_rules r WHERE r.version = s.version)", &RuleSetVersion::rules},
    {"s.note", &RuleSetVersion::note},
    {"s.created_at", &RuleSetVersion::created_at},
    {"s.created_by", &RuleSetVersion::created_by}};

const db::Columns<PatronCategory> category_columns{
    {"c.code", &PatronCategory::code},
    {"c.name", &PatronCategory::name},
    {"c.description", &PatronCategory::description},
    {"(SELECT count(*) FROM patrons p WHERE p.category = c.code)", &PatronCategory::patrons},
    {"c.created_at", &PatronCategory::created_at},
    {"c.version", &PatronCategory::version}};

const db::Columns<Patron> patron_columns{{"u.id", &Patron::user_id},
                                         {"u.full_name", &Patron::full_name},
                                         {"u.email", &Patron::email},
                                         {"p.category", &Patron::category},
                                         {"k.card_number", &Patron::card_number}};

}  // namespace

std::int64_t RuleRepository::newest_version() {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT coalesce(max(version), 0) FROM rule_sets"));
}

std::vector<RuleSetVersion> RuleRepository::versions(std::int64_t skip, std::int64_t limit) {
  static const std::string sql = "SELECT " + version_columns.list() +
                                 " FROM rule_sets s ORDER BY s.version DESC LIMIT CAST($1 AS BIGINT) "
                                 "OFFSET CAST($2 AS BIGINT)";
  return tx_.list(version_columns, sql, limit, skip);
}

std::int64_t RuleRepository::count_versions() {
  return std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM rule_sets"));
}

std::optional<RuleSetAnswer> RuleRepository::find_set(std::int64_t version) {
  static const std::string sql =
      "SELECT " + version_columns.list() + " FROM rule_sets s WHERE s.version = $1";
  const auto found = tx_.find(version_columns, sql, version);
  if (!found) return {};
  return RuleSetAnswer{found->version, rules(version), found->note, found->created_at, found->created_by};
}

std::vector<Rule> RuleRepository::rules(std::int64_t version) {
  static const std::string sql =
      "SELECT " + rule_columns.list() + " FROM circulation_rules r WHERE r.version = $1 ORDER BY r.id";
  return tx_.list(rule_columns, sql, version);
}

std::optional<std::int64_t> RuleRepository::insert_set(const NewRuleSet& set, std::optional<UserId> by,
                                                       Timestamp now) {
  const auto made = tx_.one<std::int64_t>(
      "INSERT INTO rule_sets (version, note, created_at, created_by) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT DO NOTHING RETURNING version",
      newest_version() + 1, set.note, now, by);
  if (!made) return {};
  const auto version = std::get<0>(*made);
  for (const Rule& r : set.rules)
    tx_.execute(
        "INSERT INTO circulation_rules (version, category, item_type, branch_id, loan_period_days, "
        "max_loans, "
        "max_holds, max_renewals, renewal_period_days, fine_per_day_minor, fine_grace_days, fine_cap_minor, "
        "max_fine_balance_minor, overdue_block, pickup_days, holds_allowed, replacement_cost_minor, "
        "lost_credit_days) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        version, r.category, r.item_type, r.branch_id, r.loan_period_days, r.max_loans, r.max_holds,
        r.max_renewals, r.renewal_period_days, r.fine_per_day_minor, r.fine_grace_days, r.fine_cap_minor,
        r.max_fine_balance_minor, r.overdue_block, r.pickup_days, r.holds_allowed, r.replacement_cost_minor,
        r.lost_credit_days);
  return version;
}

std::vector<PatronCategory> RuleRepository::categories() {
  static const std::string sql =
      "SELECT " + category_columns.list() + " FROM patron_categories c ORDER BY c.code";
  return tx_.list(category_columns, sql);
}

std::optional<PatronCategory> RuleRepository::find_category(const std::string& code) {
  static const std::string sql =
      "SELECT " + category_columns.list() + " FROM patron_categories c WHERE c.code = $1";
  return tx_.find(category_columns, sql, code);
}

bool RuleRepository::insert_category(const NewPatronCategory& category, Timestamp now) {
  return tx_.execute(
             "INSERT INTO patron_categories (code, name, description, created_at) VALUES ($1, $2, $3, $4) "
             "ON CONFLICT DO NOTHING",
             category.code, category.name, category.description, now) > 0;
}

bool RuleRepository::update_category(const PatronCategory& category) {
  return tx_.execute(
             "UPDATE patron_categories SET name = $2, description = $3, version = version + 1 "
             "WHERE code = $1 AND version = $4",
             category.code, category.name, category.description, category.version) > 0;
}

void RuleRepository::erase_category(const std::string& code) {
  tx_.execute("DELETE FROM patron_categories WHERE code = $1", code);
}

bool RuleRepository::names_category(std::int64_t version, const std::string& code) {
  return tx_
      .one<std::int64_t>("SELECT 1 FROM circulation_rules WHERE version = $1 AND category = $2 LIMIT 1",
                         version, code)
      .has_value();
}

std::optional<Patron> RuleRepository::find_patron(UserId user) {
  static const std::string sql = "SELECT " + patron_columns.list() +
                                 " FROM users u LEFT JOIN patrons p ON p.user_id = u.id "
                                 "LEFT JOIN library_cards k ON k.user_id = u.id "
                                 "WHERE u.id = $1 AND u.deleted_at IS NULL";
  return tx_.find(patron_columns, sql, user);
}

void RuleRepository::hold_person(UserId user) {
  if (tx_.postgresql()) tx_.one<UserId>("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user);
}

bool RuleRepository::set_category(UserId user, const std::optional<std::string>& category, Timestamp now) {
  if (category) {
    // The lock keeps the category until this transaction ends; SQLite has one writer.
    const bool exists =
        tx_.postgresql()
            ? tx_.one<std::string>("SELECT code FROM patron_categories WHERE code = $1 FOR KEY SHARE",
                                   *category)
                  .has_value()
            : tx_.one<std::string>("SELECT code FROM patron_categories WHERE code = $1", *category)
                  .has_value();
    if (!exists) return false;
  }
  tx_.execute(
      "INSERT INTO patrons (user_id, category, updated_at) VALUES ($1, $2, $3) "
      "ON CONFLICT (user_id) DO UPDATE SET category = excluded.category, updated_at = excluded.updated_at",
      user, category, now);
  return true;
}

bool RuleRepository::set_card(UserId user, const std::optional<std::string>& card_number) {
  const auto now = tx_.one<std::string>("SELECT card_number FROM library_cards WHERE user_id = $1", user);
  if ((now ? std::optional(std::get<0>(*now)) : std::nullopt) == card_number) return true;
  tx_.execute("DELETE FROM library_cards WHERE user_id = $1", user);
  if (!card_number) return true;
  return tx_.execute(
             "INSERT INTO library_cards (card_number, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
             *card_number, user) > 0;
}

BorrowerState RuleRepository::borrower_state(UserId user) {
  BorrowerState state;
  if (const auto row =
          tx_.one<std::optional<std::string>>("SELECT category FROM patrons WHERE user_id = $1", user))
    state.category = std::get<0>(*row);
  static const std::string open_loans = "SELECT o.due_date, " + kind_columns +
                                        " FROM borrows o JOIN copies c ON c.id = o.copy_id "
                                        "WHERE o.user_id = $1 AND o.status <> 'returned'";
  tx_.each<Timestamp, std::optional<std::string>, std::optional<std::int64_t>>(
      [&](Timestamp due, std::optional<std::string> type, std::optional<std::int64_t> branch) {
        state.loans.push_back({{std::move(type), branch}, due});
      },
      open_loans, user);
  // What is owed, by way of the index of unsettled fines; it equals the sum of the person's ledger lines.
  state.balance_minor = std::get<0>(*tx_.one<std::int64_t>(
      "SELECT CAST(coalesce(sum(charged_minor - settled_minor), 0) AS BIGINT) FROM fines "
      "WHERE user_id = $1 AND settled_minor < charged_minor",
      user));
  tx_.each<std::string>(
      [&](std::string reason) { state.blocks.push_back(std::move(reason)); },
      "SELECT reason FROM patron_blocks WHERE user_id = $1 AND lifted_at IS NULL ORDER BY id", user);
  return state;
}

CopyKind RuleRepository::kind_of(CopyId copy) {
  static const std::string sql = "SELECT " + kind_columns + " FROM copies c WHERE c.id = $1";
  CopyKind kind;
  tx_.each<std::optional<std::string>, std::optional<std::int64_t>>(
      [&](std::optional<std::string> type, std::optional<std::int64_t> branch) {
        kind = {std::move(type), branch};
      },
      sql, copy);
  return kind;
}

std::optional<RuleRepository::FoundCopy> RuleRepository::find_copy(const std::string& barcode) {
  const auto row = tx_.one<CopyId, BookId>("SELECT id, book_id FROM copies WHERE barcode = $1", barcode);
  if (!row) return {};
  return FoundCopy{std::get<0>(*row), std::get<1>(*row)};
}

bool RuleRepository::is_free(CopyId copy) {
  return tx_
      .one<CopyId>(
          "SELECT c.id FROM copies c WHERE c.id = $1 AND c.status = 'available' AND "
          "(SELECT o.id FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL) IS NULL",
          copy)
      .has_value();
}

void RuleRepository::stamp_loan(BorrowId loan, std::int64_t version, std::optional<std::int64_t> rule,
                                Timestamp due_date) {
  tx_.execute("UPDATE borrows SET rule_version = $2, rule_id = $3, due_date = $4 WHERE id = $1", loan,
              version, rule, due_date);
}

bool RuleRepository::any_blocks() {
  return tx_.one<std::int64_t>("SELECT 1 FROM patron_blocks WHERE lifted_at IS NULL LIMIT 1").has_value();
}

void RuleRepository::past_loans(Timestamp since, const std::function<void(const PastLoan&)>& seen) {
  static const std::string sql =
      "SELECT o.id, o.due_date, o.user_id, p.category, o.borrow_date, o.return_date, o.renewals, " +
      kind_columns +
      " FROM borrows o JOIN copies c ON c.id = o.copy_id LEFT JOIN patrons p ON p.user_id = o.user_id "
      "WHERE o.borrow_date >= $1 OR o.return_date IS NULL OR o.return_date >= $1 ORDER BY o.borrow_date, "
      "o.id";
  tx_.each<BorrowId, Timestamp, std::optional<UserId>, std::optional<std::string>, Timestamp,
           std::optional<Timestamp>, int, std::optional<std::string>, std::optional<std::int64_t>>(
      [&](BorrowId id, Timestamp due, std::optional<UserId> user, std::optional<std::string> category,
          Timestamp borrowed, std::optional<Timestamp> returned, int renewals,
          std::optional<std::string> type, std::optional<std::int64_t> branch) {
        seen({user, std::move(category), {std::move(type), branch}, borrowed, returned, renewals, id, due});
      },
      sql, since);
}

std::vector<PastWait> RuleRepository::past_waits(Timestamp since) {
  std::map<std::int64_t, PastWait> by_hold;  // the last loan that came back before the copy was kept
  tx_.each<std::int64_t, BorrowId, Timestamp, Timestamp>(
      [&](std::int64_t hold, BorrowId loan, Timestamp placed, Timestamp ready) {
        by_hold[hold] = {loan, placed, ready};
      },
      "SELECT h.id, o.id, h.created_at, h.ready_at FROM holds h JOIN borrows o ON o.copy_id = h.copy_id "
      "WHERE h.ready_at >= $1 AND o.return_date <= h.ready_at AND o.return_date > h.ready_at - 86400000 "
      "AND h.created_at < o.return_date ORDER BY h.id, o.return_date",
      since);
  std::vector<PastWait> all;
  for (auto& [hold, wait] : by_hold) all.push_back(wait);
  return all;
}

std::int64_t RuleRepository::open_holds(UserId user) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "SELECT count(DISTINCT coalesce(group_id, -id)) FROM holds WHERE user_id = $1 AND ended_at IS NULL",
      user));
}

CopyKind RuleRepository::kind_of_book(BookId book) {
  static const std::string sql =
      "SELECT " + kind_columns + " FROM copies c WHERE c.book_id = $1 ORDER BY c.id LIMIT 1";
  CopyKind kind;
  tx_.each<std::optional<std::string>, std::optional<std::int64_t>>(
      [&](std::optional<std::string> type, std::optional<std::int64_t> branch) {
        kind = {std::move(type), branch};
      },
      sql, book);
  return kind;
}

}  // namespace lumina::borrows
