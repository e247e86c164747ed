// How long the overview of a library's use takes when its audit log has a million rows, and how long counting
// them took.
//
//   script/bench analytics                       on SQLite, in a folder of its own
//   script/with-postgres --durable script/bench analytics  and on PostgreSQL
#include "core/db/connection.hpp"
#include "core/db/migrator.hpp"
#include "core/runtime/block_on.hpp"
#include "modules/reports/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace lumina {
namespace {

constexpr std::int64_t events = 1'000'000, loans = 60'000;
constexpr int rounds = 50;
constexpr std::int64_t year_ms = 365LL * 86'400'000;

double seconds_of(auto&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void must(const Status& done) {
  if (!done) throw std::runtime_error(done.error().detail);
}

// A year of a library: 5,000 books, 60,000 loans that came back, everything by 2,000 people.
void fill(db::Database& database, Timestamp now) {
  auto work = [now](db::Transaction& tx) -> Status {
    const auto begin = now.ms - year_ms;
    tx.execute(
        "INSERT INTO books (title, author, title_key, author_key, match_key, created_at, updated_at) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "SELECT 'A title', 'Somebody', 'a title', 'somebody', 'x' || i, CAST($1 AS BIGINT), CAST($1 AS "
        "BIGINT) FROM n",
        begin);
    tx.execute(
        "INSERT INTO copies (book_id, barcode, created_at, updated_at) "
        "SELECT id, 'B' || id, created_at, created_at FROM books");
    tx.execute(
        "INSERT INTO borrows (book_id, copy_id, borrow_date, due_date, return_date, status) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($2 AS BIGINT)) "
        "SELECT i * 7 % 5000 + 1, i * 7 % 5000 + 1, CAST($1 AS BIGINT) + i, CAST($1 AS BIGINT) + i + 1, "
        "CAST($1 AS BIGINT) + i + 2, 'returned' FROM n",
        begin, loans);
    tx.execute(
        "INSERT INTO audit_log (at, user_id, action, resource, resource_id, outcome, address, request_id) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($2 AS BIGINT)) "
        "SELECT CAST($1 AS BIGINT) + i * CAST($3 AS BIGINT) / CAST($2 AS BIGINT), i * 31 % 2000 + 1, "
        "CASE i % 10 WHEN 0 THEN 'borrow.created' WHEN 1 THEN 'borrow.returned' WHEN 2 THEN "
        "'session.created' "
        "WHEN 3 THEN 'hold.placed' WHEN 4 THEN 'review.created' WHEN 5 THEN 'auth.login_failed' "
        "WHEN 6 THEN 'borrow.renewed' ELSE 'book.updated' END, "
        "CASE WHEN i % 10 IN (0, 1, 6) THEN 'borrow' ELSE 'book' END, i % CAST($4 AS BIGINT) + 1, "
        "CASE i % 10 WHEN 5 THEN 'refused' ELSE 'success' END, '192.0.2.1', 'r' FROM n",
        begin, events, year_ms - 3'600'000, loans);
    tx.execute(
        "INSERT INTO search_queries (day, query_key, searches) "
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
        "SELECT '2026-' || CASE WHEN i % 12 < 9 THEN '0' ELSE '' END || (i % 12 + 1) || '-15', 'words ' || "
        "i, 1 FROM n");
    return {};
  };
  must(database.write_now(std::move(work)));
}

void run(const std::string& url, const std::string& name) {
  db::migrate(url);
  db::Database database({.url = url, .readers = 2, .pool = 4});
  const FixedClock clock(*parse_rfc3339("2026-11-22T10:00:00Z"));
  reports::ReportService reports(database, clock,
                                 [](db::Transaction&) { return *TimeZone::find("Europe/Berlin"); });
  fill(database, clock.now());
  std::int64_t counted = 0;
  const auto counting = seconds_of([&] { counted = reports.catch_up().value_or(-1); });
  fmt::print("{}: {} events counted in {:.1f} s\n", name, counted, counting);
  for (const int days : {1, 30, 365}) {
    std::vector<double> times;
    std::int64_t seen = 0;
    for (int i = 0; i < rounds; ++i)
      times.push_back(1000 * seconds_of([&] {
                        reports::Period period;
                        period.days = days;
                        const auto answer = runtime::block_on(reports.overview(period));
                        if (!answer) throw std::runtime_error(answer.error().detail);
                        seen = answer->totals.events;
                      }));
    std::ranges::sort(times);
    fmt::print("  overview of {} days, {} events: p50 {:.1f} ms, p95 {:.1f} ms, longest {:.1f} ms\n", days,
               seen, times[rounds / 2], times[rounds * 95 / 100], times.back());
  }
}

}  // namespace
}  // namespace lumina

int main() {
  using namespace lumina;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("lumina-analytics-{}", getpid());
  std::filesystem::create_directories(folder);
  run("sqlite:" + (folder / "luminalib.db").string(), "SQLite");
  std::filesystem::remove_all(folder);
  const char* server = std::getenv("LUMINALIB_TEST_POSTGRES");
  if (server == nullptr) return 0;
  const std::string address(server), name = fmt::format("lumina_bench_{}", getpid());
  db::Connection(address, db::Connection::Access::write).script("CREATE DATABASE " + name);
  run(address.substr(0, address.rfind('/') + 1) + name, "PostgreSQL");
  db::Connection(address, db::Connection::Access::write).script("DROP DATABASE " + name + " WITH (FORCE)");
  return 0;
}
