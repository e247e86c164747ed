// How long a personal list takes while books and loans are being written: the service and SQLite, without
// sockets.
//
//   bench_recommendation_lists [books] [people] [lists]      10000 10000 4000 unless said otherwise
//
// Everybody has 20 loans, drawn around one of 50 tastes. Lists go to people at random, most of whom are not
// in memory yet; meanwhile one thread adds 20 books and 100 loans a second.
#include "app_recs.hpp"
#include "core/db/migrator.hpp"
#include "core/jobs/runner.hpp"
#include "core/runtime/block_on.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>
#include <unistd.h>

using namespace lumina;
using Clock_ = std::chrono::steady_clock;

namespace {

constexpr int tastes = 50, loans = 20;
constexpr std::int64_t day_ms = 86'400'000;

double ms_since(Clock_::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock_::now() - from).count();
}

std::string words(std::mt19937& random, int taste, int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += fmt::format(
        "{}word{}", i > 0 ? " " : "",
        random() % 3 ? taste * 40 + static_cast<int>(random() % 40) : static_cast<int>(random() % 4000));
  return out;
}

void fill(db::Database& database, int books, int people, Timestamp now) {
  std::mt19937 random(1);
  const auto in_steps = [&](int count, auto&& one) {
    for (int from = 1; from <= count; from += 2000) {
      auto work = [&](db::Transaction& tx) -> Status {
        for (int i = from; i < from + 2000 && i <= count; ++i) one(tx, i);
        return {};
      };
      if (!database.write_now(std::move(work))) throw std::runtime_error("the library could not be filled");
    }
  };
  in_steps(books, [&](db::Transaction& tx, int id) {
    const auto title = words(random, id % tastes, 4);
    tx.execute(
        "INSERT INTO books (id, title, author, genre, description, title_key, author_key, match_key, "
        "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $2, $3, $2, $6, $6)",
        id, title, fmt::format("Author {}", id % (books / 5 + 1)), fmt::format("Genre {}", id % tastes),
        words(random, id % tastes, 40), now);
    tx.execute("INSERT INTO book_stats (book_id, copies_total, copies_available) VALUES ($1, 1, 1)", id);
    tx.execute(
        "INSERT INTO copies (id, book_id, barcode, created_at, updated_at) VALUES ($1, $1, $2, $3, $3)", id,
        fmt::format("L{}", id), now);
  });
  in_steps(people, [&](db::Transaction& tx, int id) {
    const auto name = fmt::format("p{}@example.org", id);
    tx.execute(
        "INSERT INTO users (id, email, email_key, password_hash, full_name, name_key, created_at, "
        "updated_at) "
        "VALUES ($1, $2, $2, '', $2, $2, $3, $3)",
        id, name, now);
    for (int i = 0; i < loans; ++i) {
      const int near =
          (static_cast<int>(random() % static_cast<unsigned>(books / tastes)) * tastes) + id % tastes;
      const int book =
          1 + (random() % 4 ? near : static_cast<int>(random() % static_cast<unsigned>(books))) % books;
      const auto at = now - std::chrono::milliseconds(day_ms * static_cast<std::int64_t>(random() % 300 + 1));
      tx.execute(
          "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date, return_date, status) "
          "VALUES ($1, $2, $2, $3, $4, $4, 'returned')",
          id, book, at, at + std::chrono::milliseconds(day_ms));
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int otherwise) {
    return argc > i ? std::max(100, std::atoi(argv[i])) : otherwise;
  };
  const int books = number(1, 10'000), people = number(2, 10'000), lists = number(3, 4'000);
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("lumina-lists-{}", getpid());
  std::filesystem::create_directories(folder);
  config::Config config;
  config.data_dir = folder.string();
  const auto url = "sqlite:" + (folder / "bench.db").string();
  db::migrate(url);
  {
    db::Database database({url});
    SystemClock clock;
    events::Bus bus;
    events::Journal journal(clock, bus, "bench");
    metrics::Registry registry;
    jobs::Queue queue(database, clock);
    runtime::Pool background("jobs", 2, 8);
    jobs::Runner runner(database, clock, journal, queue, background, "bench", {});
    jobs::TaskService tasks(database, clock, journal, queue, runner);
    books::BookService catalogue(database, clock, journal);
    Recommending recs({database, clock, journal, bus, registry, queue, tasks, catalogue}, config);
    auto begun = Clock_::now();
    fill(database, books, people, clock.now());
    fmt::print("{} books, {} people, {} loans each, filled in {:.0f} ms\n", books, people, loans,
               ms_since(begun));
    recs.training.handle_jobs(runner);
    runner.start();
    begun = Clock_::now();
    recs.live.start();
    while (!recs.live.ready()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    fmt::print("loaded in {:.0f} ms\n", ms_since(begun));
    begun = Clock_::now();
    Caller by = Caller::system("bench");
    by.user = UserId{1};
    by.role = Role::admin;
    const auto task = runtime::block_on(recs.training.start({}, by));
    const auto report = runtime::block_on(recs.training.wait(task->task_id, std::chrono::seconds(600), by));
    if (!report || !*report) {
      fmt::print("training failed: {}\n", report ? "too slow" : report.error().detail);
      return 1;
    }
    fmt::print("trained and in use in {:.0f} ms\n{}\n", ms_since(begun), **report);

    std::atomic<bool> done{false};
    std::atomic<int> written{0};
    std::thread writer([&] {
      std::mt19937 random(7);
      for (int tick = 0; !done; ++tick) {
        if (tick % 5 == 0) {
          books::NewBook book;
          book.title = words(random, tick % tastes, 5);
          book.author = fmt::format("Author {}", tick % 100);
          book.genre = fmt::format("Genre {}", tick % tastes);
          if (runtime::block_on(catalogue.create(std::move(book), by))) ++written;
        }
        const auto person = 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(people));
        const auto book = 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(books));
        auto lend = [&](db::Transaction& tx) -> Status {
          const auto now = clock.now();
          tx.execute(
              "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date, return_date, status) "
              "VALUES ($1, $2, $2, $3, $4, $4, 'returned')",
              person, book, now, now + std::chrono::milliseconds(day_ms));
          journal.record(tx, by,
                         {.type = "borrow.created",
                          .resource = "borrow",
                          .resource_id = book,
                          .subject = UserId{person},
                          .book = BookId{book}});
          return {};
        };
        if (database.write_now(std::move(lend))) ++written;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
    std::mt19937 random(3);
    std::vector<double> times;
    int failed = 0;
    for (int i = 0; i < lists; ++i) {
      Caller reader;
      reader.user = UserId{1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(people))};
      const auto from = Clock_::now();
      const auto list = runtime::block_on(recs.lists.list({}, reader));
      times.push_back(ms_since(from));
      if (!list || list->size() != 10) ++failed;
    }
    done = true;
    writer.join();
    std::ranges::sort(times);
    const auto at = [&](double share) {
      return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
    };
    fmt::print(
        "{} lists while {} writes: p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms, most {:.2f} ms, failed {}\n",
        lists, written.load(), at(0.5), at(0.95), at(0.99), at(1), failed);
    runner.stop();
    recs.stop();
    background.stop();
    database.stop();
  }
  std::filesystem::remove_all(folder);
  return 0;
}
