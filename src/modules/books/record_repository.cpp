#include "modules/books/record_repository.hpp"

#include "modules/books/history.hpp"
#include "modules/books/record_service.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace lumina::books {
namespace {

struct HistoryRow : HistoryEntry {
  std::string packed;
};
const db::Columns<HistoryRow> history_columns{
    {"h.version", &HistoryRow::version},     {"h.at", &HistoryRow::at},
    {"h.action", &HistoryRow::action},       {"h.user_id", &HistoryRow::user_id},
    {"u.full_name", &HistoryRow::user_name}, {"h.changes", &HistoryRow::packed}};

const db::Columns<RecordRepository::Gone> gone_columns{{"id", &RecordRepository::Gone::id},
                                                       {"deleted_at", &RecordRepository::Gone::deleted_at},
                                                       {"merged_into", &RecordRepository::Gone::merged_into},
                                                       {"removed_by", &RecordRepository::Gone::removed_by}};

const db::Columns<DeletedBook> deleted_columns{{"id", &DeletedBook::id},
                                               {"title", &DeletedBook::title},
                                               {"author", &DeletedBook::author},
                                               {"isbn", &DeletedBook::isbn},
                                               {"deleted_at", &DeletedBook::deleted_at},
                                               {"merged_into", &DeletedBook::merged_into}};

const db::Columns<ChangeSet> set_columns{{"id", &ChangeSet::id},
                                         {"kind", &ChangeSet::kind},
                                         {"book_id", &ChangeSet::book_id},
                                         {"at", &ChangeSet::at},
                                         {"user_id", &ChangeSet::user_id},
                                         {"undone_at", &ChangeSet::undone_at},
                                         {"undone_by", &ChangeSet::undone_by}};

constexpr int longest_chain = 64;

}  // namespace

Page<HistoryEntry> RecordRepository::history(BookId book, const PageRequest& page) {
  static const std::string sql =
      "SELECT " + history_columns.list() +
      " FROM book_history h LEFT JOIN users u ON u.id = h.user_id WHERE h.book_id = $1 "
      "ORDER BY h.version DESC LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)";
  Page<HistoryEntry> out;
  for (auto& row : tx_.list(history_columns, sql, book, page.limit, page.skip)) {
    row.changes = unpack_changes(row.packed);
    out.items.push_back(static_cast<HistoryEntry&&>(row));
  }
  out.total =
      std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM book_history WHERE book_id = $1", book));
  return out;
}

std::optional<std::vector<std::string>> RecordRepository::changes_since(BookId book, std::int64_t version) {
  if (!tx_.one<std::int64_t>("SELECT version FROM book_history WHERE book_id = $1 AND version = $2", book,
                             version))
    return {};
  std::vector<std::string> all;
  tx_.each<std::string>(
      [&](std::string changes) { all.push_back(std::move(changes)); },
      "SELECT changes FROM book_history WHERE book_id = $1 AND version > $2 ORDER BY version DESC", book,
      version);
  return all;
}

std::optional<RecordRepository::Gone> RecordRepository::find_gone(BookId id) {
  if (tx_.postgresql() && tx_.writable()) lock_books({id});
  static const std::string sql =
      "SELECT " + gone_columns.list() + " FROM books WHERE id = $1 AND deleted_at IS NOT NULL";
  return tx_.find(gone_columns, sql, id);
}

Page<DeletedBook> RecordRepository::deleted(const PageRequest& page) {
  static const std::string sql =
      "SELECT " + deleted_columns.list() +
      " FROM books WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC LIMIT CAST($1 AS BIGINT) "
      "OFFSET CAST($2 AS BIGINT)";
  Page<DeletedBook> out;
  out.items = tx_.list(deleted_columns, sql, page.limit, page.skip);
  out.total = std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM books WHERE deleted_at IS NOT NULL"));
  return out;
}

std::optional<BookId> RecordRepository::successor(BookId id) {
  std::optional<BookId> at;
  for (int step = 0; step < longest_chain; ++step) {
    const auto next =
        tx_.one<std::optional<BookId>>("SELECT merged_into FROM books WHERE id = $1", at.value_or(id));
    if (!next || !std::get<0>(*next)) break;
    at = std::get<0>(*next);
  }
  return at;
}

ChangeSetId RecordRepository::open(ChangeKind kind, BookId book, const Caller& by, Timestamp at) {
  return std::get<0>(*tx_.one<ChangeSetId>(
      "INSERT INTO change_sets (kind, book_id, at, user_id) VALUES ($1, $2, $3, $4) RETURNING id", kind, book,
      at, by.user));
}

void RecordRepository::removed(BookId id, ChangeSetId by, std::optional<BookId> into) {
  tx_.execute("UPDATE books SET removed_by = $2, merged_into = $3 WHERE id = $1 AND deleted_at IS NOT NULL",
              id, by, into);
}

void RecordRepository::note(ChangeSetId set, BookId gone, std::string_view part, std::string_view text) {
  tx_.execute("INSERT INTO change_set_notes (change_set_id, book_id, part, note) VALUES ($1, $2, $3, $4)",
              set, gone, part, text);
}

std::string RecordRepository::note_of(ChangeSetId set, BookId gone, std::string_view part) {
  const auto row = tx_.one<std::string>(
      "SELECT note FROM change_set_notes WHERE change_set_id = $1 AND book_id = $2 AND part = $3", set, gone,
      part);
  return row ? std::get<0>(*row) : std::string();
}

void RecordRepository::fill_books(ChangeSet& set) {
  tx_.each<BookId>([&](BookId id) { set.books.push_back(id); },
                   "SELECT DISTINCT book_id FROM change_set_notes WHERE change_set_id = $1 ORDER BY book_id",
                   set.id);
}

std::optional<ChangeSet> RecordRepository::find(ChangeSetId id) {
  static const std::string sql = "SELECT " + set_columns.list() + " FROM change_sets WHERE id = $1";
  auto set = tx_.find(set_columns, sql, id);
  if (set) fill_books(*set);
  return set;
}

std::optional<ChangeSet> RecordRepository::find_locked(ChangeSetId id) {
  if (tx_.postgresql()) tx_.one<ChangeSetId>("SELECT id FROM change_sets WHERE id = $1 FOR UPDATE", id);
  return find(id);
}

Page<ChangeSet> RecordRepository::list(const PageRequest& page) {
  static const std::string sql = "SELECT " + set_columns.list() +
                                 " FROM change_sets ORDER BY id DESC LIMIT CAST($1 AS BIGINT) OFFSET CAST($2 "
                                 "AS BIGINT)";
  Page<ChangeSet> out;
  out.items = tx_.list(set_columns, sql, page.limit, page.skip);
  for (auto& set : out.items) fill_books(set);
  out.total = std::get<0>(*tx_.one<std::int64_t>("SELECT count(*) FROM change_sets"));
  return out;
}

void RecordRepository::close(ChangeSetId id, const Caller& by, Timestamp at) {
  tx_.execute("UPDATE change_sets SET undone_at = $2, undone_by = $3 WHERE id = $1", id, at, by.user);
}

void RecordRepository::lock_books(std::vector<BookId> ids) {
  if (!tx_.postgresql()) return;
  std::ranges::sort(ids);
  for (const auto id : ids) tx_.one<BookId>("SELECT id FROM books WHERE id = $1 FOR UPDATE", id);
}

void RecordRepository::differ(BookId one, BookId other, const Caller& by, Timestamp at) {
  tx_.execute(
      "INSERT INTO different_books (first_id, second_id, user_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO "
      "NOTHING",
      std::min(one, other), std::max(one, other), by.user, at);
}

std::vector<std::pair<BookId, BookId>> RecordRepository::all_different() {
  std::vector<std::pair<BookId, BookId>> all;
  tx_.each<BookId, BookId>([&](BookId one, BookId other) { all.emplace_back(one, other); },
                           "SELECT first_id, second_id FROM different_books ORDER BY first_id, second_id");
  return all;
}

std::vector<BookId> merged_into(db::Transaction& tx, BookId book) {
  std::vector<BookId> all;
  tx.each<BookId>(
      [&](BookId id) { all.push_back(id); },
      "WITH RECURSIVE merged (id) AS (SELECT id FROM books WHERE merged_into = $1 UNION SELECT b.id "
      "FROM books b JOIN merged m ON b.merged_into = m.id) SELECT id FROM merged ORDER BY id",
      book);
  return all;
}

std::string copies_note(const std::vector<ErasedCopy>& copies) {
  boost::json::array all;
  for (const auto& copy : copies) {
    boost::json::value barcode = nullptr;
    if (copy.barcode) barcode = boost::json::string(*copy.barcode);
    all.push_back(boost::json::array{copy.id.value, std::move(barcode), copy.status});
  }
  return boost::json::serialize(all);
}

void put_back_copies(db::Transaction& tx, BookId book, std::string_view note, Timestamp now) {
  const auto copies = boost::json::parse({note.data(), note.size()});
  int number = 0;
  for (const auto& entry : copies.as_array()) {
    const auto& copy = entry.as_array();
    const CopyId id{copy.at(0).as_int64()};
    const auto* known = copy.at(1).if_string();
    std::string barcode = known ? std::string(*known) : generated_barcode(book, ++number);
    while (tx.one<CopyId>("SELECT id FROM copies WHERE barcode = $1 AND id <> $2", barcode, id))
      barcode = generated_barcode(book, ++number);
    tx.execute("UPDATE copies SET barcode = $3, status = $4, updated_at = $5 WHERE id = $1 AND book_id = $2",
               id, book, barcode, std::string(copy.at(2).as_string()), now);
  }
}

}  // namespace lumina::books
