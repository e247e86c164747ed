#include "modules/books/importer.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "modules/books/book_row.hpp"
#include "modules/books/record_reader.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace lumina::books {
namespace {

constexpr std::size_t unit_size = 250;
constexpr std::size_t most_faults_kept = 1000;
constexpr std::size_t most_in_batch = 1000;

RecordFault fault_of(std::int64_t index, const std::vector<FieldError>& errors) {
  RecordFault fault{index, {}};
  for (const auto& e : errors) fault.errors.push_back((e.loc.empty() ? "" : e.loc.back() + " ") + e.message);
  return fault;
}

void count(BookService::Outcome outcome, auto& report) {
  switch (outcome) {
    case BookService::Outcome::created:
      ++report.created;
      break;
    case BookService::Outcome::updated:
      ++report.updated;
      break;
    case BookService::Outcome::unchanged:
      ++report.unchanged;
      break;
  }
}

// The one rule that the field list cannot say.
Result<NewBook> checked(Result<NewBook> book) {
  if (book)
    if (auto fault = metadata_fault(book->metadata)) return invalid({std::move(*fault)});
  return book;
}

// The books of a batch body, each decoded by itself.
Result<std::vector<Result<NewBook>>> read_batch(std::string_view body) {
  const auto start = trim_ascii(body);
  std::vector<Result<NewBook>> books;
  if (start.starts_with('[')) {
    auto all = json::decode_each<NewBook>(body, most_in_batch);
    if (!all) return Failure(std::move(all.error()));
    for (auto& book : *all) books.push_back(checked(std::move(book)));
    return books;
  }
  std::string_view rest = body;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = trim_ascii(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    if (books.size() == most_in_batch)
      return invalid({{{"body"}, fmt::format("must have at most {} items", most_in_batch), "items"}});
    books.push_back(checked(json::decode<NewBook>(line)));
  }
  if (books.empty()) return invalid({{{"body"}, "is required", "missing"}});
  return books;
}

Task<Result<BatchResult>> refuse(Error error) { co_return Failure(std::move(error)); }

}  // namespace

std::vector<schema::Field> ImportReport::fields() {
  return {{"format", &ImportReport::format, "What the file was taken for"},
          {"rows", &ImportReport::rows, "Records read"},
          {"created", &ImportReport::created, "Books that are new"},
          {"updated", &ImportReport::updated, "Books that were completed"},
          {"unchanged", &ImportReport::unchanged, "Books that were there as they are"},
          {"failed_count", &ImportReport::failed_count, "Records that were refused"},
          {"warnings", &ImportReport::warnings, "Fields that were left out"},
          {"listed", &ImportReport::listed, "Places on the reader's lists"},
          {"reviewed", &ImportReport::reviewed, "Ratings that became reviews"},
          {"notes_left_out", &ImportReport::notes_left_out, "Ratings that the rules allow no review for"},
          {"failed", &ImportReport::failed, "The first thousand refused records by line, of MARC by number"},
          {"cancelled", &ImportReport::cancelled, "Ended before the file did"}};
}

// One run over one file.
class Importer::Run {
 public:
  Run(Importer& importer, const Options& options, const Caller& by)
      : importer_(importer), options_(options), by_(by) {}

  void add(ImportedRecord record) {
    ++report.rows;
    report.warnings += static_cast<std::int64_t>(record.warnings.size());
    unit_.push_back(std::move(record));
  }
  bool full() const { return unit_.size() >= unit_size; }

  Status store() {
    if (unit_.empty()) return {};
    look_up();
    if (options_.dry_run) {
      for (const auto& record : unit_)
        if (!record.book) refuse(record, sentences(record));
      unit_.clear();
      return {};
    }
    ++units_;
    const bool survey = units_ == next_survey_;
    if (survey) next_survey_ *= 4;
    auto work = [&](db::Transaction& tx) -> Result<Outcome> {
      Outcome outcome;
      for (const auto& record : unit_) one(tx, record, outcome);
      // Kept statements were planned for tables that were empty: PostgreSQL would read them whole for each
      // record.
      if (survey && tx.postgresql()) tx.execute("ANALYZE books, book_stats, book_tags, copies");
      return outcome;
    };
    auto done = importer_.database_.write_now(work);
    if (!done) return Failure(std::move(done.error()));
    report.created += done->created;
    report.updated += done->updated;
    report.unchanged += done->unchanged;
    for (std::size_t i = 0; i < unit_.size(); ++i) {
      if (const auto& errors = done->errors[i]; !errors.empty()) refuse(unit_[i], errors);
      if (const auto id = done->books[i]) keep_notes(*id, unit_[i].notes);
    }
    works_.merge(done->works);
    unit_.clear();
    return {};
  }

  ImportReport report;

 private:
  // The first book of each work of the file.
  using Works = std::unordered_map<std::string, BookId>;
  struct Outcome {
    std::int64_t created = 0, updated = 0, unchanged = 0;
    std::vector<std::optional<BookId>> books;      // of each record of the unit
    std::vector<std::vector<std::string>> errors;  // likewise; empty: it was stored
    Works works;
  };

  static std::vector<std::string> sentences(const ImportedRecord& record) {
    return fault_of(0, record.book.error()).errors;
  }

  // The unit of work may run again, so what it counts is its own.
  void one(db::Transaction& tx, const ImportedRecord& record, Outcome& outcome) const {
    std::optional<BookId> id;
    const NewBook& known = record.book ? *record.book : record.partial;
    if (record.book && options_.create) {
      const auto upserted = importer_.books_.upsert(tx, known, by_, true);
      count(upserted.outcome, outcome);
      id = upserted.id;
      group(tx, record.work, *id, outcome);
    } else if (record.book || !record.isbn.empty()) {
      id = BookService::match(tx, known);
      if (id) ++outcome.unchanged;
    }
    std::vector<std::string> errors;
    if (!id) {
      errors =
          record.book ? std::vector<std::string>{"The library does not have this book"} : sentences(record);
      if (!options_.job.empty()) importer_.rows_.keep(tx, options_.job, by_.user, record, errors);
    }
    outcome.books.push_back(id);
    outcome.errors.push_back(std::move(errors));
  }

  void group(db::Transaction& tx, const std::string& work, BookId id, Outcome& outcome) const {
    if (work.empty() || !importer_.unite_) return;
    if (const auto known = works_.find(work); known != works_.end())
      importer_.unite_(tx, known->second, id, by_);
    else if (const auto [first, fresh] = outcome.works.try_emplace(work, id); !fresh)
      importer_.unite_(tx, first->second, id, by_);
  }

  // Records that are an ISBN and nothing else, those that are here left out, asked for together.
  void look_up() {
    if (!importer_.look_up_ || !options_.create) return;
    std::vector<ImportedRecord*> bare;
    for (auto& record : unit_)
      if (!record.isbn.empty() && !record.book) bare.push_back(&record);
    if (bare.empty()) return;
    auto missing_here = [&bare](db::Transaction& tx) {
      std::vector<ImportedRecord*> missing;
      for (auto* record : bare)
        if (!BookService::match(tx, record->partial)) missing.push_back(record);
      return missing;
    };
    const auto missing = importer_.database_.read_now(missing_here);
    if (!missing || missing->empty()) return;
    std::vector<std::string> isbns;
    for (const auto* record : *missing) isbns.push_back(record->isbn);
    const auto found = importer_.look_up_(isbns);
    for (std::size_t i = 0; i < missing->size() && i < found.size(); ++i)
      if (found[i]) (*missing)[i]->book = *found[i];
  }

  void refuse(const ImportedRecord& record, const std::vector<std::string>& errors) {
    ++report.failed_count;
    if (report.failed.size() < most_faults_kept)
      report.failed.push_back({static_cast<std::int64_t>(record.line), errors});
  }

  void keep_notes(BookId id, const ReaderNotes& notes) {
    if (!options_.notes || !importer_.keep_notes_ || notes.empty()) return;
    const auto kept = importer_.keep_notes_(id, notes, by_);
    report.listed += kept.listed;
    report.reviewed += kept.reviewed;
    report.notes_left_out += kept.left_out;
  }

  Importer& importer_;
  const Options& options_;
  const Caller& by_;
  std::vector<ImportedRecord> unit_;
  Works works_;
  std::int64_t units_ = 0, next_survey_ = 1;
};

Result<ImportReport> Importer::run(std::istream& in, std::string_view name, Options options, const Caller& by,
                                   const std::function<bool(std::size_t)>& step) {
  const auto source = RecordSource::open(in, name);
  Run run(*this, options, by);
  run.report.format = name_of(source->format().kind);
  std::size_t consumed = 0;
  while (auto record = source->next()) {
    run.add(std::move(*record));
    if (!run.full()) continue;
    if (auto stored = run.store(); !stored) return Failure(std::move(stored.error()));
    if (const auto at = in.tellg(); at > 0) consumed = static_cast<std::size_t>(at);
    if (!step(consumed)) {
      run.report.cancelled = true;
      return std::move(run.report);
    }
  }
  if (auto stored = run.store(); !stored) return Failure(std::move(stored.error()));
  if (done_) done_();
  return std::move(run.report);
}

Task<Result<BatchResult>> Importer::add_batch(std::string_view body, Caller by) {
  auto read = read_batch(body);
  if (!read) return refuse(std::move(read.error()));
  auto work = [this, records = std::move(*read),
               by = std::move(by)](db::Transaction& tx) -> Result<BatchResult> {
    BatchResult result;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i]) {
        count(books_.upsert(tx, *records[i], by).outcome, result);
        continue;
      }
      auto fault = fault_of(static_cast<std::int64_t>(i), records[i].error().fields);
      if (fault.errors.empty()) fault.errors.push_back(records[i].error().detail);
      result.failed.push_back(std::move(fault));
    }
    return result;
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::books
