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
#include "modules/books/import_rows.hpp"
#include "modules/books/service.hpp"

#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct ImportReport {
  std::string format;
  std::int64_t rows = 0, created = 0, updated = 0, unchanged = 0, failed_count = 0, warnings = 0;
  std::int64_t listed = 0, reviewed = 0, notes_left_out = 0;  // what became of shelves and ratings
  // The first thousand; `index` is the line of the file, of MARC the number of the record.
  std::vector<RecordFault> failed;
  bool cancelled = false;

  static constexpr std::string_view type_name = "ImportReport";
  static std::vector<schema::Field> fields();
};

// What became of a reader's notes on one book.
struct NotesKept {
  int listed = 0, reviewed = 0, left_out = 0;
};
// Puts a book on the caller's lists and reviews it, as far as the rules allow. Blocking.
using KeepNotes = std::function<NotesKept(BookId, const ReaderNotes&, const Caller&)>;
// What other catalogues know of ISBN-13s, in the order asked for; nothing where they know nothing. Blocking.
using LookUp = std::function<std::vector<std::optional<NewBook>>(const std::vector<std::string>&)>;

class Importer {
 public:
  Importer(db::Database& database, BookService& books, ImportRows& rows)
      : database_(database), books_(books), rows_(rows) {}

  // Before imports run.
  void keep_notes_with(KeepNotes keep) { keep_notes_ = std::move(keep); }
  void look_up_with(LookUp look_up) { look_up_ = std::move(look_up); }
  // Two books of a file are editions of one work. In the unit of work that stores the second.
  using Unite = std::function<void(db::Transaction&, BookId first, BookId second, const Caller&)>;
  void unite_with(Unite unite) { unite_ = std::move(unite); }
  // Called at the end of each run, before anybody is told that it ended.
  void when_done(std::function<void()> then) { done_ = std::move(then); }

  struct Options {
    bool dry_run = false;  // read and check, change nothing
    bool create = true;    // books that are not there; without it they are refused
    bool notes = false;    // the caller's shelves, ratings and reviews are kept
    std::string job;       // refused records are kept under it to be mended; empty: they are not
  };
  // Blocking; on a jobs thread or the command line. `step` is told the bytes read so far and may say false to
  // end early. The error is a database that cannot be reached or a full disk.
  Result<ImportReport> run(std::istream& in, std::string_view name, Options options, const Caller& by,
                           const std::function<bool(std::size_t)>& step);

  // A JSON array or NDJSON of at most 1,000 books, in one unit of work.
  Task<Result<BatchResult>> add_batch(std::string_view body, Caller by);

 private:
  class Run;
  db::Database& database_;
  BookService& books_;
  ImportRows& rows_;
  KeepNotes keep_notes_;
  LookUp look_up_;
  Unite unite_;
  std::function<void()> done_;
};

}  // namespace lumina::books
