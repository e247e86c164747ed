#include "modules/books/importer.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "modules/books/record_reader.hpp"

#include <fmt/format.h>

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

struct Counts {
  std::int64_t created = 0, updated = 0, unchanged = 0;
};

// The books of a batch body, each decoded by itself.
Result<std::vector<Result<NewBook>>> read_batch(std::string_view body) {
  const auto start = trim_ascii(body);
  if (start.starts_with('[')) return json::decode_each<NewBook>(body, most_in_batch);
  std::vector<Result<NewBook>> books;
  std::string_view rest = body;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = trim_ascii(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    if (books.size() == most_in_batch)
      return invalid({{{"body"}, fmt::format("must have at most {} items", most_in_batch), "items"}});
    books.push_back(json::decode<NewBook>(line));
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
          {"failed", &ImportReport::failed, "The first thousand refused records by line"},
          {"cancelled", &ImportReport::cancelled, "Ended before the file did"}};
}

Result<ImportReport> Importer::run(std::istream& in, std::string_view name, Options options, const Caller& by,
                                   const std::function<bool(std::size_t)>& step) {
  const auto source = RecordSource::open(in, name);
  ImportReport report;
  report.format = name_of(source->format().kind);
  std::vector<NewBook> unit;
  std::size_t consumed = 0;
  std::int64_t units = 0, next_survey = 1;
  const auto store = [&]() -> Status {
    if (unit.empty() || options.dry_run) return unit.clear(), Status{};
    ++units;
    const bool survey = units == next_survey;
    if (survey) next_survey *= 4;
    auto work = [&](db::Transaction& tx) -> Result<Counts> {
      Counts counts;
      for (const auto& book : unit) count(books_.upsert(tx, book, by), counts);
      // Kept statements were planned for tables that were empty: PostgreSQL would read them whole for each
      // record.
      if (survey && tx.postgresql()) tx.execute("ANALYZE books, book_stats, book_tags, copies");
      return counts;
    };
    auto counts = database_.write_now(work);
    if (!counts) return Failure(std::move(counts.error()));
    report.created += counts->created;
    report.updated += counts->updated;
    report.unchanged += counts->unchanged;
    unit.clear();
    return {};
  };
  while (auto record = source->next()) {
    ++report.rows;
    report.warnings += static_cast<std::int64_t>(record->warnings.size());
    if (!record->book) {
      ++report.failed_count;
      if (report.failed.size() < most_faults_kept)
        report.failed.push_back(fault_of(static_cast<std::int64_t>(record->line), record->book.error()));
      continue;
    }
    unit.push_back(std::move(*record->book));
    if (unit.size() < unit_size) continue;
    if (auto stored = store(); !stored) return Failure(std::move(stored.error()));
    if (const auto at = in.tellg(); at > 0) consumed = static_cast<std::size_t>(at);
    if (!step(consumed)) {
      report.cancelled = true;
      return report;
    }
  }
  if (auto stored = store(); !stored) return Failure(std::move(stored.error()));
  return report;
}

Task<Result<BatchResult>> Importer::add_batch(std::string_view body, Caller by) {
  auto read = read_batch(body);
  if (!read) return refuse(std::move(read.error()));
  auto work = [this, records = std::move(*read),
               by = std::move(by)](db::Transaction& tx) -> Result<BatchResult> {
    BatchResult result;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i]) {
        count(books_.upsert(tx, *records[i], by), result);
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
