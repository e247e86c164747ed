#include "app_figures.hpp"

#include "core/db/transaction.hpp"

#include <string>
#include <string_view>
#include <tuple>

namespace lumina {

LibraryFigures::LibraryFigures(db::Database& database, const Clock& clock, runtime::Pool& pool,
                               events::Bus& bus)
    : database_(database), clock_(clock), pool_(pool) {
  for (const std::string_view kind : {"book.", "borrow.", "user.", "document.", "session."})
    bus.subscribe(std::string(kind), [this](const events::Event&) { changed_ = true; });
  count();
}

void LibraryFigures::show(metrics::Registry& registry) {
  const auto gauge = [&](std::string_view name, std::string_view help,
                         std::atomic<std::int64_t> Counts::* field) {
    registry.gauge(name, help, {}, [this, field] { return static_cast<double>((counts_.*field).load()); });
  };
  gauge("luminalib_books", "Books in the catalogue.", &Counts::books);
  gauge("luminalib_users", "Accounts.", &Counts::users);
  gauge("luminalib_users_active", "People who used the library in the last 24 hours while signed in.",
        &Counts::active_users);
  gauge("luminalib_borrows_active", "Loans that are open.", &Counts::borrows_active);
  gauge("luminalib_documents", "Documents.", &Counts::documents);
  gauge("luminalib_document_bytes", "Size of the documents as they were uploaded, all versions.",
        &Counts::document_bytes);
}

void LibraryFigures::refresh() {
  const auto age = std::chrono::steady_clock::now() - counted_at_.load();
  if (age < fresh || (!changed_ && age < stale) || counting_.exchange(true)) return;
  const bool begun = pool_.try_submit([this] {
    count();
    counting_ = false;
  });
  if (!begun) counting_ = false;
}

void LibraryFigures::count() {
  changed_ = false;
  auto ask = [day = clock_.now() + std::chrono::hours(-24)](db::Transaction& tx) {
    return tx.one<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>(
        "SELECT (SELECT count(*) FROM books WHERE deleted_at IS NULL), "
        "(SELECT count(*) FROM users WHERE deleted_at IS NULL), "
        "(SELECT count(DISTINCT user_id) FROM sessions WHERE last_seen_at >= $1), "
        "(SELECT count(*) FROM borrows WHERE status IN ('active', 'overdue')), "
        "(SELECT count(*) FROM documents), (SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM "
        "document_versions)",
        day);
  };
  const auto row = database_.read_now(std::move(ask));
  counted_at_ = std::chrono::steady_clock::now();
  if (!row || !*row) return;
  std::tie(counts_.books, counts_.users, counts_.active_users, counts_.borrows_active, counts_.documents,
           counts_.document_bytes) = **row;
}

}  // namespace lumina
