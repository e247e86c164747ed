// Bringing many books in at once: files of records, and batches of the API.
//
// Idempotent: a record is matched by ISBN, then by title and author; what is there already is completed or
// left alone. Records go in units of work of a few hundred, so an import that is killed midway has lost
// nothing that was reported, and running it again adds the rest.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/books/service.hpp"

#include <functional>
#include <istream>
#include <string>
#include <string_view>

namespace lumina::books {

struct ImportReport {
  std::string format;
  std::int64_t rows = 0, created = 0, updated = 0, unchanged = 0, failed_count = 0, warnings = 0;
  std::vector<RecordFault> failed;  // the first thousand; `index` is the line of the file
  bool cancelled = false;

  static constexpr std::string_view type_name = "ImportReport";
  static std::vector<schema::Field> fields();
};

class Importer {
 public:
  Importer(db::Database& database, BookService& books) : database_(database), books_(books) {}

  struct Options {
    bool dry_run = false;  // read and check, change nothing
  };
  // Blocking; on a jobs thread or the command line. `step` is told the bytes read so far and may say false to
  // end early. The error is a database that cannot be reached or a full disk.
  Result<ImportReport> run(std::istream& in, std::string_view name, Options options, const Caller& by,
                           const std::function<bool(std::size_t)>& step);

  // A JSON array or NDJSON of at most 1,000 books, in one unit of work.
  Task<Result<BatchResult>> add_batch(std::string_view body, Caller by);

 private:
  db::Database& database_;
  BookService& books_;
};

}  // namespace lumina::books
