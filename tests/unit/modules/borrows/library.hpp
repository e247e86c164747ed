// A library of services on a database of its own, for tests with many hands. Any thread may use it.
#pragma once
#include "core/db/migrator.hpp"
#include "modules/books/service.hpp"
#include "modules/borrows/copy_service.hpp"
#include "modules/borrows/hold_service.hpp"
#include "modules/borrows/service.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lumina::borrows {

class Library {
 public:
  explicit Library(test::Database kind, LoanRules configured = {})
      : fresh(kind),
        database((db::migrate(fresh.url()), db::Options{.url = fresh.url(), .pool = 8})),
        journal(clock, bus, "test"),
        rules(bus, configured),
        books(database, clock, journal),
        loans(database, clock, journal, rules),
        stock(database, clock, journal),
        holds(database, clock, journal) {
    bus.subscribe("", [this](const events::Event& event) {
      const std::lock_guard lock(mutex_);
      ++events_[event.type];
    });
  }
  ~Library() {
    database.stop();
    guard_.reset();
    thread_.join();
  }

  template <class T>
  T await(Task<T> task) {
    return boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future).get();
  }
  std::vector<UserId> people(int count) {
    auto work = [count](db::Transaction& tx) {
      std::vector<UserId> made;
      for (int i = 0; i < count; ++i)
        made.push_back(
            std::get<0>(*tx.one<UserId>("INSERT INTO users (email, email_key, password_hash, full_name, "
                                        "name_key, created_at, updated_at) "
                                        "VALUES ($1, $1, 'x', 'Somebody', 'somebody', 0, 0) RETURNING id",
                                        "person" + std::to_string(i) + "@example.org")));
      return made;
    };
    return *database.write_now(work);
  }
  BookId book(int copies) {
    books::NewBook fresh_book;
    fresh_book.title = "Emma";
    fresh_book.author = "Jane Austen";
    fresh_book.copies = copies;
    return await(books.create(fresh_book, staff()))->id;
  }
  static Caller person(UserId id) {
    Caller caller;
    caller.user = id;
    caller.address = "192.0.2.1";
    caller.request_id = "test";
    return caller;
  }
  static Caller staff() {
    Caller caller = person(UserId{1});
    caller.role = Role::librarian;
    return caller;
  }
  std::string borrow(BookId book, UserId user, LoanTerms terms = {}) {
    return outcome(await(loans.borrow(book, terms, {}, person(user))));
  }
  std::string give_back(BookId book, UserId user) {
    return outcome(await(loans.give_back(book, {}, {}, person(user))));
  }

  template <class T>
  static std::string outcome(const Result<T>& result) {
    return result ? "ok" : result.error().code;
  }
  std::int64_t number(std::string_view sql) {
    auto work = [&](db::Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>(sql)); };
    return *database.read_now(work);
  }
  // How often each event was told.
  std::map<std::string, int> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  // What must hold whatever happened before.
  void check_books_are_balanced() {
    CHECK(
        number("SELECT count(*) FROM (SELECT copy_id FROM borrows WHERE return_date IS NULL GROUP BY copy_id "
               "HAVING count(*) > 1) twice") == 0);
    CHECK(
        number("SELECT count(*) FROM book_stats s WHERE s.active_borrows <> (SELECT count(*) FROM borrows o "
               "WHERE o.book_id = s.book_id AND o.return_date IS NULL)") == 0);
    CHECK(number("SELECT count(*) FROM book_stats s WHERE s.total_borrows <> (SELECT count(*) FROM borrows o "
                 "WHERE o.book_id = s.book_id)") == 0);
    CHECK(
        number(
            "SELECT count(*) FROM book_stats s WHERE s.copies_available <> (SELECT count(*) FROM copies c "
            "WHERE c.book_id = s.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o "
            "WHERE o.copy_id = c.id AND o.return_date IS NULL))") == 0);
    CHECK(number("SELECT count(*) FROM book_stats s WHERE s.copies_total <> (SELECT count(*) FROM copies c "
                 "WHERE c.book_id = s.book_id AND c.status NOT IN ('lost', 'missing', 'withdrawn'))") == 0);
    CHECK(
        number(
            "SELECT count(*) FROM books b JOIN borrows o ON o.book_id = b.id WHERE b.deleted_at IS NOT NULL "
            "AND o.return_date IS NULL") == 0);
  }

  test::TestDatabase fresh;
  FixedClock clock{*parse_rfc3339("2026-11-22T10:00:00Z")};
  db::Database database;
  events::Bus bus;
  events::Journal journal;
  RuleBook rules;
  books::BookService books;
  BorrowService loans;
  CopyService stock;
  HoldService holds;

 private:
  std::mutex mutex_;
  std::map<std::string, int> events_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<IoExecutor> guard_{io_.get_executor()};
  std::thread thread_{[this] { io_.run(); }};
};

}  // namespace lumina::borrows
