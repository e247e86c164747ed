// The records that an import refused: kept, mended, and tried again one by one.
//
// A row belongs to the task of its import. Who started the import, and staff, may see and mend its rows; what
// is mended is checked at once, and trying again stores what is whole. Public functions are awaited on an io
// thread; each is one unit of work. Rows go after thirty days.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/books/imported_record.hpp"
#include "modules/books/service.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

enum class RowStatus : std::uint8_t { failed, ready, done };
constexpr std::array<std::string_view, 3> row_status_names{"failed", "ready", "done"};
constexpr auto& enum_names(RowStatus) { return row_status_names; }

// As far as the book is known: every field may be missing.
struct RowFields {
  std::optional<std::string> title, author, isbn, genre;
  std::optional<int> year_published;
  std::optional<std::string> description, language, publisher;
  std::optional<int> page_count;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> cover_url;
  std::optional<int> copies;
  static constexpr std::string_view type_name = "ImportRowFields";
  static std::vector<schema::Field> fields();
};
struct ImportRow {
  std::int64_t line = 0;
  RowStatus status = RowStatus::failed;
  std::string raw;
  RowFields fields_read;
  std::vector<std::string> errors;
  std::optional<BookId> book_id;
  static constexpr std::string_view type_name = "ImportRow";
  static std::vector<schema::Field> fields();
};
struct RowFilter {
  std::optional<RowStatus> status;
  static constexpr std::string_view type_name = "ImportRowFilter";
  static std::vector<schema::Field> fields();
};
struct RetryResult {
  std::int64_t tried = 0, created = 0, updated = 0, unchanged = 0, failed = 0;
  static constexpr std::string_view type_name = "ImportRetry";
  static std::vector<schema::Field> fields();
};

class ImportRows {
 public:
  ImportRows(db::Database& database, const Clock& clock, BookService& books)
      : database_(database), clock_(clock), books_(books) {}

  // Inside an import's unit of work: keeps a refused record. The same line again replaces what was not done.
  void keep(db::Transaction& tx, const std::string& job, std::optional<UserId> user,
            const ImportedRecord& record, const std::vector<std::string>& errors) const;

  Task<Result<Page<ImportRow>>> list(std::string job, RowFilter filter, PageRequest page, Caller by);
  // What is named replaces what was read. Refused: row_done.
  Task<Result<ImportRow>> mend(std::string job, std::int64_t line, RowFields changes, Caller by);
  // Stores the rows that are whole, a thousand at most.
  Task<Result<RetryResult>> retry(std::string job, Caller by);
  Result<std::int64_t> prune_now(Timestamp before);

 private:
  db::Database& database_;
  const Clock& clock_;
  BookService& books_;
};

}  // namespace lumina::books
