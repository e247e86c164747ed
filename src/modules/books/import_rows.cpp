#include "modules/books/import_rows.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"

#include <boost/json.hpp>

namespace lumina::books {
namespace {

constexpr std::size_t most_raw = 2000;
constexpr int most_tried = 1000;

struct Stored {
  std::int64_t id = 0, line = 0;
  std::optional<UserId> user;
  std::string raw, fields, errors, status;
  std::optional<BookId> book;
};
const db::Columns<Stored> columns{{"id", &Stored::id},         {"line", &Stored::line},
                                  {"user_id", &Stored::user},  {"raw", &Stored::raw},
                                  {"fields", &Stored::fields}, {"errors", &Stored::errors},
                                  {"status", &Stored::status}, {"book_id", &Stored::book}};

std::string json_of(const std::vector<std::string>& sentences) {
  return boost::json::serialize(boost::json::array(sentences.begin(), sentences.end()));
}

RowFields fields_of(const NewBook& book) {
  RowFields out;
  const auto some = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  out.title = some(book.title);
  out.author = some(book.author);
  out.isbn = book.isbn;
  out.genre = book.genre;
  out.year_published = book.year_published;
  out.description = book.description;
  out.language = book.language;
  out.publisher = book.publisher;
  out.page_count = book.page_count;
  if (!book.tags.empty()) out.tags = book.tags;
  out.cover_url = book.cover_url;
  out.copies = book.copies;
  return out;
}

void merge(RowFields& into, const RowFields& changes) {
  const auto take = [](auto& target, const auto& given) {
    if (given) target = given;
  };
  take(into.title, changes.title);
  take(into.author, changes.author);
  take(into.isbn, changes.isbn);
  take(into.genre, changes.genre);
  take(into.year_published, changes.year_published);
  take(into.description, changes.description);
  take(into.language, changes.language);
  take(into.publisher, changes.publisher);
  take(into.page_count, changes.page_count);
  take(into.tags, changes.tags);
  take(into.cover_url, changes.cover_url);
  take(into.copies, changes.copies);
}

// A book that satisfies every rule, or the sentences that say what is missing. Members without a value are
// left out, so that the rules of a new book decide.
Result<NewBook> whole(const RowFields& fields) {
  auto value = boost::json::parse(json::encode(fields));
  auto& object = value.get_object();
  for (auto it = object.begin(); it != object.end();) it = it->value().is_null() ? object.erase(it) : it + 1;
  return json::decode<NewBook>(boost::json::serialize(value));
}
std::vector<std::string> sentences_of(const Error& error) {
  std::vector<std::string> out;
  for (const auto& f : error.fields) out.push_back((f.loc.empty() ? "" : f.loc.back() + " ") + f.message);
  if (out.empty()) out.push_back(error.detail);
  return out;
}

ImportRow shown(const Stored& row) {
  ImportRow out;
  out.line = row.line;
  out.status = row.status == "done"    ? RowStatus::done
               : row.status == "ready" ? RowStatus::ready
                                       : RowStatus::failed;
  out.raw = row.raw;
  if (auto fields = json::decode<RowFields>(row.fields)) out.fields_read = std::move(*fields);
  boost::system::error_code error;
  const auto errors = boost::json::parse(row.errors, error);
  if (!error && errors.is_array())
    for (const auto& e : errors.get_array())
      if (e.is_string()) out.errors.emplace_back(std::string_view(e.get_string()));
  out.book_id = row.book;
  return out;
}

// Whether the caller may know of the import: an import nobody may see does not exist.
bool visible(db::Transaction& tx, const std::string& job, const Caller& by) {
  if (by.can(Permission::books_write)) return true;
  return by.user &&
         tx.one<std::int64_t>("SELECT 1 FROM import_rows WHERE job_id = $1 AND user_id = $2 LIMIT 1", job,
                              *by.user)
             .has_value();
}
bool exists(db::Transaction& tx, const std::string& job) {
  return tx.one<std::int64_t>("SELECT 1 FROM import_rows WHERE job_id = $1 LIMIT 1", job).has_value();
}

Failure no_such_import() { return not_found("There is no such import with rows to mend"); }

}  // namespace

std::vector<schema::Field> RowFields::fields() {
  return {{"title", &RowFields::title, "Title proper"},
          {"author", &RowFields::author, "Author"},
          {"isbn", &RowFields::isbn, "ISBN-10 or ISBN-13"},
          {"genre", &RowFields::genre, "Genre"},
          {"year_published", &RowFields::year_published, "Year of first publication"},
          {"description", &RowFields::description, "Description"},
          {"language", &RowFields::language, "Language tag (BCP 47)"},
          {"publisher", &RowFields::publisher, "Publisher"},
          {"page_count", &RowFields::page_count, "Number of pages"},
          {"tags", &RowFields::tags, "Tags"},
          {"cover_url", &RowFields::cover_url, "Address of a cover picture"},
          {"copies", &RowFields::copies, "Copies the library owns"}};
}
std::vector<schema::Field> ImportRow::fields() {
  return {{"line", &ImportRow::line, "Line of the file; of MARC the number of the record"},
          {"status", &ImportRow::status, "failed; ready: mended and whole; done: stored"},
          {"raw", &ImportRow::raw, "The record as it stood in the file"},
          {"fields", &ImportRow::fields_read, "The book as far as it is known"},
          {"errors", &ImportRow::errors, "What is wrong with it still"},
          {"book_id", &ImportRow::book_id, "The book it became"}};
}
std::vector<schema::Field> RowFilter::fields() {
  return {{"status", &RowFilter::status, "Only rows of this status"}};
}
std::vector<schema::Field> RetryResult::fields() {
  return {{"tried", &RetryResult::tried, "Rows that were tried again"},
          {"created", &RetryResult::created, "Books that are new"},
          {"updated", &RetryResult::updated, "Books that were completed"},
          {"unchanged", &RetryResult::unchanged, "Books that were there as they are"},
          {"failed", &RetryResult::failed, "Rows that still cannot be stored"}};
}

void ImportRows::keep(db::Transaction& tx, const std::string& job, std::optional<UserId> user,
                      const ImportedRecord& record, const std::vector<std::string>& errors) const {
  std::string raw = is_valid_utf8(record.raw) ? record.raw : std::string();
  std::erase(raw, '\0');
  raw = utf8_prefix(raw, most_raw);
  const auto now = clock_.now();
  tx.execute(
      "INSERT INTO import_rows (job_id, user_id, line, raw, fields, errors, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (job_id, line) DO NOTHING",
      job, user, static_cast<std::int64_t>(record.line), raw,
      json::encode(fields_of(record.book ? *record.book : record.partial)), json_of(errors), now);
}

Task<Result<Page<ImportRow>>> ImportRows::list(std::string job, RowFilter filter, PageRequest page,
                                               Caller by) {
  auto work = [job = std::move(job), filter, page,
               by = std::move(by)](db::Transaction& tx) -> Result<Page<ImportRow>> {
    if (!visible(tx, job, by) || !exists(tx, job)) return no_such_import();
    const std::string status =
        filter.status ? std::string(row_status_names[static_cast<std::size_t>(*filter.status)]) : "";
    static const std::string sql =
        "SELECT " + columns.list() +
        " FROM import_rows WHERE job_id = $1 AND ($2 = '' OR status = $2) ORDER BY line "
        "LIMIT CAST($3 AS BIGINT) OFFSET CAST($4 AS BIGINT)";
    Page<ImportRow> out;
    for (const auto& row : tx.list(columns, sql, job, status, page.limit, page.skip))
      out.items.push_back(shown(row));
    out.total = std::get<0>(*tx.one<std::int64_t>(
        "SELECT count(*) FROM import_rows WHERE job_id = $1 AND ($2 = '' OR status = $2)", job, status));
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<ImportRow>> ImportRows::mend(std::string job, std::int64_t line, RowFields changes, Caller by) {
  auto work = [this, job = std::move(job), line, changes = std::move(changes),
               by = std::move(by)](db::Transaction& tx) -> Result<ImportRow> {
    if (!visible(tx, job, by)) return no_such_import();
    static const std::string sql =
        "SELECT " + columns.list() + " FROM import_rows WHERE job_id = $1 AND line = $2";
    static const std::string locking = sql + " FOR UPDATE";
    auto row = tx.find(columns, tx.postgresql() ? locking : sql, job, line);
    if (!row) return not_found("The import has no such row");
    if (row->status == "done")
      return fail(ErrorKind::refused, "row_done", "The row has become a book already");
    RowFields fields;
    if (auto read = json::decode<RowFields>(row->fields)) fields = std::move(*read);
    merge(fields, changes);
    const auto book = whole(fields);
    row->fields = json::encode(fields);
    row->errors = json_of(book ? std::vector<std::string>{} : sentences_of(book.error()));
    row->status = book ? "ready" : "failed";
    tx.execute("UPDATE import_rows SET fields = $2, errors = $3, status = $4, updated_at = $5 WHERE id = $1",
               row->id, row->fields, row->errors, row->status, clock_.now());
    return shown(*row);
  };
  return database_.write(std::move(work));
}

Task<Result<RetryResult>> ImportRows::retry(std::string job, Caller by) {
  auto work = [this, job = std::move(job), by = std::move(by)](db::Transaction& tx) -> Result<RetryResult> {
    if (!visible(tx, job, by) || !exists(tx, job)) return no_such_import();
    static const std::string sql = "SELECT " + columns.list() +
                                   " FROM import_rows WHERE job_id = $1 AND status = 'ready' ORDER BY line "
                                   "LIMIT CAST($2 AS BIGINT)";
    static const std::string locking = sql + " FOR UPDATE";
    RetryResult result;
    for (const auto& row : tx.list(columns, tx.postgresql() ? locking : sql, job, most_tried)) {
      ++result.tried;
      auto fields = json::decode<RowFields>(row.fields);
      auto book = fields ? whole(*fields) : Result<NewBook>(Failure(fields.error()));
      if (!book) {
        ++result.failed;
        tx.execute("UPDATE import_rows SET status = 'failed', errors = $2, updated_at = $3 WHERE id = $1",
                   row.id, json_of(sentences_of(book.error())), clock_.now());
        continue;
      }
      const auto [outcome, id] = books_.upsert(tx, *book, by);
      if (outcome == BookService::Outcome::created) ++result.created;
      if (outcome == BookService::Outcome::updated) ++result.updated;
      if (outcome == BookService::Outcome::unchanged) ++result.unchanged;
      tx.execute("UPDATE import_rows SET status = 'done', book_id = $2, updated_at = $3 WHERE id = $1",
                 row.id, id, clock_.now());
    }
    return result;
  };
  return database_.write(std::move(work));
}

Result<std::int64_t> ImportRows::prune_now(Timestamp before) {
  auto work = [before](db::Transaction& tx) -> Result<std::int64_t> {
    return tx.execute("DELETE FROM import_rows WHERE created_at < $1", before);
  };
  return database_.write_now(std::move(work));
}

}  // namespace lumina::books
