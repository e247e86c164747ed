// The desk under load, over real sockets: 200 clients at once do whatever comes to mind with 1,000 copies for
// a minute, and then the tables and the audit log are read for anything that must not be. After that 200
// check-outs a second, how long each takes, and how long until an event stream tells of it; then the same
// with a thousand streams open.
//
//   script/bench circulation [seconds]                       on SQLite, in a folder of its own
//   script/with-postgres --durable script/bench circulation [seconds]  and on PostgreSQL
//
// Ends with 1 when a promise was broken or anything was answered with 5xx.
#include "core/db/connection.hpp"
#include "core/db/database.hpp"
#include "event_crowd.hpp"
#include "process/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace lumina {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using process::Program;

constexpr int people = 200, titles = 250, copies_each = 4;
constexpr int paced_titles = 1000, paced_rate = 200;

std::string text_after(const std::string& json, std::string_view name, char end, std::size_t from = 0) {
  const auto at = json.find(name, from);
  if (at == std::string::npos) return {};
  const auto begin = at + name.size();
  return json.substr(begin, json.find(end, begin) - begin);
}
std::int64_t id_of(const std::string& json) { return std::atoll(text_after(json, "\"id\":", ',').c_str()); }

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
double quantile(std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}
std::string figures(std::vector<double> times) {
  std::ranges::sort(times);
  return fmt::format("{} in all, p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms",
                     times.size(), quantile(times, 0.5), quantile(times, 0.95), quantile(times, 0.99),
                     quantile(times, 1));
}

// What came back, by status.
class Answers {
 public:
  void add(int status) { ++count_[static_cast<std::size_t>(std::clamp(status, 0, 599))]; }
  std::int64_t server_faults() const {
    std::int64_t n = 0;
    for (std::size_t s = 500; s < 600; ++s) n += count_[s];
    return n;
  }
  std::string text() const {
    std::string out;
    for (std::size_t s = 0; s < count_.size(); ++s)
      if (count_[s] > 0) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", s, count_[s].load());
    return out;
  }

 private:
  std::array<std::atomic<std::int64_t>, 600> count_{};
};

// Each gives the number of rows that break a promise, once all is quiet.
constexpr std::pair<const char*, const char*> promises[] = {
    {"one open loan a copy",
     "SELECT count(*) FROM (SELECT copy_id FROM borrows WHERE return_date IS NULL GROUP BY copy_id HAVING "
     "count(*) > 1) x"},
    {"one open loan a person and book",
     "SELECT count(*) FROM (SELECT user_id, book_id FROM borrows WHERE return_date IS NULL GROUP BY user_id, "
     "book_id "
     "HAVING count(*) > 1) x"},
    {"one ready hold a copy",
     "SELECT count(*) FROM (SELECT copy_id FROM holds WHERE status = 'ready' GROUP BY copy_id HAVING "
     "count(*) > 1) x"},
    {"no copy is out and kept",
     "SELECT count(*) FROM holds h JOIN borrows o ON o.copy_id = h.copy_id WHERE h.status = 'ready' AND "
     "o.return_date IS NULL"},
    {"what is ready has a copy that says so",
     "SELECT count(*) FROM holds h LEFT JOIN copies c ON c.id = h.copy_id WHERE h.status = 'ready' AND "
     "(c.id IS NULL OR c.status <> 'on_hold')"},
    {"a copy is kept for somebody only",
     "SELECT count(*) FROM copies c WHERE c.status = 'on_hold' AND NOT EXISTS (SELECT 1 FROM holds h WHERE "
     "h.copy_id = c.id AND h.status = 'ready')"},
    {"nobody waits while a copy is free",
     "SELECT count(*) FROM holds h WHERE h.status = 'waiting' AND EXISTS (SELECT 1 FROM copies c WHERE "
     "c.book_id = "
     "h.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE o.copy_id = c.id "
     "AND "
     "o.return_date IS NULL))"},
    {"nobody waits for a book that they have",
     "SELECT count(*) FROM holds h JOIN borrows o ON o.user_id = h.user_id AND o.book_id = h.book_id WHERE "
     "h.ended_at "
     "IS NULL AND o.return_date IS NULL"},
    {"counter of holds",
     "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE h.book_id "
     "= "
     "s.book_id AND h.ended_at IS NULL)"},
    {"counter of open loans",
     "SELECT count(*) FROM book_stats s WHERE s.active_borrows <> (SELECT count(*) FROM borrows o WHERE "
     "o.book_id = "
     "s.book_id AND o.return_date IS NULL)"},
    {"counter of loans",
     "SELECT count(*) FROM book_stats s WHERE s.total_borrows <> (SELECT count(*) FROM borrows o WHERE "
     "o.book_id = "
     "s.book_id)"},
    {"counter of free copies",
     "SELECT count(*) FROM book_stats s WHERE s.copies_available <> (SELECT count(*) FROM copies c WHERE "
     "c.book_id = "
     "s.book_id AND c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE o.copy_id = c.id "
     "AND "
     "o.return_date IS NULL))"},
    {"audit: every loan once",
     "SELECT count(*) FROM borrows o WHERE (SELECT count(*) FROM audit_log a WHERE a.resource = 'borrow' AND "
     "a.resource_id = o.id AND a.action = 'borrow.created') <> 1"},
    {"audit: every return once, and none of an open loan",
     "SELECT count(*) FROM borrows o WHERE (SELECT count(*) FROM audit_log a WHERE a.resource = 'borrow' AND "
     "a.resource_id = o.id AND a.action = 'borrow.returned') <> CASE WHEN o.return_date IS NULL THEN 0 ELSE "
     "1 END"},
    {"audit: every renewal",
     "SELECT count(*) FROM borrows o WHERE (SELECT count(*) FROM audit_log a WHERE a.resource = 'borrow' AND "
     "a.resource_id = o.id AND a.action = 'borrow.renewed') <> o.renewals"},
    {"audit: every hold placed once",
     "SELECT count(*) FROM holds h WHERE (SELECT count(*) FROM audit_log a WHERE a.resource = 'hold' AND "
     "a.resource_id = h.id AND a.action = 'hold.placed') <> 1"},
    {"audit: the end of every hold once",
     "SELECT count(*) FROM holds h WHERE (SELECT count(*) FROM audit_log a WHERE a.resource = 'hold' AND "
     "a.resource_id = h.id AND a.action IN ('hold.cancelled', 'hold.expired', 'hold.fulfilled')) <> "
     "CASE WHEN h.ended_at IS NULL THEN 0 ELSE 1 END"},
    {"audit: nothing of loans or holds that are not there",
     "SELECT count(*) FROM audit_log a WHERE a.outcome = 'success' AND ((a.resource = 'borrow' AND NOT "
     "EXISTS "
     "(SELECT 1 FROM borrows o WHERE o.id = a.resource_id)) OR (a.resource = 'hold' AND NOT EXISTS (SELECT 1 "
     "FROM "
     "holds h WHERE h.id = a.resource_id)))"},
    {"an event for every change",
     "SELECT count(*) FROM (SELECT action, resource_id FROM audit_log WHERE outcome = 'success' AND resource "
     "IN ('borrow', 'hold') EXCEPT SELECT type, resource_id FROM outbox) x"}};

std::int64_t number(db::Database& database, std::string sql) {
  auto work = [&](db::Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>(sql)); };
  const auto found = database.read_now(work);
  if (!found) throw std::runtime_error(found.error().detail);
  return *found;
}

// A server with its database, and everybody who uses it.
class Library {
 public:
  explicit Library(bool postgresql) : postgresql_(postgresql) {
    if (postgresql) {
      const std::string server = std::getenv("LUMINALIB_TEST_POSTGRES");
      name_ = fmt::format("lumina_bench_{}", getpid());
      db::Connection(server, db::Connection::Access::write).script("CREATE DATABASE " + name_);
      url_ = server.substr(0, server.rfind('/') + 1) + name_;
    } else {
      url_ = "sqlite:" + (folder_.path() / "luminalib.db").string();
    }
    std::vector<std::string> more{"--log-level", "warn", "--max-connections-per-address", "2000"};
    if (postgresql) more.insert(more.end(), {"--database-url", url_});
    program_ = std::make_unique<Program>(folder_.path(), more);
    database_ = std::make_unique<db::Database>(db::Options{.url = url_, .readers = 1, .pool = 1});
  }
  ~Library() {
    program_.reset();
    database_.reset();
    if (!postgresql_) return;
    try {
      db::Connection(std::getenv("LUMINALIB_TEST_POSTGRES"), db::Connection::Access::write)
          .script("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception& e) {
      fmt::print(stderr, "the database {} stays: {}\n", name_, e.what());
    }
  }

  std::string somebody(const std::string& email, std::string_view role) {
    const auto who =
        fmt::format(R"({{"email":"{}","password":"a tall blue window","full_name":"Somebody"}})", email);
    if (program_->call("POST", "/api/v1/auth/register", who).status != 201)
      throw std::runtime_error("no account");
    if (role != "patron") {
      auto promote = [&](db::Transaction& tx) {
        tx.execute("UPDATE users SET role = $1 WHERE email_key = $2", role, email);
      };
      if (!database_->write_now(promote)) throw std::runtime_error("no role");
    }
    const auto in = program_->call("POST", "/api/v1/auth/login",
                                   fmt::format(R"({{"email":"{}","password":"a tall blue window"}})", email));
    return text_after(in.body, "\"access_token\":\"", '"');
  }
  std::int64_t book(const std::string& token, const std::string& title, std::vector<std::string>& barcodes) {
    const auto made = program_->call(
        "POST", "/api/v1/books",
        fmt::format(R"({{"title":"{}","author":"Somebody","copies":{}}})", title, copies_each), token);
    const auto id = id_of(made.body);
    const auto copies = program_->call("GET", fmt::format("/api/v1/books/{}/copies", id)).body;
    for (auto at = copies.find("\"barcode\":\""); at != std::string::npos;
         at = copies.find("\"barcode\":\"", at + 1))
      barcodes.push_back(text_after(copies, "\"barcode\":\"", '"', at));
    return id;
  }
  Program& program() { return *program_; }
  db::Database& database() { return *database_; }

 private:
  bool postgresql_;
  process::Folder folder_;
  std::string url_, name_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<db::Database> database_;
};

struct Stock {
  std::string librarian, admin;
  std::vector<std::string> patrons;  // tokens
  std::vector<std::int64_t> books;
  std::vector<std::string> barcodes;
};

// One client of the random mix.
void wander(Library& library, const Stock& stock, int self, Clock::time_point until, Answers& answers) {
  std::mt19937 random(static_cast<unsigned>(self) * 7919U + 1);
  const auto any = [&](std::size_t n) { return random() % n; };
  wire::Client wire(library.program().port());
  const auto& token = stock.patrons[static_cast<std::size_t>(self)];
  std::vector<std::int64_t> loans, holds;
  const auto call = [&](const std::string& method, const std::string& path, const std::string& body,
                        const std::string& by) {
    auto answer = Program::call(wire, method, path, body, by);
    answers.add(answer.status);
    return answer;
  };
  while (Clock::now() < until) {
    const auto book = stock.books[any(stock.books.size())];
    const auto& barcode = stock.barcodes[any(stock.barcodes.size())];
    switch (any(12)) {
      case 0:
      case 1:
      case 2: {
        const auto lent = call("POST", fmt::format("/api/v1/borrows/{}/borrow", book), "", token);
        if (lent.status == 201) loans.push_back(id_of(lent.body));
        break;
      }
      case 3:
      case 4:
        call("POST", fmt::format("/api/v1/borrows/{}/return", book), "", token);
        break;
      case 5:
        if (!loans.empty())
          call("POST", fmt::format("/api/v1/borrows/{}/renew", loans[any(loans.size())]), "", token);
        break;
      case 6:
      case 7: {
        const auto placed = call("POST", fmt::format("/api/v1/books/{}/holds", book), "", token);
        if (placed.status == 201) holds.push_back(id_of(placed.body));
        break;
      }
      case 8:
        if (!holds.empty()) {
          call("DELETE", fmt::format("/api/v1/holds/{}", holds.back()), "", token);
          holds.pop_back();
        }
        break;
      case 9:
        call("POST", "/api/v1/circulation/checkout",
             fmt::format(R"({{"patron":"reader{}@example.org","barcode":"{}"}})", any(people), barcode),
             stock.librarian);
        break;
      default:
        call("POST", "/api/v1/circulation/checkin", fmt::format(R"({{"barcode":"{}"}})", barcode),
             stock.librarian);
    }
  }
}

bool mix(Library& library, const Stock& stock, std::chrono::seconds time) {
  Answers answers;
  std::atomic<int> lost{0};
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < people; ++i)
      clients.emplace_back([&, i] {
        try {
          wander(library, stock, i, begin + time, answers);
        } catch (const std::exception& e) {
          ++lost;
          fmt::print(stderr, "client {}: {}\n", i, e.what());
        }
      });
  }
  fmt::print("  {} clients for {} s: {}\n", people, time.count(), answers.text());
  bool kept = answers.server_faults() == 0 && lost == 0;
  for (const auto& [promise, sql] : promises) {
    const auto broken = number(library.database(), sql);
    if (broken != 0) fmt::print("  BROKEN {}: {}\n", promise, broken);
    kept = kept && broken == 0;
  }
  fmt::print(
      "  {} promises looked at, {} loans, {} holds, {} rows in the audit log; server faults: {}, lost "
      "clients: {}\n",
      std::size(promises), number(library.database(), "SELECT count(*) FROM borrows"),
      number(library.database(), "SELECT count(*) FROM holds"),
      number(library.database(), "SELECT count(*) FROM audit_log"), answers.server_faults(), lost.load());
  return kept;
}

std::int64_t resident_kib(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::atoll(line.c_str() + 6);
  return 0;
}

bool paced(Library& library, const Stock& stock, std::chrono::seconds time, std::size_t streams) {
  std::vector<std::string> barcodes;
  for (int i = 0; i < paced_titles; ++i) library.book(stock.librarian, fmt::format("Paced {}", i), barcodes);
  const auto wanted = std::min(barcodes.size(), static_cast<std::size_t>(paced_rate * time.count()));
  const auto before = resident_kib(library.program().pid());
  bench::EventCrowd crowd(library.program().port(), stock.admin, streams);
  std::this_thread::sleep_for(1s);
  Answers answers;
  struct Done {
    std::int64_t loan = 0;
    Clock::time_point due, sent, answered;
  };
  std::vector<Done> done(wanted);
  std::atomic<std::size_t> next{0};
  const auto begin = Clock::now() + 100ms;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 32; ++i)
      clients.emplace_back([&] {
        wire::Client wire(library.program().port());
        for (std::size_t n = next++; n < wanted; n = next++) {
          Done& one = done[n];
          one.due = begin + n * 1'000'000us / paced_rate;
          std::this_thread::sleep_until(one.due);
          const auto body =
              fmt::format(R"({{"patron":"reader{}@example.org","barcode":"{}"}})", n % people, barcodes[n]);
          one.sent = Clock::now();
          const auto answer =
              Program::call(wire, "POST", "/api/v1/circulation/checkout", body, stock.librarian);
          one.answered = Clock::now();
          answers.add(answer.status);
          if (answer.status == 201) one.loan = id_of(answer.body);
        }
      });
  }
  std::this_thread::sleep_for(1s);
  std::vector<double> taken, told;
  std::size_t untold = 0;
  for (const Done& one : done) {
    // From the moment it was due: a server that stops for a second makes all of that second late.
    taken.push_back(milliseconds(one.answered - one.due));
    if (one.loan == 0) continue;
    const auto heard = crowd.told(one.loan);
    if (heard && heard->readers == crowd.readers())
      told.push_back(milliseconds(heard->last - one.sent));
    else
      ++untold;
  }
  const auto late = std::ranges::count_if(told, [](double t) { return t > 100; });
  fmt::print("  check-out at {}/s: {}; statuses {}\n", paced_rate, figures(taken), answers.text());
  fmt::print(
      "  event streams: {}, from sending the request to the last of them reading the event: {}; over 100 ms: "
      "{}, not told to all: {}; memory of the server {:+.1f} MB\n",
      streams, figures(told), late, untold,
      static_cast<double>(resident_kib(library.program().pid()) - before) / 1024);
  return answers.server_faults() == 0 && untold == 0;
}

bool run(bool postgresql, std::chrono::seconds time) {
  fmt::print("{}\n", postgresql ? "PostgreSQL" : "SQLite");
  Library library(postgresql);
  Stock stock;
  stock.librarian = library.somebody("librarian@example.org", "librarian");
  stock.admin = library.somebody("admin@example.org", "admin");
  for (int i = 0; i < people; ++i)
    stock.patrons.push_back(library.somebody(fmt::format("reader{}@example.org", i), "patron"));
  for (int i = 0; i < titles; ++i)
    stock.books.push_back(library.book(stock.librarian, fmt::format("Title {}", i), stock.barcodes));
  fmt::print("  {} people, {} titles, {} copies\n", people, stock.books.size(), stock.barcodes.size());
  const bool kept = mix(library, stock, time);
  const auto pace = std::min(time, std::chrono::seconds(20));
  const bool calm = paced(library, stock, pace, 1);
  const bool crowded = paced(library, stock, pace, 1000);
  return kept && calm && crowded;
}

}  // namespace
}  // namespace lumina

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::chrono::seconds time(argc > 1 ? std::max(1, std::atoi(argv[1])) : 60);
  bool kept = lumina::run(false, time);
  if (std::getenv("LUMINALIB_TEST_POSTGRES") != nullptr) kept = lumina::run(true, time) && kept;
  return kept ? 0 : 1;
}
