// Many people at once, through the services and on real databases.
#include "unit/modules/borrows/library.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace lumina::borrows {
namespace {

using namespace std::chrono_literals;
using test::from_databases;

// Runs f(0..count-1) on as many threads, all let go at the same moment; counts the outcomes.
template <class F>
std::map<std::string, int> at_once(int count, F f) {
  std::latch start(count);
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      std::string outcome;
      try {
        outcome = f(i);
      } catch (const std::exception& e) {
        outcome = std::string("threw ") + e.what();
      }
      const std::lock_guard lock(mutex);
      ++outcomes[outcome];
    });
  for (auto& thread : threads) thread.join();
  return outcomes;
}

using Outcomes = std::map<std::string, int>;

TEST_CASE("a hundred people race for one copy and one gets it", "[D3]") {
  Library library(GENERATE(from_databases()));
  const auto people = library.people(100);
  const auto book = library.book(1);
  const auto outcomes =
      at_once(100, [&](int i) { return library.borrow(book, people[static_cast<std::size_t>(i)]); });
  CHECK(outcomes == Outcomes{{"ok", 1}, {"already_borrowed", 99}});
  library.check_books_are_balanced();
  CHECK(library.number("SELECT count(*) FROM audit_log WHERE action = 'borrow.created'") == 1);
  CHECK(library.events()["borrow.created"] == 1);
}

TEST_CASE("a hundred people race for ten copies and ten get one each", "[D3]") {
  Library library(GENERATE(from_databases()));
  const auto people = library.people(100);
  const auto book = library.book(10);
  const auto outcomes =
      at_once(100, [&](int i) { return library.borrow(book, people[static_cast<std::size_t>(i)]); });
  CHECK(outcomes == Outcomes{{"ok", 10}, {"already_borrowed", 90}});
  CHECK(library.number("SELECT count(DISTINCT copy_id) FROM borrows") == 10);
  library.check_books_are_balanced();
}

TEST_CASE("one person who asks thirty times at once gets one of five copies", "[D3][D2]") {
  Library library(GENERATE(from_databases()));
  const auto person = library.people(1).front();
  const auto book = library.book(5);
  const auto outcomes = at_once(30, [&](int) { return library.borrow(book, person); });
  CHECK(outcomes == Outcomes{{"ok", 1}, {"active_borrow_exists", 29}});
  library.check_books_are_balanced();
}

TEST_CASE("a loan that comes back thirty times at once comes back once", "[D4]") {
  Library library(GENERATE(from_databases()));
  const auto person = library.people(1).front();
  const auto book = library.book(1);
  REQUIRE(library.borrow(book, person) == "ok");
  const auto outcomes = at_once(30, [&](int) { return library.give_back(book, person); });
  CHECK(outcomes == Outcomes{{"ok", 1}, {"not_found", 29}});
  library.check_books_are_balanced();
  CHECK(library.number("SELECT count(*) FROM audit_log WHERE action = 'borrow.returned'") == 1);
}

TEST_CASE("the limit of loans holds when one person borrows many books at once", "[D18]") {
  Library library(GENERATE(from_databases()), {.max_loans = 5});
  const auto person = library.people(1).front();
  std::vector<BookId> shelf;
  for (int i = 0; i < 20; ++i) shelf.push_back(library.book(1));
  const auto outcomes =
      at_once(20, [&](int i) { return library.borrow(shelf[static_cast<std::size_t>(i)], person); });
  CHECK(outcomes == Outcomes{{"ok", 5}, {"loan_limit", 15}});
  library.check_books_are_balanced();
}

TEST_CASE("a loan renewed ten times at once is renewed as often as allowed", "[D13]") {
  Library library(GENERATE(from_databases()));
  const auto person = library.people(1).front();
  const auto book = library.book(1);
  const auto loan = library.await(library.loans.borrow(book, {}, {}, Library::person(person)));
  REQUIRE(loan);
  const auto outcomes = at_once(10, [&](int) {
    return Library::outcome(library.await(library.loans.renew(loan->id, Library::person(person))));
  });
  CHECK(outcomes == Outcomes{{"ok", 3}, {"renewal_limit", 7}});
}

TEST_CASE("a book is deleted or lent, never both", "[D3][D12]") {
  Library library(GENERATE(from_databases()));
  const auto people = library.people(6);
  for (int round = 0; round < 10; ++round) {
    const auto book = library.book(1);
    const auto outcomes = at_once(6, [&](int i) {
      if (i == 0)
        return "delete " + Library::outcome(library.await(library.books.remove(book, {}, Library::staff())));
      return library.borrow(book, people[static_cast<std::size_t>(i)]);
    });
    const bool lent = outcomes.contains("ok");
    if (lent)
      CHECK(outcomes == Outcomes{{"ok", 1}, {"already_borrowed", 4}, {"delete on_loan", 1}});
    else
      CHECK(outcomes == Outcomes{{"not_found", 5}, {"delete ok", 1}});
  }
  library.check_books_are_balanced();
}

TEST_CASE("whatever many people do in whatever order, the books stay balanced", "[D3]") {
  Library library(GENERATE(from_databases()));
  constexpr int threads = 8, steps = 60;
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 4)));
  CAPTURE(seed);
  const auto people = library.people(5);
  std::vector<BookId> shelf;
  for (int i = 0; i < 5; ++i) shelf.push_back(library.book(i % 3));
  const int setup = static_cast<int>(library.number("SELECT count(*) FROM audit_log"));

  std::atomic<int> changes{0};
  std::mutex mutex;
  std::vector<std::string> unexpected;
  const auto note = [&](const std::string& outcome) {
    if (outcome == "ok") {
      ++changes;
      return;
    }
    for (const std::string known : {"already_borrowed", "active_borrow_exists", "not_found", "on_loan",
                                    "has_history", "renewal_limit", "loan_ended", "loan_overdue"})
      if (outcome == known) return;
    const std::lock_guard lock(mutex);
    unexpected.push_back(outcome);
  };
  at_once(threads, [&](int thread) {
    std::mt19937 random(seed * 100 + static_cast<unsigned>(thread));
    const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
    for (int step = 0; step < steps; ++step) {
      const auto book = pick(shelf);
      const auto user = pick(people);
      try {
        switch (random() % 20) {
          default:
            note(library.borrow(book, user));
            break;
          case 0:
          case 1:
          case 2:
          case 3:
          case 4:
          case 5:
            note(library.give_back(book, user));
            break;
          case 6: {
            const BorrowId loan{static_cast<std::int64_t>(random() % 40)};
            note(Library::outcome(library.await(library.loans.renew(loan, Library::staff()))));
            break;
          }
          case 7:
          case 8:
            note(Library::outcome(library.await(library.stock.add(book, {}, Library::staff()))));
            break;
          case 9:
          case 10: {
            const CopyId copy{static_cast<std::int64_t>(1 + random() % 12)};
            CopyChanges change;
            change.status.state = schema::Patch<std::string>::State::value;
            change.status.value = random() % 2 == 0 ? "lost" : "available";
            note(Library::outcome(library.await(library.stock.change(copy, change, Library::staff()))));
            break;
          }
          case 11: {
            const CopyId copy{static_cast<std::int64_t>(1 + random() % 12)};
            note(Library::outcome(library.await(library.stock.remove(copy, Library::staff()))));
            break;
          }
          case 12:
            if (step > steps / 2)
              note(Library::outcome(library.await(library.books.remove(book, {}, Library::staff()))));
            break;
          case 13: {
            library.clock.advance(std::chrono::hours(24));
            const auto marked = library.await(library.loans.mark_overdue());
            if (marked)
              changes += static_cast<int>(*marked);
            else
              note(marked.error().code);
            break;
          }
        }
      } catch (const std::exception& e) {
        note(e.what());
      }
    }
    return std::string();
  });
  CHECK(unexpected == std::vector<std::string>{});
  library.check_books_are_balanced();
  // A lost copy that comes back is found: one more thing to tell.
  changes += static_cast<int>(library.number("SELECT count(*) FROM audit_log WHERE action = 'copy.found'"));
  CHECK(library.number("SELECT count(*) FROM audit_log") == changes + setup);
  CHECK(library.number("SELECT count(*) FROM outbox") == changes + setup);
  int told = 0;
  for (const auto& [type, count] : library.events()) told += count;
  CHECK(told == changes + setup);
}

}  // namespace
}  // namespace lumina::borrows
