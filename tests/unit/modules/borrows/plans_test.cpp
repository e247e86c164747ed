// The lists of loans are read by index on both databases, so that they cost a page and not the table.
#include "core/db/database.hpp"
#include "core/db/migrator.hpp"
#include "modules/borrows/loan_query.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

namespace lumina::borrows {
namespace {

using test::from_databases;
using test::TestDatabase;

constexpr int people = 200, books = 2000, loans = 8000;
const Timestamp now{1'000'000'000};

// Loans of which every fortieth is open and every eightieth overdue.
void fill(db::Transaction& tx) {
  for (int i = 1; i <= people; ++i)
    tx.execute(
        "INSERT INTO users (email, email_key, password_hash, full_name, name_key, created_at, updated_at) "
        "VALUES ($1, $1, 'x', 'Somebody', 'somebody', 0, 0)",
        "u" + std::to_string(i) + "@example.org");
  for (int i = 1; i <= books; ++i) {
    tx.execute(
        "INSERT INTO books (title, author, title_key, author_key, match_key, created_at, updated_at) "
        "VALUES ('Emma', 'Jane Austen', 'emma', 'jane austen', 'emma', 0, 0)");
    tx.execute("INSERT INTO copies (book_id, created_at, updated_at) VALUES ($1, 0, 0)", i);
    tx.execute("INSERT INTO book_stats (book_id, copies_total) VALUES ($1, 1)", i);
  }
  for (int i = 0; i < loans; ++i) {
    const bool open = i % 40 == 0;
    const int book = open ? i / 40 + 1 : 1 + i % books;
    const std::int64_t due = i % 80 == 0 ? now.ms - i : now.ms + i;
    tx.execute(
        "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date, return_date, status) "
        "VALUES ($1, $2, $2, $3, $4, $5, $6)",
        1 + i * 7 % people, book, 1000 + i, due, open ? std::optional<std::int64_t>() : due,
        open ? LoanStatus::active : LoanStatus::returned);
  }
}

struct Library {
  TestDatabase fresh;
  db::Database database;

  explicit Library(test::Database kind)
      : fresh(kind), database((db::migrate(fresh.url()), db::Options{.url = fresh.url(), .pool = 1})) {
    REQUIRE(database.write_now(fill));
    fresh.script("ANALYZE");
  }

  std::string plan(const Statement& statement) {
    auto work = [&](db::Transaction& tx) {
      std::string text;
      if (tx.postgresql())
        tx.each_of<std::string>([&](std::string line) { text += line + "\n"; }, "EXPLAIN " + statement.sql,
                                statement.values);
      else
        tx.each_of<int, int, int, std::string>([&](int, int, int, std::string line) { text += line + "\n"; },
                                               "EXPLAIN QUERY PLAN " + statement.sql, statement.values);
      return text;
    };
    return *database.read_now(work);
  }
};

// Neither "SCAN w" nor "Seq Scan on borrows", unless it walks an index.
bool scans_all_loans(const std::string& plan) {
  for (const std::string whole : {"SCAN w\n", "SCAN borrows\n", "SCAN o\n", "Seq Scan on borrows"})
    if (plan.find(whole) != std::string::npos) return true;
  return false;
}

TEST_CASE("lists of loans, the overdue list and availability use an index", "[D33][D5][D8][D9]") {
  Library library(GENERATE(from_databases()));
  const UserId person{7};
  const BookId book{11};
  const PageRequest page{.skip = 0, .limit = 20};
  struct Row {
    std::string_view what;
    Statement statement;
    std::vector<std::string_view> indexes;  // any of these
  };
  const auto list = [&](LoanFilter filter, Order order = Order::newest_first) {
    return *page_statement(filter, order, page, now);
  };
  const std::string_view by_user = "idx_borrows_user_id", by_book = "idx_borrows_book_id";
  const std::string_view by_due = "idx_borrows_open_due_date", by_open = "idx_borrows_open_user_book";
  const std::vector<Row> rows{
      {"one's own loans", list({person, {}, {}}), {by_user}},
      {"one's own loans, counted", count_statement({person, {}, {}}, Order::newest_first, now), {by_user}},
      {"one's own active loans", list({person, {}, LoanStatus::active}), {by_user, by_open}},
      {"one's own overdue loans", list({person, {}, LoanStatus::overdue}), {by_user, by_open, by_due}},
      {"one's own returned loans", list({person, {}, LoanStatus::returned}), {by_user}},
      {"the counts of the history",
       {std::string(history_sql), {db::to_value(person), db::to_value(now)}},
       {by_user}},
      {"a book's loans", list({{}, book, {}}), {by_book}},
      {"the overdue list", list({}, Order::longest_overdue_first), {by_due}},
      {"the overdue list, counted", count_statement({}, Order::longest_overdue_first, now), {by_due}},
      {"availability", {std::string(availability_sql), {db::to_value(book)}}, {"idx_borrows_open_copy"}},
  };
  for (const Row& row : rows) {
    const std::string plan = library.plan(row.statement);
    INFO(row.what << " on " << library.fresh.kind() << ":\n" << plan);
    CHECK(std::any_of(row.indexes.begin(), row.indexes.end(),
                      [&](std::string_view index) { return plan.find(index) != std::string::npos; }));
    CHECK(!scans_all_loans(plan));
  }
}

TEST_CASE("lending looks up one copy and one loan, even where the planner believes that nothing is open",
          "[D33]") {
  Library library(GENERATE(from_databases()));
  library.fresh.script("UPDATE borrows SET return_date = due_date, status = 'returned'");
  library.fresh.script(library.fresh.postgresql() ? "VACUUM ANALYZE borrows" : "ANALYZE");
  const auto plan = library.plan({standing_sql, {db::to_value(BookId{11}), db::to_value(UserId{7})}});
  INFO(plan);
  CHECK(plan.find("idx_borrows_open_copy") != std::string::npos);
  CHECK(plan.find("idx_borrows_open_user_book") != std::string::npos);
  CHECK(plan.find("idx_borrows_open_due_date") == std::string::npos);
  CHECK(!scans_all_loans(plan));
}

TEST_CASE("everybody's newest loans are walked by id, not sorted", "[D33][D7]") {
  Library library(GENERATE(from_databases()));
  const auto plan = library.plan(*page_statement({}, Order::newest_first, {.skip = 0, .limit = 20}, now));
  INFO(plan);
  if (library.fresh.postgresql())
    CHECK(plan.find("Index Only Scan Backward using borrows_pkey") != std::string::npos);
  else
    CHECK(plan.find("TEMP B-TREE") == plan.rfind("TEMP B-TREE"));
}

}  // namespace
}  // namespace lumina::borrows
