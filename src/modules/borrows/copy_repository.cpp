#include "modules/borrows/copy_repository.hpp"

#include "core/db/columns.hpp"
#include "modules/borrows/id_cursor.hpp"

namespace lumina::borrows {
namespace {

constexpr char cursor_letter = 'c';

const db::Columns<Copy> copy_columns{
    {"c.id", &Copy::id},
    {"c.book_id", &Copy::book_id},
    {"c.barcode", &Copy::barcode},
    {"c.branch_id", &Copy::branch_id},
    {"c.location", &Copy::location},
    {"c.condition", &Copy::condition},
    {"c.item_type", &Copy::item_type},
    {"CASE WHEN c.status = 'available' AND EXISTS (SELECT 1 FROM borrows o WHERE o.copy_id = c.id AND "
     "o.return_date IS NULL) THEN 'on_loan' ELSE c.status END",
     &Copy::status}};

constexpr auto from_copies = " FROM copies c JOIN books b ON b.id = c.book_id WHERE b.deleted_at IS NULL";

struct Conditions {
  std::string where;
  std::vector<db::Value> values;

  template <class T>
  std::string bind(const T& value) {
    values.push_back(db::to_value(value));
    return "$" + std::to_string(values.size());
  }
};

Conditions conditions_of(const CopyFilter& filter) {
  Conditions c;
  if (filter.barcode) c.where += " AND c.barcode = " + c.bind(*filter.barcode);
  if (filter.branch_id) c.where += " AND c.branch_id = " + c.bind(*filter.branch_id);
  if (filter.item_type) c.where += " AND c.item_type = " + c.bind(*filter.item_type);
  return c;
}

}  // namespace

std::vector<Copy> CopyRepository::of_book(BookId book) {
  static const std::string sql =
      "SELECT " + copy_columns.list() + " FROM copies c WHERE c.book_id = $1 ORDER BY c.id";
  return tx_.list(copy_columns, sql, book);
}

CopyRepository::Listing CopyRepository::list(const CopyFilter& filter, const PageRequest& page) {
  Listing listing;
  auto c = conditions_of(filter);
  if (page.cursor) {
    const auto last = decode_id_cursor(cursor_letter, *page.cursor);
    if (!last) {
      listing.bad_cursor = true;
      return listing;
    }
    c.where += " AND c.id > " + c.bind(*last);
  }
  const auto limit = c.bind(page.limit), offset = c.bind(page.skip);
  const std::string sql = "SELECT " + copy_columns.list() + from_copies + c.where +
                          " ORDER BY c.id LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" + offset +
                          " AS BIGINT)";
  listing.copies = tx_.list(copy_columns, sql, c.values);
  if (static_cast<std::int64_t>(listing.copies.size()) == page.limit)
    listing.next_cursor = encode_id_cursor(cursor_letter, listing.copies.back().id.value);
  return listing;
}

std::int64_t CopyRepository::count(const CopyFilter& filter) {
  const auto c = conditions_of(filter);
  std::int64_t n = 0;
  const std::string sql = std::string("SELECT count(*)") + from_copies + c.where;
  tx_.each_of<std::int64_t>([&](std::int64_t found) { n = found; }, sql, c.values);
  return n;
}

std::optional<Copy> CopyRepository::find(CopyId id) {
  static const std::string sql = "SELECT " + copy_columns.list() + from_copies + " AND c.id = $1";
  return tx_.find(copy_columns, sql, id);
}

std::optional<Copy> CopyRepository::find_by_barcode(std::string_view barcode) {
  static const std::string sql = "SELECT " + copy_columns.list() + from_copies + " AND c.barcode = $1";
  return tx_.find(copy_columns, sql, barcode);
}

std::optional<CopyRepository::State> CopyRepository::state(CopyId id) {
  std::optional<State> found;
  tx_.each<CopyStatus, std::optional<BorrowId>, std::optional<UserId>>(
      [&](CopyStatus stored, std::optional<BorrowId> loan, std::optional<UserId> borrower) {
        found = State{stored, loan, borrower};
      },
      "SELECT c.status, o.id, o.user_id FROM copies c LEFT JOIN borrows o ON o.copy_id = c.id AND "
      "o.return_date IS NULL "
      "WHERE c.id = $1",
      id);
  return found;
}

int CopyRepository::number_of(BookId book) {
  return std::get<0>(*tx_.one<int>("SELECT count(*) FROM copies WHERE book_id = $1", book));
}

std::optional<CopyId> CopyRepository::insert(BookId book, std::string_view barcode, BranchId branch,
                                             const NewCopy& copy, Timestamp now) {
  const auto row = tx_.one<CopyId>(
      "INSERT INTO copies (book_id, barcode, branch_id, location, condition, item_type, created_at, "
      "updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (barcode) DO NOTHING RETURNING id",
      book, barcode, branch, copy.location, copy.condition, copy.item_type.value_or("book"), now);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

bool CopyRepository::update(const Copy& copy, Timestamp now) {
  if (copy.barcode) {
    const auto holder = tx_.one<CopyId>("SELECT id FROM copies WHERE barcode = $1", *copy.barcode);
    if (holder && std::get<0>(*holder) != copy.id) return false;
  }
  tx_.execute(
      "UPDATE copies SET barcode = $2, branch_id = $3, location = $4, condition = $5, item_type = $6, "
      "updated_at = $7 "
      "WHERE id = $1",
      copy.id, copy.barcode, copy.branch_id, copy.location, copy.condition, copy.item_type, now);
  return true;
}

void CopyRepository::set_status(CopyId id, CopyStatus status, Timestamp now) {
  tx_.execute("UPDATE copies SET status = $2, updated_at = $3 WHERE id = $1", id, status, now);
}

bool CopyRepository::erase(CopyId id) {
  return tx_.execute(
             "DELETE FROM copies WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM borrows WHERE copy_id = $1)",
             id) > 0;
}

}  // namespace lumina::borrows
