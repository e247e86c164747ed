// luminalib doctor: looks at everything that can go wrong around a library, and says what to do.
#include "app.hpp"
#include "cli/commands.hpp"
#include "core/db/connection.hpp"
#include "core/db/migrator.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace lumina::cli {
namespace {

// Each finding is a line; the exit code says whether all were good.
class Findings {
 public:
  void good(std::string_view what) { fmt::print("  ok    {}\n", what); }
  void bad(std::string_view what, std::string_view remedy) {
    fmt::print("  FAULT {}\n        {}\n", what, remedy);
    failed_ = true;
  }
  int code() const { return failed_ ? 1 : 0; }

 private:
  bool failed_ = false;
};

void look_at_folder(const config::Config& config, Findings& out) {
  struct statvfs disk{};
  if (statvfs(config.data_dir.c_str(), &disk) != 0)
    return out.bad("the data directory " + config.data_dir + " cannot be read",
                   "create it, or name another with --data-dir");
  const auto free = disk.f_bavail * disk.f_frsize;
  if (free < 256ULL << 20)
    out.bad(fmt::format("{} MB are free for the data directory", free >> 20),
            "free some space: writes end when it is full");
  else
    out.good(fmt::format("{} MB free in {}", free >> 20, config.data_dir));
  struct stat secret{};
  const auto path = std::filesystem::path(config.data_dir) / "secret";
  if (stat(path.c_str(), &secret) == 0 && (secret.st_mode & 077) != 0)
    out.bad("others can read " + path.string(), "chmod 600 " + path.string());
}

struct Drift {
  std::string_view what, count, remedy;
};

constexpr Drift drifts[] = {
    {"books without counters",
     "SELECT count(*) FROM books b LEFT JOIN book_stats s ON s.book_id = b.id WHERE s.book_id IS NULL", ""},
    {"books whose count of open loans is wrong",
     "SELECT count(*) FROM book_stats s WHERE s.active_borrows <> (SELECT count(*) FROM borrows o WHERE "
     "o.book_id = s.book_id "
     "AND o.return_date IS NULL)",
     "UPDATE book_stats SET active_borrows = (SELECT count(*) FROM borrows o WHERE o.book_id = "
     "book_stats.book_id AND "
     "o.return_date IS NULL)"},
    {"books whose count of loans is wrong",
     "SELECT count(*) FROM book_stats s WHERE s.total_borrows <> (SELECT count(*) FROM borrows o WHERE "
     "o.book_id = s.book_id)",
     "UPDATE book_stats SET total_borrows = (SELECT count(*) FROM borrows o WHERE o.book_id = "
     "book_stats.book_id)"},
    {"books whose count of reviews is wrong",
     "SELECT count(*) FROM book_stats s WHERE s.review_count <> (SELECT count(*) FROM reviews r WHERE "
     "r.book_id = s.book_id "
     "AND r.standing IN ('shown', 'cleared'))",
     "UPDATE book_stats SET review_count = (SELECT count(*) FROM reviews r WHERE r.book_id = "
     "book_stats.book_id AND "
     "r.standing IN ('shown', 'cleared'))"},
    {"books whose count of copies is wrong",
     "SELECT count(*) FROM book_stats s WHERE s.copies_total <> (SELECT count(*) FROM copies c WHERE "
     "c.book_id = s.book_id AND "
     "c.status NOT IN ('lost', 'missing', 'withdrawn'))",
     "UPDATE book_stats SET copies_total = (SELECT count(*) FROM copies c WHERE c.book_id = "
     "book_stats.book_id AND "
     "c.status NOT IN ('lost', 'missing', 'withdrawn'))"},
    {"books whose count of holds is wrong",
     "SELECT count(*) FROM book_stats s WHERE s.holds_open <> (SELECT count(*) FROM holds h WHERE h.book_id "
     "= s.book_id AND "
     "h.ended_at IS NULL)",
     "UPDATE book_stats SET holds_open = (SELECT count(*) FROM holds h WHERE h.book_id = book_stats.book_id "
     "AND "
     "h.ended_at IS NULL)"},
    {"books whose count of free copies is wrong",
     "SELECT count(*) FROM book_stats s JOIN books b ON b.id = s.book_id WHERE b.deleted_at IS NULL AND "
     "s.copies_available <> "
     "(SELECT count(*) FROM copies c WHERE c.book_id = s.book_id AND c.status = 'available' AND NOT EXISTS "
     "(SELECT 1 FROM borrows o WHERE o.copy_id = c.id AND o.return_date IS NULL))",
     "UPDATE book_stats SET copies_available = (SELECT count(*) FROM copies c WHERE c.book_id = "
     "book_stats.book_id AND "
     "c.status = 'available' AND NOT EXISTS (SELECT 1 FROM borrows o WHERE o.copy_id = c.id AND "
     "o.return_date IS NULL))"},
};

void look_at_counts(db::Connection& connection, bool fix, Findings& out) {
  for (const Drift& drift : drifts) {
    db::Transaction tx(connection, true);
    const auto n = std::get<0>(*tx.one<std::int64_t>(drift.count));
    if (n == 0) {
      out.good(fmt::format("no {}", drift.what));
    } else if (fix && !drift.remedy.empty()) {
      connection.begin();
      tx.execute(drift.remedy);
      connection.commit();
      out.good(fmt::format("{} {}: recounted", n, drift.what));
    } else {
      out.bad(fmt::format("{} {}", n, drift.what), "luminalib doctor --fix");
    }
  }
}

}  // namespace

int doctor(const Invocation& invocation, const config::Loaded& loaded) {
  Findings out;
  fmt::print("LuminaLib {}\n", LUMINA_VERSION);
  for (const auto& warning : loaded.warnings) fmt::print("  note  {}\n", warning);
  look_at_folder(loaded.config, out);
  try {
    const auto url = database_url(loaded.config);
    bool pending = false;
    for (const auto& m : db::migration_status(url)) pending = pending || !m.applied;
    if (pending) {
      out.bad("the database has an older schema", "luminalib migrate up, or start the server");
      return out.code();
    }
    out.good("the database answers and its schema is current");
    db::Connection connection(url, db::Connection::Access::write);
    if (connection.dialect() == db::Dialect::sqlite) {
      db::Transaction tx(connection, true);
      const auto verdict = std::get<0>(*tx.one<std::string>("PRAGMA integrity_check(1)"));
      if (verdict == "ok")
        out.good("the database file is intact");
      else
        out.bad("the database file is damaged: " + verdict, "restore the last backup");
    }
    look_at_counts(connection, invocation.fix, out);
  } catch (const std::exception& e) {
    out.bad(e.what(), "check --database-url and that the database runs");
  }
  return out.code();
}

}  // namespace lumina::cli
