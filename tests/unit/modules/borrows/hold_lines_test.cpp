// Lines of people under many hands at once, through the services and on real databases: whatever the order of
// events, what the line promises holds.
#include "unit/modules/borrows/library.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <latch>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace lumina::borrows {
namespace {

using namespace std::chrono_literals;
using test::from_databases;

// True at every commit, not only when all is quiet. Each counts what breaks the promise.
constexpr std::string_view promises[] = {
    // A copy is out or kept, never both; one loan and one ready hold at most.
    "SELECT count(*) FROM holds h JOIN borrows o ON o.copy_id = h.copy_id WHERE h.status = 'ready' AND "
    "o.return_date IS NULL",
    "SELECT count(*) FROM (SELECT copy_id FROM borrows WHERE return_date IS NULL GROUP BY copy_id HAVING "
    "count(*) > 1) twice",
    "SELECT count(*) FROM (SELECT copy_id FROM holds WHERE status = 'ready' GROUP BY copy_id HAVING "
    "count(*) > 1) twice",
    // What is ready has a copy, and the copy says so.
    "SELECT count(*) FROM holds h JOIN copies c ON c.id = h.copy_id WHERE h.status = 'ready' AND "
    "c.status <> 'on_hold'",
    // Nobody waits while a copy is free.
    "SELECT count(*) FROM holds h WHERE h.status = 'waiting' AND EXISTS (SELECT 1 FROM copies c WHERE "
    "c.book_id = h.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE "
    "o.copy_id = c.id AND o.return_date IS NULL))"};

// True when all is quiet.
constexpr std::string_view balances[] = {
    "SELECT count(*) FROM copies c WHERE c.status = 'on_hold' AND NOT EXISTS (SELECT 1 FROM holds h WHERE "
    "h.copy_id = c.id AND h.status = 'ready')",
    "SELECT count(*) FROM holds h JOIN borrows o ON o.user_id = h.user_id AND o.book_id = h.book_id WHERE "
    "h.ended_at IS NULL AND o.return_date IS NULL",
    "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE "
    "h.book_id = s.book_id AND h.ended_at IS NULL)",
    "SELECT count(*) FROM book_stats s WHERE s.active_borrows <> (SELECT count(*) FROM borrows o WHERE "
    "o.book_id = s.book_id AND o.return_date IS NULL)",
    "SELECT count(*) FROM book_stats s WHERE s.total_borrows <> (SELECT count(*) FROM borrows o WHERE "
    "o.book_id = s.book_id)",
    "SELECT count(*) FROM book_stats s WHERE s.copies_available <> (SELECT count(*) FROM copies c WHERE "
    "c.book_id = s.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE "
    "o.copy_id = c.id AND o.return_date IS NULL))",
    "SELECT count(*) FROM book_stats s WHERE s.copies_total <> (SELECT count(*) FROM copies c WHERE "
    "c.book_id = s.book_id AND c.status NOT IN ('lost', 'missing', 'withdrawn'))",
    "SELECT count(*) FROM holds WHERE status = 'ready' AND copy_id IS NULL"};

void check_balance(Library& library, const std::vector<BookId>& shelf) {
  for (const auto sql : promises) {
    INFO(sql);
    CHECK(library.number(sql) == 0);
  }
  for (const auto sql : balances) {
    INFO(sql);
    CHECK(library.number(sql) == 0);
  }
  for (const auto id : shelf) {
    const auto line = library.await(library.holds.line(id));
    REQUIRE(line);
    for (std::size_t i = 0; i < line->size(); ++i) CHECK((*line)[i].position == static_cast<int>(i) + 1);
  }
}

// One random thing that somebody does; gives its outcome.
class Somebody {
 public:
  Somebody(Library& library, const std::vector<UserId>& people, const std::vector<BookId>& shelf,
           unsigned seed)
      : library_(library), people_(people), shelf_(shelf), random_(seed) {}

  std::string act() {
    const auto book = pick(shelf_);
    const auto user = pick(people_);
    const HoldId hold{1 + static_cast<std::int64_t>(random_() % 60)};
    const CopyId copy{1 + static_cast<std::int64_t>(random_() % 9)};
    auto& l = library_;
    switch (random_() % 32) {
      default:
        return Library::outcome(l.await(l.holds.place(book, {}, Library::person(user))));
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return Library::outcome(l.await(l.loans.borrow(book, {}, {}, Library::person(user))));
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
        return Library::outcome(l.await(l.loans.give_back(book, {}, {}, Library::person(user))));
      case 14:
      case 15:
        return Library::outcome(l.await(l.holds.cancel(hold, Library::staff())));
      case 16:
        return Library::outcome(l.await(l.holds.suspend(hold, {}, Library::staff())));
      case 17:
        return Library::outcome(l.await(l.holds.suspend(hold, l.clock.now() + 36h, Library::staff())));
      case 18:
        return Library::outcome(l.await(l.holds.resume(hold, Library::staff())));
      case 19:
      case 20:
        return Library::outcome(
            l.await(l.holds.move(hold, 1 + static_cast<int>(random_() % 5), Library::staff())));
      case 21:
      case 22:
      case 23: {
        static const std::vector<std::string> wishes{"available",        "lost",      "damaged",
                                                     "claimed_returned", "in_repair", "withdrawn",
                                                     "available",        "missing"};
        return Library::outcome(l.await(l.stock.set_status(copy, {pick(wishes), {}}, Library::staff())));
      }
      case 24:
        return Library::outcome(l.await(l.stock.add(book, {}, Library::staff())));
      case 25:
        return Library::outcome(l.await(l.stock.remove(copy, Library::staff())));
      case 26: {
        l.clock.advance(20h);
        const auto settled = l.await(l.holds.settle_due());
        return settled ? "ok" : settled.error().code;
      }
      case 27: {
        const BorrowId loan{1 + static_cast<std::int64_t>(random_() % 60)};
        return Library::outcome(l.await(l.loans.renew(loan, Library::staff())));
      }
    }
  }

 private:
  template <class T>
  const T& pick(const std::vector<T>& list) {
    return list[random_() % list.size()];
  }
  Library& library_;
  const std::vector<UserId>& people_;
  const std::vector<BookId>& shelf_;
  std::mt19937 random_;
};

const std::set<std::string> expected_outcomes{
    "ok",           "already_borrowed", "active_borrow_exists", "not_found",  "on_loan",        "on_hold",
    "has_history",  "hold_exists",      "hold_ended",           "hold_ready", "bad_transition", "loan_ended",
    "loan_overdue", "renewal_limit"};

TEST_CASE("one after the other, every step leaves every line in order", "[D14][D15][B23]") {
  Library library(GENERATE(from_databases()));
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 4)));
  CAPTURE(seed);
  const auto people = library.people(5);
  const std::vector<BookId> shelf{library.book(1), library.book(2)};
  Somebody somebody(library, people, shelf, seed);
  for (int step = 0; step < 250; ++step) {
    CAPTURE(step);
    const auto outcome = somebody.act();
    CAPTURE(outcome);
    CHECK(expected_outcomes.contains(outcome));
    if (step % 5 == 0) check_balance(library, shelf);
  }
  CHECK(library.number("SELECT count(*) FROM holds WHERE status = 'fulfilled'") > 0);
}

TEST_CASE("whatever many people do at once, every line stays in order", "[D14][D15][B23][D3]") {
  Library library(GENERATE(from_databases()));
  constexpr int threads = 8, steps = 60;
  const auto seed = static_cast<unsigned>(GENERATE(range(1, 4)));
  CAPTURE(seed);
  const auto people = library.people(6);
  const std::vector<BookId> shelf{library.book(1), library.book(2)};
  std::mutex mutex;
  std::vector<std::string> unexpected;
  const auto note = [&](std::string what) {
    const std::lock_guard lock(mutex);
    unexpected.push_back(std::move(what));
  };
  std::atomic<bool> running{true};
  std::thread watcher([&] {
    while (running)
      for (const auto sql : promises)
        if (library.number(sql) != 0) note("broken while running: " + std::string(sql));
  });
  std::latch start(threads);
  std::vector<std::thread> all;
  for (int thread = 0; thread < threads; ++thread)
    all.emplace_back([&, thread] {
      Somebody somebody(library, people, shelf, seed * 100 + static_cast<unsigned>(thread));
      start.arrive_and_wait();
      for (int step = 0; step < steps; ++step) try {
          if (auto outcome = somebody.act(); !expected_outcomes.contains(outcome)) note(std::move(outcome));
        } catch (const std::exception& e) {
          note(e.what());
        }
    });
  for (auto& thread : all) thread.join();
  running = false;
  watcher.join();
  CHECK(unexpected == std::vector<std::string>{});
  check_balance(library, shelf);
}

TEST_CASE("a return and a hold placed at the same moment never miss each other", "[D14]") {
  Library library(GENERATE(from_databases()));
  const auto people = library.people(2);
  const auto book = library.book(1);
  for (int round = 0; round < 25; ++round) {
    REQUIRE(library.await(library.loans.borrow(book, {}, {}, Library::person(people[0]))));
    std::latch start(2);
    std::thread returning([&] {
      start.arrive_and_wait();
      (void)library.await(library.loans.give_back(book, {}, {}, Library::person(people[0])));
    });
    start.arrive_and_wait();
    const auto hold = library.await(library.holds.place(book, {}, Library::person(people[1])));
    returning.join();
    REQUIRE(hold);
    CHECK(library.await(library.holds.find(hold->id, Library::staff()))->status == HoldStatus::ready);
    check_balance(library, {book});
    REQUIRE(library.await(library.loans.borrow(book, {}, {}, Library::person(people[1]))));
    REQUIRE(library.await(library.loans.give_back(book, {}, {}, Library::person(people[1]))));
  }
}

TEST_CASE("what a process left between a return and its line is mended", "[D14]") {
  Library library(GENERATE(from_databases()));
  const auto people = library.people(2);
  const auto book = library.book(1);
  REQUIRE(library.await(library.loans.borrow(book, {}, {}, Library::person(people[0]))));
  const auto hold = library.await(library.holds.place(book, {}, Library::person(people[1])));
  REQUIRE(hold);
  // As PostgreSQL has it after the return alone: the copy set aside, nobody told.
  library.fresh.script(
      "UPDATE borrows SET return_date = borrow_date + 1, status = 'returned'; UPDATE copies SET status = "
      "'on_hold'; "
      "UPDATE book_stats SET active_borrows = 0");
  CHECK(*library.await(library.holds.settle_due()) == 1);
  CHECK(library.await(library.holds.find(hold->id, Library::staff()))->status == HoldStatus::ready);
  check_balance(library, {book});
}

}  // namespace
}  // namespace lumina::borrows
