// The index of the catalogue beside its database: batches, what jobs bring, and records that cannot go in.
#include "modules/books/search_index.hpp"

#include "core/db/migrator.hpp"
#include "core/jobs/dead_letters.hpp"
#include "modules/books/index_retries.hpp"
#include "modules/books/service.hpp"
#include "support/databases.hpp"
#include "support/eventually.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <set>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

// A catalogue with its index and its jobs, without routes. Books whose title is "Cursed" cannot be indexed
// while `cursed` says so.
class Shelf {
 public:
  Shelf(Database kind, books::SearchIndex::Options options)
      : fresh(kind),
        database((db::migrate(fresh.url()), db::Options{.url = fresh.url(), .pool = 4})),
        journal(clock, bus, "test"),
        queue(database, clock),
        pool("jobs", 2, 64),
        runner(database, clock, journal, queue, pool, "test", {30s, 10ms}),
        books(database, clock, journal),
        retries(database, journal, queue, [this](const auto& book) { return document(book); }),
        dead(database, clock, journal, queue, {books::search_index_kind}),
        index(database, bus, with_document(std::move(options))) {
    index.when_unindexable([this](const auto& failed) { return retries.keep(failed); });
    index.when_renewed([this] { ++renewed; });
    retries.handle_jobs(runner);
    runner.start();
  }
  ~Shelf() {
    index.stop();
    runner.stop();
    pool.stop();
    database.stop();
  }

  template <class T>
  T await(Task<T> task) {
    io.restart();
    auto answer = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
    io.run();
    return answer.get();
  }
  static Caller staff() {
    Caller caller;
    caller.role = Role::librarian;
    caller.request_id = "test";
    return caller;
  }
  static books::NewBook titled(std::string title) {
    books::NewBook book;
    book.title = std::move(title);
    book.author = "Somebody";
    return book;
  }
  BookId add(std::string title) { return await(books.create(titled(std::move(title)), staff()))->id; }
  // As an import does: many in one unit of work.
  void import(int first, int count) {
    auto work = [&](db::Transaction& tx) -> Status {
      for (int i = 0; i < count; ++i)
        books.upsert(tx, titled(fmt::format("Volume {}", first + i)), staff(), true);
      return {};
    };
    REQUIRE(database.write_now(std::move(work)));
  }
  std::int64_t indexed() {
    REQUIRE(await(index.caught_up()));
    return static_cast<std::int64_t>(index.snapshot()->documents);
  }
  std::int64_t number(std::string_view sql) {
    auto work = [&](db::Transaction& tx) -> std::int64_t { return std::get<0>(*tx.one<std::int64_t>(sql)); };
    return *database.read_now(std::move(work));
  }
  // Lets the pauses between tries pass.
  bool fails_for_good() {
    return eventually([&] {
      clock.advance(20s);
      queue.wake();
      return number("SELECT count(*) FROM jobs WHERE status = 'failed'") == 1;
    });
  }

  TestDatabase fresh;
  FixedClock clock{*parse_rfc3339("2026-11-22T10:00:00Z")};
  events::Bus bus;
  db::Database database;
  events::Journal journal;
  jobs::Queue queue;
  runtime::Pool pool;
  jobs::Runner runner;
  books::BookService books;
  std::atomic<bool> cursed{true};
  std::atomic<int> tries{0}, renewed{0};
  std::atomic<std::size_t> largest{0};
  books::IndexRetries retries;
  jobs::DeadLetters dead;
  books::SearchIndex index;

 private:
  search::Document document(const books::IndexedBook& book) {
    if (book.title == "Cursed") {
      ++tries;
      if (cursed) throw std::runtime_error("the curse of " + book.title);
    }
    return books::document_of(book);
  }
  books::SearchIndex::Options with_document(books::SearchIndex::Options options) {
    options.document = [this](const auto& book) { return document(book); };
    return options;
  }
  boost::asio::io_context io;
};

constexpr auto an_hour = std::chrono::milliseconds(3'600'000);

}  // namespace

TEST_CASE("what a job brings keeps no search waiting until the job has ended", "[C14]") {
  Shelf shelf(GENERATE(from_databases()), {.batch = 250, .flush = an_hour});
  shelf.add("Emma");
  CHECK(shelf.indexed() == 1);
  // Fewer than a batch: they wait for more, and nobody for them.
  shelf.import(0, 200);
  CHECK(shelf.indexed() == 1);
  CHECK(shelf.add("Persuasion") > BookId{0});
  CHECK(shelf.indexed() == 2);
  // A book that somebody changes himself is found at once, though it came with the others.
  const BookId one{shelf.number("SELECT max(id) FROM books WHERE title = 'Volume 7'")};
  books::BookChanges changes;
  changes.title.state = schema::Patch<std::string>::State::value;
  changes.title.value = "Sanditon";
  REQUIRE(shelf.await(shelf.books.change(one, changes, {}, Shelf::staff())));
  CHECK(shelf.indexed() == 3);
  const int before = shelf.renewed;
  shelf.index.no_more_bulk();
  CHECK(shelf.indexed() == 202);
  CHECK(shelf.index.figures().pending == 0);
  CHECK(shelf.renewed >= before);
}

TEST_CASE("a full batch of an import goes in by itself, the rest when its time has come", "[C14]") {
  Shelf shelf(GENERATE(from_databases()), {.batch = 100, .flush = 50ms});
  CHECK(shelf.indexed() == 0);
  shelf.import(0, 250);
  CHECK(eventually([&] { return shelf.indexed() == 250; }));
  // What showed a search before must be told.
  CHECK(eventually([&] { return shelf.renewed >= 2; }));
}

TEST_CASE("ten thousand books on their way hold up no search", "[C14]") {
  Shelf shelf(GENERATE(from_databases()), {.batch = 100, .flush = an_hour});
  CHECK(shelf.indexed() == 0);
  constexpr std::int64_t many = 10'000;
  auto fill = [&](db::Transaction& tx) -> Status {
    tx.execute(
        "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
        "INSERT INTO books (title, author, title_key, author_key, match_key, created_at, updated_at) "
        "SELECT 'Book ' || i, 'Somebody', 'book ' || i, 'somebody', 'b' || i, 0, 0 FROM n",
        many);
    tx.execute("INSERT INTO book_stats (book_id) SELECT id FROM books");
    return {};
  };
  REQUIRE(shelf.database.write_now(std::move(fill)));
  const auto first = shelf.number("SELECT min(id) FROM books");
  for (std::int64_t i = 0; i < many; ++i) {
    events::Event told;
    told.type = "book.created";
    told.resource_id = first + i;
    told.book = BookId{first + i};
    told.payload = R"({"bulk":true})";
    shelf.bus.publish(told);
    if (i % 1000 != 0) continue;
    const auto book = shelf.add(fmt::format("Mine {}", i));
    REQUIRE(shelf.await(shelf.index.caught_up()));
    const auto now = shelf.index.snapshot();
    CHECK(std::ranges::any_of(now->parts,
                              [&](const auto& part) { return part.segment->find(book.value).has_value(); }));
  }
  shelf.index.no_more_bulk();
  CHECK(eventually([&] { return shelf.indexed() == many + 10; }));
}

TEST_CASE("a record that cannot be indexed is tried again, then a dead letter; the others are found",
          "[C14][I3]") {
  const auto kind = GENERATE(from_databases());
  Shelf shelf(kind, {.batch = 100, .flush = an_hour});
  CHECK(shelf.indexed() == 0);
  auto work = [&](db::Transaction& tx) -> Status {
    for (int i = 0; i < 40; ++i)
      shelf.books.upsert(tx, Shelf::titled(i == 17 ? "Cursed" : fmt::format("Volume {}", i)), Shelf::staff());
    return {};
  };
  REQUIRE(shelf.database.write_now(std::move(work)));
  CHECK(shelf.indexed() == 39);
  REQUIRE(shelf.fails_for_good());
  // In its batch, by itself when there were others in it, and six times as a job.
  CHECK(shelf.tries >= 7);
  CHECK(shelf.tries <= 8);
  const auto letters = shelf.await(shelf.dead.list({}));
  REQUIRE(letters);
  REQUIRE(letters->items.size() == 1);
  CHECK(letters->items[0].attempts == 6);
  CHECK(letters->items[0].error.value_or("").find("the curse of Cursed") != std::string::npos);

  SECTION("a rebuild and a change find it still dead and make no second job") {
    REQUIRE(shelf.index.rebuild([] { return false; }));
    CHECK(shelf.indexed() == 39);
    CHECK(shelf.number("SELECT count(*) FROM jobs") == 1);
  }
  SECTION("tried again when the reason is gone, it is found") {
    shelf.cursed = false;
    REQUIRE(shelf.await(shelf.dead.retry(letters->items[0].task_id, Shelf::staff())));
    CHECK(eventually([&] { return shelf.indexed() == 40; }));
    CHECK(shelf.await(shelf.dead.list({}))->total == 0);
    CHECK(!shelf.await(shelf.dead.retry(letters->items[0].task_id, Shelf::staff())));
  }
  SECTION("a change that mends the record is enough") {
    const BookId book{shelf.number("SELECT id FROM books WHERE title = 'Cursed'")};
    books::BookChanges changes;
    changes.title.state = schema::Patch<std::string>::State::value;
    changes.title.value = "Blessed";
    REQUIRE(shelf.await(shelf.books.change(book, changes, {}, Shelf::staff())));
    CHECK(shelf.indexed() == 40);
  }
}

TEST_CASE("a book whose new text cannot be indexed is not found by the old one", "[C14]") {
  Shelf shelf(GENERATE(from_databases()), {.batch = 100, .flush = an_hour});
  const auto book = shelf.add("Emma");
  CHECK(shelf.indexed() == 1);
  books::BookChanges changes;
  changes.title.state = schema::Patch<std::string>::State::value;
  changes.title.value = "Cursed";
  REQUIRE(shelf.await(shelf.books.change(book, changes, {}, Shelf::staff())));
  CHECK(shelf.indexed() == 0);
}
